#pragma once
// Writes JSON that is always valid: bytes that are not UTF-8 become U+FFFD, control characters are escaped, numbers are
// whole. (Poco::JSON passes bad UTF-8 through.) Reading is left to Poco::JSON::Parser, inside .cpp files.

#include <cstdint>
#include <string>
#include <string_view>

namespace ocelot::http {

std::string quoted(std::string_view text);

// JsonWriter w; w.object().field("id", id).key("tags").array(); for (…) w.value(tag); w.end().end(); w.text()
class JsonWriter {
 public:
  JsonWriter& object();
  JsonWriter& array();
  JsonWriter& end();  // of the innermost object or array
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(bool flag);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // valid JSON made elsewhere
  template <class T>
  JsonWriter& field(std::string_view name, const T& of) {
    key(name);
    return value(of);
  }
  const std::string& text() const { return text_; }

 private:
  void separate();
  std::string text_;
  std::string open_;  // a stack of '}' and ']'
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace ocelot::http
