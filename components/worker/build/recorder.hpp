#pragma once
// Turns the journal's frames into the build's log, its stages and its events, and remembers how far it came, so that a
// successor goes on with no byte lost and none twice: everything between two saves is made again, identically. What was
// put between the frames (learn, remark) stands in the build's mask file with its place, and is put there again.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "components/worker/build/mask_file.hpp"
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
  };

  // Goes on from the directory's cursor when there is one.
  Recorder(const builddir::Directory& directory, Settings settings, MaskFile mask);

  // A sentence of Ocelot's own in the log.
  void note(std::string_view sentence);
  void phase(const std::string& name);
  void image(const std::string& digest);
  // `end`: of the frame, in the journal. Throws journal::Tampered when it contradicts what came before.
  void apply(const journal::Frame& frame, std::uint64_t end);

  // Whether all that a predecessor put between the frames is there again; before, nothing new can be.
  bool caughtUp() const { return interjected_ == mask_.interjections().size(); }
  // Between two frames. A secret is masked from here on, also by a successor, when this returns: then it may be served.
  void learn(const std::string& name, const std::string& value);
  // A sentence of Ocelot's own in the log, like note(), that a successor says again in its place.
  void remark(const std::string& sentence);
  std::map<std::string, std::string> served() const { return mask_.served(); }

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
  void take(const journal::Frame& frame);
  void beginStage(const journal::Frame& frame);
  void output(const journal::Frame& frame);
  void endStage(const journal::Frame& frame);
  void tell(const model::Stage& stage);
  void flushMaskers();
  void put(Interjection one);
  void interject();
  void restore(const std::string& cursor);
  void replayOrder();

  const builddir::Directory& directory_;
  Settings settings_;
  builddir::EventWriter events_;
  std::unique_ptr<logs::LogWriter> log_;
  MaskFile mask_;
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
  std::uint64_t position_ = 0;   // in the journal: everything before it was applied
  std::size_t interjected_ = 0;  // how many of the mask file's were made
};

}  // namespace ocelot::worker
