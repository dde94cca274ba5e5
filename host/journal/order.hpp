#pragma once
// What frames may follow each other: the part of the reader's distrust that a single frame cannot show.
//
//   hello ─ (stage 0) ─ (stage 1) ─ … ─ finished          notices anywhere between hello and finished
//   stage := stage_finished "skipped"  |  stage_started ─ output… ─ stage_finished
//
// A guest that could not go on may write `finished` with Ending::broken at any point, also as the first frame.

#include <cstdint>
#include <string>

#include "host/journal/frame.hpp"

namespace ocelot::journal {

class Order {
 public:
  Order(std::string build_id, std::uint32_t attempt, std::uint32_t stages)
      : build_id_(std::move(build_id)), attempt_(attempt), stages_(stages) {}

  // Throws Tampered when the frame cannot stand here; otherwise the next one is due.
  void accept(const Frame& frame);
  bool finished() const { return finished_; }

 private:
  void acceptHello(const Frame& frame);
  void acceptFinished(const Frame& frame);

  std::string build_id_;
  std::uint32_t attempt_;
  std::uint32_t stages_;
  std::uint32_t next_ = 0;  // the first stage that has not finished
  bool greeted_ = false;
  bool running_ = false;  // stage next_ has started
  bool all_well_ = true;  // no stage but passed and skipped ones
  bool finished_ = false;
};

}  // namespace ocelot::journal
