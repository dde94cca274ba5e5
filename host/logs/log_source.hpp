#pragma once
// Where log bytes are read from: a build's directory on the worker, or the store. Memory use does not grow with the
// log.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/logs/build_log.hpp"
#include "ocelot/call.hpp"

namespace ocelot::logs {

class LogSource {
 public:
  virtual ~LogSource() = default;
  // At most max_bytes from `offset`; shorter or empty at the end of what is there.
  virtual std::string read(std::int64_t offset, std::size_t max_bytes) = 0;
  virtual std::int64_t size() = 0;
};

// A source made of two functions: store::Store::readLog and Build::log_bytes, for one.
class FunctionSource final : public LogSource {
 public:
  using Read = std::function<std::string(std::int64_t offset, std::size_t max_bytes)>;
  FunctionSource(std::int64_t size, Read read) : size_(size), read_(std::move(read)) {}
  std::string read(std::int64_t offset, std::size_t max_bytes) override { return read_(offset, max_bytes); }
  std::int64_t size() override { return size_; }

 private:
  std::int64_t size_;
  Read read_;
};

// The log in a build's directory, while it grows and after. One thread at a time; a follower has its own.
class LogReader final : public LogSource {
 public:
  // Throws Error(not_found) when there is no log. Without a watch, follow() may not be called.
  explicit LogReader(const std::string& folder, LogWatch* watch = nullptr);
  ~LogReader() override;

  std::string read(std::int64_t offset, std::size_t max_bytes) override;
  // Into the caller's buffer; returns how many bytes came.
  std::size_t read(std::int64_t offset, char* to, std::size_t max_bytes);
  std::int64_t size() override;

  // The log's end, once it is complete; size() is then final.
  std::optional<LogEnd> end();
  // Stages begun so far.
  std::vector<StageSlice> stages();
  std::optional<StageSlice> findStage(const std::string& name_or_index);

  // Waits until there is something beyond `offset` (true) or the log has ended with nothing beyond it (false).
  // Throws Error(cancelled) with the call.
  bool follow(Call& call, std::int64_t offset);
  // Readable when something may have changed; for a caller with a poll loop of its own. -1 without a watch.
  int fd() const;
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where the last `lines` lines between `begin` and `end` start (a last line without newline counts). Reads backwards in
// blocks.
std::int64_t tailOffset(LogSource& source, std::int64_t lines, std::int64_t begin, std::int64_t end);

}  // namespace ocelot::logs
