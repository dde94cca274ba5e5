#pragma once
// Reading answers that may be anything: a missing key or another type than expected is an empty value, never an
// exception. Only a text that is not JSON at all is an error.

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocelot::docker {

using Object = Poco::JSON::Object::Ptr;
using Array = Poco::JSON::Array::Ptr;

// Null when the text is not a JSON object, or not an array.
Object parseObject(const std::string& text);
Array parseArray(const std::string& text);

std::string textOf(const Object& object, const char* key);
std::optional<std::int64_t> numberOf(const Object& object, const char* key);
bool flagOf(const Object& object, const char* key);
Object objectOf(const Object& object, const char* key);  // null when it has none
Array arrayOf(const Object& object, const char* key);
std::string textAt(const Array& array, std::size_t index);
Object objectAt(const Array& array, std::size_t index);

std::string toText(const Poco::JSON::Object& object);

// For people: control characters and bytes that are not UTF-8 replaced, cut at `most` bytes.
std::string printable(std::string_view text, std::size_t most = 600);

}  // namespace ocelot::docker
