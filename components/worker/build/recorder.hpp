#pragma once
// Turns the journal's frames into the build's log, its stages and its events, and remembers how far it came, so that a
// successor goes on with no byte lost and none twice: everything between two saves is made again, identically.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/builddir/directory.hpp"
#include "host/builddir/events.hpp"
#include "host/journal/frame.hpp"
#include "host/journal/order.hpp"
#include "host/logs/build_log.hpp"
#include "host/logs/masker.hpp"
#include "host/model/build.hpp"

namespace ocelot::worker {

class Recorder {
 public:
  struct Settings {
    std::string build_id;
    int attempt = 1;
    std::int64_t log_limit = 64ll << 20;
    std::vector<model::Stage> stages;  // as planned: index, name, line
    std::vector<std::string> secrets;  // values to mask
  };

  // Goes on from the directory's cursor when there is one.
  Recorder(const builddir::Directory& directory, Settings settings);

  // A sentence of Ocelot's own in the log.
  void note(std::string_view sentence);
  void phase(const std::string& name);
  void image(const std::string& digest);
  // Throws journal::Tampered when the frame contradicts what came before.
  void apply(const journal::Frame& frame);

  // Writes the cursor. `journal_offset`: everything before it has been applied.
  void save(std::uint64_t journal_offset);
  std::uint64_t journalOffset() const { return journal_offset_; }  // of the cursor this began from

  bool cancelHeard() const { return cancel_heard_; }                           // the guest has begun to end what runs
  const std::optional<journal::Frame>& finished() const { return finished_; }  // the guest's last frame
  const std::vector<model::Stage>& stages() const { return stages_; }
  std::int64_t logBytes() const { return log_->size(); }

  // Ends the log and writes the result event. Stages that never ran are skipped, the running one ends as the outcome
  // says.
  void conclude(const model::Outcome& outcome, bool retry);

  builddir::EventWriter& events() { return events_; }

 private:
  void beginStage(const journal::Frame& frame);
  void output(const journal::Frame& frame);
  void endStage(const journal::Frame& frame);
  void tell(const model::Stage& stage);
  void flushMaskers();
  void restore(const std::string& cursor);
  void replayOrder();

  const builddir::Directory& directory_;
  Settings settings_;
  builddir::EventWriter events_;
  std::unique_ptr<logs::LogWriter> log_;
  logs::Masker out_, err_;  // a secret may be split over writes, but not over streams
  std::string scratch_;
  std::vector<model::Stage> stages_;
  journal::Order order_;
  int running_ = -1;  // index of the running stage
  int last_ended_ = -1;
  bool greeted_ = false;
  bool cancel_heard_ = false;
  std::optional<journal::Frame> finished_;
  std::uint64_t journal_offset_ = 0;
};

}  // namespace ocelot::worker
