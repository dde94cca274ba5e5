#include "body.hpp"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace ocelot::webhook {

namespace {

// Length of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t characterAt(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >> 4 == 14              ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool no_character = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || no_character ? 0 : length;
}

// Writes one JSON object or array after the other; commas come by themselves.
class Json {
 public:
  Json& open(const char* key, char bracket) {
    name(key);
    text_ += bracket;
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  Json& text(const char* key, std::string_view value) {
    name(key);
    quote(value);
    return *this;
  }
  Json& number(const char* key, std::int64_t value) {
    name(key);
    text_ += std::to_string(value);
    return *this;
  }
  // RFC 3339 in UTC; null for what has not happened.
  Json& time(const char* key, std::int64_t micros) {
    name(key);
    if (micros <= 0) {
      text_ += "null";
      return *this;
    }
    const std::time_t seconds = micros / 1000000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char day[32], fraction[8];
    std::strftime(day, sizeof day, "\"%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(micros / 1000 % 1000));
    ((text_ += day) += fraction) += "Z\"";
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  void name(const char* key) {
    if (!first_) text_ += ',';
    first_ = false;
    if (key == nullptr) return;
    quote(key);
    text_ += ':';
  }
  void quote(std::string_view value) {
    static constexpr char kDigits[] = "0123456789abcdef";
    text_ += '"';
    while (!value.empty()) {
      const std::size_t length = characterAt(value);
      const auto byte = static_cast<unsigned char>(value[0]);
      if (length == 0) {
        text_ += "\xef\xbf\xbd";  // U+FFFD
      } else if (byte == '"' || byte == '\\') {
        (text_ += '\\') += value[0];
      } else if (byte < 0x20 || byte == 0x7f) {
        ((text_ += "\\u00") += kDigits[byte >> 4]) += kDigits[byte & 15];
      } else {
        text_.append(value.substr(0, length));
      }
      value.remove_prefix(length == 0 ? 1 : length);
    }
    text_ += '"';
  }

  std::string text_;
  bool first_ = true;
};

}  // namespace

std::string bodyFor(const BuildNotice& notice, const std::string& target) {
  Json json;
  json.open(nullptr, '{').text("event", "build_ended").text("target", target).open("build", '{');
  json.text("id", notice.id).number("number", notice.number).text("repo", notice.repo).text("branch", notice.branch);
  json.text("commit", notice.commit).text("author", notice.author).text("message", notice.message);
  json.text("state", notice.state).text("reason", notice.reason).text("sentence", notice.sentence);
  json.text("previous_state", notice.previous_state).text("url", notice.url);
  json.time("queued_at", notice.queued_at_us)
      .time("started_at", notice.started_at_us)
      .time("finished_at", notice.finished_at_us);
  json.open("stages", '[');
  for (const StageNotice& stage : notice.stages) {
    json.open(nullptr, '{').text("name", stage.name).text("state", stage.state);
    json.number("exit_code", stage.exit_code).number("duration_ms", stage.duration_ms).close('}');
  }
  return json.close(']').close('}').close('}').take();
}

}  // namespace ocelot::webhook
