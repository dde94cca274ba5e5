#pragma once
// JSON as the commands read and print it.

#include <Poco/JSON/Object.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

namespace ocelot::cli {

using Json = Poco::JSON::Object::Ptr;

// Members of an object; "" and 0 where there is none.
std::string str(const Json& object, const char* key);
std::int64_t num(const Json& object, const char* key);
// An object of text members, as JSON text.
std::string jsonOf(std::initializer_list<std::pair<const char*, std::string>> members);
// To standard output, indented.
void printJson(const Json& object);

}  // namespace ocelot::cli
