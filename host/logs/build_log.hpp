#pragma once
// A build's log on the worker: the file `log` (masked bytes, append only) and the file `index` beside it (where each
// stage begins and ends, where each secret was first served, and that the log is complete). One process writes, any
// number read.
//
// Beyond its limit a log keeps no more than the last 16 KiB of each stage, behind a marker that says how much is
// missing; the markers are lines of the log, so that offsets never change once written.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::logs {

struct StageSlice {
  int stage = 0;  // index, as in the plan
  std::string name;
  std::int64_t begin = 0;
  std::int64_t end = -1;  // -1: still running
};

// The end of a log.
struct LogEnd {
  std::int64_t bytes = 0;
  std::string sha256;        // hex
  std::int64_t dropped = 0;  // bytes of output that were not kept
};

struct LogWriterSettings {
  std::string folder;                     // the build's directory; must exist
  std::int64_t limit_bytes = 64ll << 20;  // of output; markers and tails come on top
  bool sync = false;                      // fdatasync at the end
};

// One thread at a time. Throws std::runtime_error naming the file and the system's reason (disk full, …).
class LogWriter {
 public:
  // `saved`: "" begins a new log; else goes on exactly where save() was called, whatever was written after it (the file
  // is cut back and its hash made again).
  explicit LogWriter(LogWriterSettings settings, std::string_view saved = {});
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Masked output of the running stage (or of none: what comes before the first).
  void append(std::string_view masked);
  // A line of Ocelot's own, kept whatever the limit: "[ocelot: …]" and a newline are added.
  void note(std::string_view sentence);
  void beginStage(int stage, std::string_view name);
  // Remembers in the index that a secret is masked from here on.
  void served(std::string_view name, std::int64_t journal_offset);
  // Ends the running stage; its missing bytes are told and its last ones written when the limit was passed.
  void endStage();
  // Ends the log. Nothing may follow.
  LogEnd finish();

  std::int64_t size() const;     // bytes in the file: offset of the next byte
  std::int64_t dropped() const;  // bytes of output not kept so far
  const std::vector<StageSlice>& stages() const;
  std::string save() const;  // masked bytes and numbers, for the build's cursor

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Tells readers that files grow: one inotify instance and one thread for any number of them. [any] thread.
class LogWatch {
 public:
  LogWatch();
  ~LogWatch();
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  // A descriptor that becomes readable whenever something in the folder changes; must not outlive the watch.
  class Subscription {
   public:
    virtual ~Subscription() = default;
    virtual int fd() const = 0;  // for a poll loop
    virtual void clear() = 0;    // before looking: a change after this makes fd readable again
  };
  std::unique_ptr<Subscription> subscribe(const std::string& folder);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ocelot::logs
