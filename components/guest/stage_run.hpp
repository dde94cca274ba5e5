#pragma once
// One stage, from its start to the frame that says how it ended.
//
//   prepare (user, workspace, secrets) ─ launch ─ follow ─┬─ its process ends ── drain ─ judge
//                                                         └─ time-out, cancel ─ TERM ─ grace ─ KILL ─ drain ─ judge

#include <optional>
#include <string>

#include "components/guest/launch.hpp"
#include "components/guest/memory.hpp"
#include "components/guest/processes.hpp"
#include "components/guest/recorder.hpp"
#include "components/guest/secret_door.hpp"
#include "components/guest/watch.hpp"
#include "host/journal/plan.hpp"

namespace ocelot::guest {

class StageRun {
 public:
  StageRun(const journal::Plan& plan, std::uint32_t index, Recorder& recorder, Watch& watch, SecretDoor& door)
      : plan_(plan), stage_(plan.stages[index]), index_(index), recorder_(recorder), watch_(watch), door_(door) {}

  // Writes stage_started, output and notices; returns the stage_finished frame, which the caller appends.
  journal::Frame run();

 private:
  bool prepare(Launch& launch);
  bool fetchSecrets(journal::Environment& env);
  void follow();
  void decide(std::int64_t now);
  void end(journal::Ending ending, const std::string& why, std::int64_t kill_at);
  void endByOrder();
  void kill();
  bool isOver(std::int64_t now);
  void waitForSomething(std::int64_t now);
  void takeReaped();
  void mainEnded(int status);
  void record(Fd& pipe, std::uint8_t stream);
  void leave(Fd& pipe);
  void judge();
  void notice(const std::string& sentence);

  const journal::Plan& plan_;
  const journal::PlanStage& stage_;
  std::uint32_t index_;
  Recorder& recorder_;
  Watch& watch_;
  SecretDoor& door_;

  journal::Frame result_;
  Processes earlier_;  // what ran before this stage
  MemoryGroup memory_;
  std::optional<std::uint64_t> memory_kills_;
  Launched child_;
  std::int64_t deadline_ = INT64_MAX;

  bool main_ended_ = false;
  std::int64_t drain_until_ = INT64_MAX;
  std::int64_t due_[3] = {0, 0, 0};  // by stream: bytes that lay in the pipe when the process ended, not yet taken
  bool ending_ = false;              // it is being made to end
  std::int64_t kill_at_ = INT64_MAX;
  std::int64_t killed_at_ = INT64_MAX;
  bool left_behind_ = false;
};

}  // namespace ocelot::guest
