// What another machine's encoder made, on its way through: looked at no more than it takes to know where in the log it
// is.

#include <charconv>
#include <optional>

#include "host/logs/formats.hpp"

namespace ocelot::logs {
namespace {

// A record's text grows sixfold at most when it is escaped; besides that it has little.
constexpr std::size_t kMostHeld = 6 * kMaxRecordBytes + 1024;

class PlainPassage final : public Passage {
 public:
  explicit PlainPassage(std::int64_t offset) : told_(offset) {}
  bool take(std::string_view bytes, std::string& out) override {
    out.append(bytes);
    told_ += static_cast<std::int64_t>(bytes.size());
    return true;
  }
  std::int64_t told() const override { return told_; }

 private:
  std::int64_t told_;
};

// Takes `mark` and the number behind it from the front of `text`.
std::optional<std::int64_t> numberAfter(std::string_view mark, std::string_view& text) {
  if (!text.starts_with(mark)) return std::nullopt;
  text.remove_prefix(mark.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

class RecordPassage final : public Passage {
 public:
  RecordPassage(bool sse, std::int64_t offset) : sse_(sse), told_(offset) {}

  bool take(std::string_view bytes, std::string& out) override {
    if (broken_) return false;
    held_ += bytes;
    const std::string_view border = sse_ ? "\n\n" : "\n";
    std::size_t begin = 0;
    for (std::size_t end; (end = held_.find(border, begin)) != std::string::npos; begin = end + border.size())
      if (!pass(std::string_view(held_).substr(begin, end - begin), border, out)) return refuse();
    held_.erase(0, begin);
    return held_.size() <= kMostHeld || refuse();
  }
  std::int64_t told() const override { return told_; }

 private:
  bool refuse() {
    broken_ = true;
    held_ = {};
    return false;
  }

  bool pass(std::string_view whole, std::string_view border, std::string& out) {
    std::string_view rest = whole;
    if (sse_ && (rest.empty() || rest.front() == ':' || rest.starts_with("event: end\n"))) return true;
    std::optional<std::int64_t> id;
    if (sse_) {
      id = numberAfter("id: ", rest);
      if (!id || !rest.starts_with("\ndata: ")) return false;
      rest.remove_prefix(7);
    } else if (rest.empty() || rest.starts_with("{\"alive\":") || rest.starts_with("{\"end\":")) {
      return true;
    }
    const auto offset = numberAfter("{\"offset\":", rest);
    const auto next = numberAfter(",\"next\":", rest);
    if (!offset || !next || *offset != told_ || *next <= told_) return false;
    if (*next - told_ > static_cast<std::int64_t>(kMaxRecordBytes) + 1 || (id && *id != *next)) return false;
    if (rest.empty() || rest.front() != ',' || rest.back() != '}' || rest.find('\n') != std::string::npos) return false;
    out.append(whole).append(border);
    told_ = *next;
    return true;
  }

  const bool sse_;
  std::int64_t told_;
  std::string held_;  // of a record that is not whole
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Passage> makePassage(Format format, std::int64_t offset) {
  if (format == Format::plain) return std::make_unique<PlainPassage>(offset);
  return std::make_unique<RecordPassage>(format == Format::sse, offset);
}

}  // namespace ocelot::logs
