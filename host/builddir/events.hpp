#pragma once
// What a build process tells its worker, in the file `events` of the build's directory: one JSON object a line. A file
// and not a pipe, because either side may be killed and come back.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "host/model/build.hpp"

namespace ocelot::builddir {

struct Event {
  enum class Kind {
    phase,   // what comes next: "pull", "checkout", "start", "run", "remove"; if the process dies, this is where
    image,   // `text`: the digest that was run
    stage,   // a stage changed
    result,  // how it ended; written once, last
    removed  // container, network and workspace are gone
  };
  Kind kind = Kind::phase;
  std::string text;            // phase, image
  model::Stage stage;          // stage
  model::Outcome outcome;      // result
  bool retry = false;          // result: the environment's fault, which another worker or another minute may mend
  std::int64_t log_bytes = 0;  // result
  std::string log_sha256;      // result
};

std::string encode(const Event& event);  // one line, with its end

// Appends events to a file. One writer, which holds the build's lock.
class EventWriter {
 public:
  explicit EventWriter(const std::string& path);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;
  void write(const Event& event);  // throws std::system_error (no space, …)

 private:
  int fd_;
};

// Reads events as they come. A torn last line is left for the next call; lines that are no event are passed over, which
// lets an older worker read a newer build process.
class EventReader {
 public:
  explicit EventReader(std::string path) : path_(std::move(path)) {}
  void poll(const std::function<void(const Event&)>& take);

 private:
  std::string path_;
  std::int64_t offset_ = 0;
};

}  // namespace ocelot::builddir
