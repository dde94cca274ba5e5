#include "components/guest/stage_run.hpp"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <algorithm>

#include "components/guest/clock.hpp"
#include "components/guest/workspace.hpp"

namespace ocelot::guest {

namespace {

using journal::Ending;
using journal::Frame;
using journal::FrameKind;

constexpr std::int64_t kDrainMillis = 500;
constexpr std::int64_t kGroupLookMillis = 20;   // how often it is asked whether a process group is empty yet
constexpr std::int64_t kBacklogLookMillis = 3;  // how often the reader's count is read while it is behind
constexpr std::int64_t kSpaceLookMillis = 20;   // how often a full file system is tried again
constexpr std::int64_t kUnkillableMillis = 10000;

std::string duration(std::int64_t millis) {
  return millis % 1000 == 0 ? std::to_string(millis / 1000) + " s" : std::to_string(millis) + " ms";
}

std::string exitSentence(int status) {
  if (WIFEXITED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const char* name = ::sigabbrev_np(signal);
  return "killed by signal " + std::to_string(signal) + (name != nullptr ? std::string(" (SIG") + name + ")" : "");
}

}  // namespace

void StageRun::notice(const std::string& sentence) {
  Frame frame;
  frame.kind = FrameKind::notice;
  frame.bytes = sentence;
  recorder_.append(frame);
}

Frame StageRun::run() {
  Frame started;
  started.kind = FrameKind::stage_started;
  started.stage = index_;
  recorder_.append(started);

  result_.kind = FrameKind::stage_finished;
  result_.stage = index_;
  result_.exit_code = -1;
  result_.ending = Ending::failed;
  memory_kills_ = memory_.kills();
  if (stage_.timeout_ms > 0) deadline_ = bootMillis() + stage_.timeout_ms;
  Launch what;
  if (!prepare(what)) return result_;
  earlier_ = listProcesses();
  child_ = launch(what);
  if (child_.pid < 0) {
    if (child_.ours) result_.ending = Ending::broken;
    result_.bytes = child_.failure;
    return result_;
  }
  door_.serve(SecretDoor::Tenant{child_.pid, index_, &stage_.secrets});
  follow();
  door_.serve(std::nullopt);
  judge();
  return result_;
}

bool StageRun::prepare(Launch& what) {
  what.shell = plan_.shell;
  what.script = stage_.script;
  what.working_dir = plan_.working_dir;
  what.env = plan_.env;
  what.env.insert(what.env.end(), stage_.env.begin(), stage_.env.end());
  try {
    what.user = resolveUser(stage_.user.empty() ? plan_.user : stage_.user);
  } catch (const UnknownUser& unknown) {
    result_.bytes = unknown.what();
    return false;
  }
  result_.bytes = giveWorkspace(plan_.working_dir, what.user);
  if (!result_.bytes.empty()) {
    result_.ending = Ending::broken;
    result_.bytes = "give the workspace to user " + what.user.name + ": " + result_.bytes;
    return false;
  }
  return fetchSecrets(what.env);
}

bool StageRun::fetchSecrets(journal::Environment& env) {
  for (const auto& name : stage_.secrets) {
    BrokerCall call(index_, name);
    for (call.step(); !call.done(); call.step()) {
      std::vector<pollfd> waits;
      if (call.fd() >= 0) waits.push_back({call.fd(), POLLIN, 0});
      watch_.wait(waits, std::min(call.wakeAt(), deadline_));
      watch_.takeReaped();  // of earlier stages: nobody's account
      const bool late = bootMillis() >= deadline_;
      if (watch_.order() == Watch::Order::go_on && !late) continue;
      if (watch_.order() == Watch::Order::go_on)
        end(Ending::timed_out, "timed out after " + duration(stage_.timeout_ms) + ", waiting for secret " + name, 0);
      else
        endByOrder();
      return false;
    }
    result_.bytes = call.failure();
    if (result_.bytes.empty() && call.value().find('\0') != std::string::npos)
      result_.bytes =
          "secret " + name + ": holds a NUL byte, which no variable can; store it encoded, for example in base64";
    if (!result_.bytes.empty()) return false;
    env.emplace_back(name, call.value());
  }
  return true;
}

void StageRun::follow() {
  for (;;) {
    const std::int64_t now = bootMillis();
    decide(now);
    if (isOver(now)) break;
    waitForSomething(now);
    takeReaped();
    door_.step();
  }
  leave(child_.out);
  leave(child_.err);
  if (left_behind_)
    notice(
        "a process that this stage left in the background still has its output open; what it writes from here on is "
        "not kept");
}

void StageRun::decide(std::int64_t now) {
  const auto order = watch_.order();
  if (order == Watch::Order::abandon && result_.ending != Ending::abandoned) {
    endByOrder();
  } else if (!ending_) {
    if (order != Watch::Order::go_on) {
      endByOrder();
    } else if (now >= deadline_ && !main_ended_) {
      end(Ending::timed_out, "timed out after " + duration(stage_.timeout_ms), now + plan_.grace_ms);
    } else if (recorder_.refusedSince() != kNever && now - recorder_.refusedSince() >= plan_.grace_ms) {
      end(Ending::broken, "no room for the log on the worker (" + errorText(recorder_.refusal()) + ")", now);
    }
  }
  if (!ending_ || killed_at_ != kNever || (now < kill_at_ && !watch_.atOnce())) return;
  if (!watch_.atOnce() && result_.ending != Ending::broken)
    notice("still running " + duration(plan_.grace_ms) + " after SIGTERM; killing");
  kill();
}

void StageRun::endByOrder() {
  const std::int64_t kill_at = bootMillis() + plan_.grace_ms;
  switch (watch_.order()) {
    case Watch::Order::cancel:
      return end(Ending::canceled, "canceled", kill_at);
    case Watch::Order::build_timeout:
      return end(Ending::timed_out, "the build timed out after " + duration(plan_.timeout_ms), kill_at);
    case Watch::Order::abandon:
      return end(Ending::abandoned,
                 "the worker gave no sign of life for " + duration(plan_.alive_timeout_ms) + "; everything was ended",
                 0);
    case Watch::Order::go_on:
      return;
  }
}

void StageRun::end(Ending ending, const std::string& why, std::int64_t kill_at) {
  result_.ending = ending;
  result_.bytes = why;
  ending_ = true;
  kill_at_ = std::min(kill_at_, kill_at);
  if (child_.pid < 0 || kill_at == 0) return;
  notice(why + "; ending the stage");
  ::kill(-child_.pid, SIGTERM);
}

void StageRun::kill() {
  killed_at_ = bootMillis();
  if (watch_.order() == Watch::Order::go_on)
    killStage(child_.pid, earlier_);
  else
    killEverything();
}

bool StageRun::isOver(std::int64_t now) {
  if (!main_ended_) {
    // Not even KILL ends a process that waits for a dead disk or network file system; the container's end will.
    return killed_at_ != kNever && now - killed_at_ >= kUnkillableMillis;
  }
  if (ending_ && killed_at_ == kNever) {
    // The shell dies of TERM at once; what it started may still be cleaning up, and has the grace for it.
    if (::kill(-child_.pid, 0) == 0 || errno == EPERM) return false;
    kill();
  }
  const bool nobody_reads = result_.ending == Ending::abandoned || result_.ending == Ending::broken || watch_.atOnce();
  if ((!child_.out && !child_.err) || nobody_reads) return true;
  return now >= drain_until_ && (!child_.out || due_[1] <= 0) && (!child_.err || due_[2] <= 0);
}

void StageRun::waitForSomething(std::int64_t now) {
  std::int64_t until = std::min(deadline_, door_.wakeAt());
  if (now < drain_until_) until = std::min(until, drain_until_);
  if (ending_) until = std::min(until, killed_at_ == kNever ? std::min(kill_at_, now + kGroupLookMillis) : now + 1000);

  std::vector<pollfd> waits;
  const auto room = recorder_.room();
  if (room == Recorder::Room::yes) {
    if (child_.out) waits.push_back({child_.out.get(), POLLIN, 0});
    if (child_.err) waits.push_back({child_.err.get(), POLLIN, 0});
  } else {
    until = std::min(until, now + (room == Recorder::Room::backlog ? kBacklogLookMillis : kSpaceLookMillis));
  }
  const std::size_t pipes = waits.size();
  door_.addTo(waits);
  watch_.wait(waits, until);
  for (std::size_t i = 0; i < pipes; ++i) {
    if (waits[i].revents == 0) continue;
    const bool is_out = waits[i].fd == child_.out.get();
    record(is_out ? child_.out : child_.err, is_out ? 1 : 2);
  }
}

void StageRun::record(Fd& pipe, std::uint8_t stream) {
  if (recorder_.room() != Recorder::Room::yes) return;
  std::uint64_t taken = 0;
  if (recorder_.record(pipe.get(), index_, stream, taken) == Recorder::Pipe::ended) pipe.reset();
  due_[stream] -= static_cast<std::int64_t>(taken);
}

void StageRun::takeReaped() {
  for (const auto& reaped : watch_.takeReaped()) {
    result_.cpu_us += reaped.cpu_us;
    result_.max_rss_bytes = std::max(result_.max_rss_bytes, reaped.max_rss_bytes);
    if (reaped.pid == child_.pid) mainEnded(reaped.status);
  }
}

void StageRun::mainEnded(int status) {
  main_ended_ = true;
  drain_until_ = bootMillis() + kDrainMillis;
  const auto held = [](const Fd& pipe) {
    int bytes = 0;
    return pipe && ::ioctl(pipe.get(), FIONREAD, &bytes) == 0 ? bytes : 0;
  };
  due_[1] = held(child_.out);
  due_[2] = held(child_.err);
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (ending_) return;
  result_.ending = result_.exit_code == 0 ? Ending::passed : Ending::failed;
  if (result_.exit_code != 0) result_.bytes = exitSentence(status);
}

void StageRun::leave(Fd& pipe) {
  if (!pipe) return;
  left_behind_ = true;
  watch_.discard(std::move(pipe));
}

void StageRun::judge() {
  if (!main_ended_) notice("a process of this stage cannot be killed; it is left to the container's end");
  const auto kills = memory_.kills();
  result_.out_of_memory = kills && memory_kills_ && *kills > *memory_kills_;
  if (!result_.out_of_memory) return;
  const auto limit = memory_.limitBytes();
  const std::string sentence =
      "out of memory" + (limit ? " (limit " + std::to_string(*limit >> 20) + " MiB)" : std::string());
  if (result_.ending == Ending::failed)
    result_.bytes = sentence;
  else
    notice("a process was killed: " + sentence);
}

}  // namespace ocelot::guest
