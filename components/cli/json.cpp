#include "components/cli/json.hpp"

#include <iostream>

#include "host/http/json.hpp"

namespace ocelot::cli {

std::string str(const Json& object, const char* key) { return object->optValue<std::string>(key, ""); }
std::int64_t num(const Json& object, const char* key) { return object->optValue<Poco::Int64>(key, 0); }

std::string jsonOf(std::initializer_list<std::pair<const char*, std::string>> members) {
  http::JsonWriter out;
  out.object();
  for (const auto& [key, value] : members) out.field(key, value);
  out.end();
  return out.text();
}

void printJson(const Json& object) {
  object->stringify(std::cout, 2);
  std::cout << "\n";
}

}  // namespace ocelot::cli
