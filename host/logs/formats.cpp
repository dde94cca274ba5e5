#include "host/logs/formats.hpp"

#include <algorithm>
#include <limits>

#include "host/logs/utf8.hpp"

namespace ocelot::logs {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 2;

// How much of `text` to take so that no character is cut, at most `most` bytes.
std::size_t wholeCharacters(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  for (std::size_t back = 1; back <= 3 && back <= end; ++back) {
    const auto byte = static_cast<unsigned char>(text[end - back]);
    if (byte < 0x80) break;
    if (byte >= 0xc0) {  // a lead byte: is its character whole?
      if (decodeUtf8(text.substr(end - back, back)).unfinished) return end - back;
      break;
    }
  }
  return end;
}

class PlainEncoder final : public Encoder {
 public:
  explicit PlainEncoder(std::int64_t offset) : at_(offset) {}
  void encode(std::string_view bytes, std::string& out) override {
    out.append(bytes);
    at_ += static_cast<std::int64_t>(bytes.size());
  }
  std::int64_t told() const override { return at_; }
  void flush(std::string&) override {}
  void finish(std::int64_t, std::string_view, std::string&) override {}
  void keepAlive(std::string&) override {}
  void setStages(std::vector<StageSlice>) override {}

 private:
  std::int64_t at_;
};

// ndjson and sse: the same records in different envelopes.
class RecordEncoder final : public Encoder {
 public:
  RecordEncoder(bool sse, std::int64_t offset, std::vector<StageSlice> stages)
      : sse_(sse), at_(offset), stages_(std::move(stages)) {}

  void encode(std::string_view bytes, std::string& out) override {
    while (!bytes.empty()) {
      // Up to the newline, the bound of a record, or the border of a stage: whatever comes first.
      const std::size_t room = kMaxRecordBytes - line_.size();
      const std::int64_t border = nextBorder() - at_ - static_cast<std::int64_t>(line_.size());
      const auto to_border = static_cast<std::size_t>(std::max<std::int64_t>(border, 0));
      const std::size_t most = std::min({bytes.size(), room, to_border});
      const std::size_t newline = bytes.substr(0, most).find('\n');
      const bool whole_line = newline != std::string_view::npos;
      const std::size_t taken = whole_line ? newline : most;
      if (!whole_line && taken == bytes.size() && taken < room && taken < to_border) {
        line_.append(bytes);
        return;
      }
      std::string_view text = bytes.substr(0, taken);
      if (!line_.empty()) text = line_.append(text);
      if (whole_line || taken == to_border) {
        record(text, whole_line, out);
        line_.clear();
      } else {
        const std::size_t cut = wholeCharacters(text, text.size());
        const std::string rest(text.substr(cut));
        record(text.substr(0, cut), false, out);
        line_ = rest;
      }
      bytes.remove_prefix(taken + (whole_line ? 1 : 0));
    }
  }

  void flush(std::string& out) override {
    const std::size_t cut = wholeCharacters(line_, line_.size());
    if (cut == 0) return;
    record(std::string_view(line_).substr(0, cut), false, out);
    line_.erase(0, cut);
  }

  void finish(std::int64_t bytes, std::string_view state, std::string& out) override {
    if (!line_.empty()) record(line_, false, out);
    line_.clear();
    if (sse_) ((out += "event: end\nid: ") += std::to_string(at_)) += "\ndata: ";
    ((out += "{\"end\":true,\"bytes\":") += std::to_string(bytes)) += ",\"state\":\"";
    appendJsonText(state, out);
    out += sse_ ? "\"}\n\n" : "\"}\n";
  }

  std::int64_t told() const override { return at_; }

  void keepAlive(std::string& out) override { out += sse_ ? ":\n\n" : "\n"; }

  void setStages(std::vector<StageSlice> stages) override {
    stages_ = std::move(stages);
    slice_ = 0;
  }

 private:
  // The stage at at_, or the first after it.
  const StageSlice* slice() {
    while (slice_ < stages_.size() && stages_[slice_].end >= 0 && stages_[slice_].end <= at_) ++slice_;
    return slice_ < stages_.size() ? &stages_[slice_] : nullptr;
  }
  // The next offset after at_ at which a stage begins or ends.
  std::int64_t nextBorder() {
    const StageSlice* const next = slice();
    if (next == nullptr) return kNever;
    if (next->begin > at_) return next->begin;
    return next->end > at_ ? next->end : kNever;
  }

  void record(std::string_view text, bool newline, std::string& out) {
    const StageSlice* const stage = slice();
    const std::int64_t next = at_ + static_cast<std::int64_t>(text.size()) + (newline ? 1 : 0);
    if (sse_) ((out += "id: ") += std::to_string(next)) += "\ndata: ";
    (((out += "{\"offset\":") += std::to_string(at_)) += ",\"next\":") += std::to_string(next);
    if (stage != nullptr && stage->begin <= at_) (out += ",\"stage\":") += std::to_string(stage->stage);
    if (!newline) out += ",\"partial\":true";
    out += ",\"text\":\"";
    appendJsonText(text, out);
    out += sse_ ? "\"}\n\n" : "\"}\n";
    at_ = next;
  }

  bool sse_;
  std::int64_t at_;   // offset of line_
  std::string line_;  // unfinished, less than kMaxRecordBytes
  std::vector<StageSlice> stages_;
  std::size_t slice_ = 0;
};

}  // namespace

std::optional<Format> formatFrom(std::string_view text) {
  for (const auto& [name, format] : {std::pair{std::string_view("plain"), Format::plain},
                                     {std::string_view("ndjson"), Format::ndjson},
                                     {std::string_view("sse"), Format::sse}}) {
    const std::string_view type = contentType(format);
    if (text == name || text.substr(0, text.find(';')) == type.substr(0, type.find(';'))) return format;
  }
  return std::nullopt;
}

std::string_view contentType(Format format) {
  switch (format) {
    case Format::ndjson:
      return "application/x-ndjson";
    case Format::sse:
      return "text/event-stream";
    case Format::plain:
      break;
  }
  return "text/plain; charset=utf-8";
}

std::unique_ptr<Encoder> makeEncoder(Format format, std::int64_t offset, std::vector<StageSlice> stages) {
  if (format == Format::plain) return std::make_unique<PlainEncoder>(offset);
  return std::make_unique<RecordEncoder>(format == Format::sse, offset, std::move(stages));
}

void appendJsonText(std::string_view text, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto ordinary = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && ordinary(text[end])) ++end;
    out.append(text.substr(at, end - at));
    if (end == text.size()) return;
    const Utf8 character = decodeUtf8(text.substr(end));
    at = end + std::max<std::size_t>(character.bytes, 1);
    if (character.bytes == 0) {
      out += "\xef\xbf\xbd";
    } else if (character.bytes > 1) {
      out.append(text.substr(end, character.bytes));
    } else {
      switch (text[end]) {
        case '"':
          out += "\\\"";
          break;
        case '\\':
          out += "\\\\";
          break;
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        case '\t':
          out += "\\t";
          break;
        default:
          ((out += "\\u00") += kDigits[character.point >> 4]) += kDigits[character.point & 15];
      }
    }
  }
}

}  // namespace ocelot::logs
