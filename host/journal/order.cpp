#include "host/journal/order.hpp"

namespace ocelot::journal {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw Tampered("journal: " + what); }

}  // namespace

void Order::accept(const Frame& frame) {
  if (finished_) refuse("a frame after the last");
  if (frame.kind == FrameKind::finished) return acceptFinished(frame);
  if (frame.kind == FrameKind::hello) return acceptHello(frame);
  if (!greeted_) refuse("a frame before hello");
  if (frame.kind == FrameKind::notice) return;
  if (frame.stage != next_ || next_ >= stages_)
    refuse("a frame of stage " + std::to_string(frame.stage) + " where stage " + std::to_string(next_) + " is due");
  switch (frame.kind) {
    case FrameKind::stage_started:
      if (running_) refuse("stage " + std::to_string(next_) + " started twice");
      running_ = true;
      return;
    case FrameKind::output:
      if (!running_) refuse("output of stage " + std::to_string(next_) + " before its start");
      return;
    case FrameKind::stage_finished:
      if (running_ == (frame.ending == Ending::skipped))
        refuse("stage " + std::to_string(next_) +
               (running_ ? " skipped after its start" : " finished before its start"));
      if (frame.ending != Ending::passed && frame.ending != Ending::skipped) all_well_ = false;
      running_ = false;
      ++next_;
      return;
    default:
      return;
  }
}

void Order::acceptHello(const Frame& frame) {
  if (greeted_) refuse("a second hello");
  if (frame.version != kJournalVersion)
    refuse("version " + std::to_string(frame.version) + "; this worker reads version " +
           std::to_string(kJournalVersion));
  if (frame.bytes != build_id_ || frame.number != attempt_) refuse("it tells of another build or attempt");
  greeted_ = true;
}

void Order::acceptFinished(const Frame& frame) {
  finished_ = true;
  if (frame.ending == Ending::broken) return;
  if (!greeted_) refuse("the end before hello");
  if (running_ || next_ != stages_) refuse("the end before the last stage's");
  if (frame.ending == Ending::skipped) refuse("a build cannot end as skipped");
  if (frame.ending == Ending::passed && !all_well_) refuse("passed, although a stage did not");
}

}  // namespace ocelot::journal
