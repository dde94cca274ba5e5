#include "json.hpp"

#include <Poco/JSON/Parser.h>

#include <sstream>

namespace ocelot::docker {
namespace {

template <typename T>
T extracted(const Poco::Dynamic::Var& value) {
  try {
    return value.type() == typeid(T) ? value.extract<T>() : T();
  } catch (const std::exception&) {
    return T();
  }
}

Poco::Dynamic::Var parsed(const std::string& text) {
  try {
    return Poco::JSON::Parser().parse(text);
  } catch (const std::exception&) {
    return {};
  }
}

Poco::Dynamic::Var member(const Object& object, const char* key) {
  return object.isNull() ? Poco::Dynamic::Var() : object->get(key);
}

// Length of the UTF-8 sequence at `at`; 0 when it is none.
std::size_t sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                                                             : 0;
  const std::size_t size = first >= 0xf0 && first < 0xf5 ? 4 : length;
  if (size == 0 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

Object parseObject(const std::string& text) { return extracted<Object>(parsed(text)); }
Array parseArray(const std::string& text) { return extracted<Array>(parsed(text)); }

std::string textOf(const Object& object, const char* key) { return extracted<std::string>(member(object, key)); }

std::optional<std::int64_t> numberOf(const Object& object, const char* key) {
  const auto value = member(object, key);
  if (!value.isInteger() || value.isBoolean()) return std::nullopt;
  try {
    return value.convert<Poco::Int64>();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool flagOf(const Object& object, const char* key) { return extracted<bool>(member(object, key)); }
Object objectOf(const Object& object, const char* key) { return extracted<Object>(member(object, key)); }
Array arrayOf(const Object& object, const char* key) { return extracted<Array>(member(object, key)); }

std::string textAt(const Array& array, std::size_t index) {
  return extracted<std::string>(array->get(static_cast<unsigned>(index)));
}
Object objectAt(const Array& array, std::size_t index) {
  return extracted<Object>(array->get(static_cast<unsigned>(index)));
}

std::string toText(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

std::string printable(std::string_view text, std::size_t most) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (out.size() >= most) return out + "…";
    const std::size_t size = sequence(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters too: to some terminals as good as an escape.
    const bool control =
        byte < 0x20 || byte == 0x7f || (size == 2 && byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0);
    if (size == 0 || control) {
      out += byte == '\n' || byte == '\t' ? ' ' : '?';
    } else {
      out.append(text.substr(i, size));
    }
    i += size == 0 ? 1 : size;
  }
  return out;
}

}  // namespace ocelot::docker
