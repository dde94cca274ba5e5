#include "host/logs/log_index.hpp"

#include <charconv>
#include <stdexcept>

namespace ocelot::logs {

namespace {

// Takes the word up to the next space off the line.
std::string_view takeWord(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

template <typename Number>
bool takeNumber(std::string_view& line, Number& number) {
  const std::string_view word = takeWord(line);
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && rest == word.data() + word.size() && number >= 0;
}

bool takeRecord(std::string_view line, LogIndex& index) {
  const std::string_view kind = takeWord(line);
  if (kind == "begin") {
    StageSlice slice;
    if (!takeNumber(line, slice.stage) || !takeNumber(line, slice.begin)) return false;
    slice.name = line;
    index.stages.push_back(std::move(slice));
    return true;
  }
  if (kind == "end") {
    int stage = 0;
    std::int64_t offset = 0;
    if (!takeNumber(line, stage) || !takeNumber(line, offset) || index.stages.empty()) return false;
    StageSlice& last = index.stages.back();
    if (last.stage != stage || last.end >= 0 || offset < last.begin) return false;
    last.end = offset;
    return true;
  }
  if (kind == "served") {
    ServedSecret served;
    if (!takeNumber(line, served.journal_offset) || !takeNumber(line, served.offset)) return false;
    served.name = line;
    index.served.push_back(std::move(served));
    return true;
  }
  if (kind == "done") {
    LogEnd end;
    if (!takeNumber(line, end.bytes) || !takeNumber(line, end.dropped)) return false;
    end.sha256 = line;
    index.end = std::move(end);
    return true;
  }
  return false;
}

}  // namespace

std::string beginRecord(const StageSlice& slice) {
  return "begin " + std::to_string(slice.stage) + ' ' + std::to_string(slice.begin) + ' ' + slice.name + '\n';
}

std::string endRecord(const StageSlice& slice) {
  return "end " + std::to_string(slice.stage) + ' ' + std::to_string(slice.end) + '\n';
}

std::string servedRecord(const ServedSecret& served) {
  return "served " + std::to_string(served.journal_offset) + ' ' + std::to_string(served.offset) + ' ' + served.name +
         '\n';
}

std::string doneRecord(const LogEnd& end) {
  return "done " + std::to_string(end.bytes) + ' ' + std::to_string(end.dropped) + ' ' + end.sha256 + '\n';
}

LogIndex parseIndex(std::string_view text) {
  LogIndex index;
  for (int number = 1; text.find('\n') != std::string_view::npos; ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (index.end || !takeRecord(line, index)) {
      throw std::runtime_error("read the log's index: line " + std::to_string(number) + " makes no sense");
    }
  }
  return index;
}

}  // namespace ocelot::logs
