#include "host/logs/log_source.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <stdexcept>

#include "host/logs/file.hpp"
#include "host/logs/log_index.hpp"

namespace ocelot::logs {

namespace {
constexpr std::size_t kMaxRead = 8u << 20;

File openLog(const std::string& folder) try {
  return File(folder + "/log", O_RDONLY);
} catch (const std::runtime_error& error) {
  throw Error(Status::not_found, error.what());
}
}  // namespace

struct LogReader::State {
  State(const std::string& folder, LogWatch* watch) : log(openLog(folder)), index_path(folder + "/index") {
    if (watch != nullptr) subscription = watch->subscribe(folder);
  }

  // The index is small, and read again only when its size has changed.
  const LogIndex& readIndex() {
    std::string text = readFileIfPresent(index_path, kMaxIndexBytes);
    if (text != index_text) {
      index = parseIndex(text);
      index_text = std::move(text);
    }
    return index;
  }

  File log;
  std::string index_path;
  std::string index_text;
  LogIndex index;
  std::unique_ptr<LogWatch::Subscription> subscription;
};

LogReader::LogReader(const std::string& folder, LogWatch* watch) : state_(std::make_unique<State>(folder, watch)) {}
LogReader::~LogReader() = default;

std::string LogReader::read(std::int64_t offset, std::size_t max_bytes) {
  const std::int64_t there = std::max<std::int64_t>(0, size() - offset);
  std::string bytes(static_cast<std::size_t>(
                        std::min<std::int64_t>({there, static_cast<std::int64_t>(std::min(max_bytes, kMaxRead))})),
                    '\0');
  bytes.resize(read(offset, bytes.data(), bytes.size()));
  return bytes;
}

std::size_t LogReader::read(std::int64_t offset, char* to, std::size_t max_bytes) {
  if (offset < 0) throw Error(Status::invalid, "read the log: offset " + std::to_string(offset) + " is negative");
  return state_->log.readAt(offset, to, max_bytes);
}

std::int64_t LogReader::size() { return state_->log.size(); }

std::optional<LogEnd> LogReader::end() { return state_->readIndex().end; }

std::vector<StageSlice> LogReader::stages() { return state_->readIndex().stages; }

std::optional<StageSlice> LogReader::findStage(const std::string& name_or_index) {
  const std::vector<StageSlice>& slices = state_->readIndex().stages;
  for (const StageSlice& slice : slices) {
    if (slice.name == name_or_index) return slice;
  }
  for (const StageSlice& slice : slices) {
    if (std::to_string(slice.stage) == name_or_index) return slice;
  }
  return std::nullopt;
}

bool LogReader::follow(Call& call, std::int64_t offset) {
  if (state_->subscription == nullptr) throw std::logic_error("follow a log: the reader was made without a watch");
  for (;;) {
    state_->subscription->clear();
    // The end is asked for first: it is written after the last byte.
    const bool ended = end().has_value();
    if (size() > offset) return true;
    if (ended) return false;
    call.check("following a log");
    pollfd wait[2] = {{state_->subscription->fd(), POLLIN, 0}, {call.cancelFd(), POLLIN, 0}};
    ::poll(wait, call.cancelFd() < 0 ? 1 : 2, call.remainingMs());
  }
}

int LogReader::fd() const { return state_->subscription == nullptr ? -1 : state_->subscription->fd(); }

void LogReader::clear() {
  if (state_->subscription != nullptr) state_->subscription->clear();
}

std::int64_t tailOffset(LogSource& source, std::int64_t lines, std::int64_t begin, std::int64_t end) {
  if (lines <= 0) return end;
  constexpr std::int64_t kBlock = 64 << 10;
  std::int64_t left = lines;
  for (std::int64_t block_end = end; block_end > begin;) {
    const std::int64_t block_begin = std::max(begin, block_end - kBlock);
    const std::string block = source.read(block_begin, static_cast<std::size_t>(block_end - block_begin));
    for (auto i = static_cast<std::int64_t>(block.size()); i-- > 0;) {
      // The newline at the very end closes the last line and begins none.
      if (block[static_cast<std::size_t>(i)] == '\n' && block_begin + i + 1 != end && --left == 0)
        return block_begin + i + 1;
    }
    block_end = block_begin;
  }
  return begin;
}

}  // namespace ocelot::logs
