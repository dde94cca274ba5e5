#pragma once
// The REST API, as the commands ask it. Whatever goes wrong becomes a Failure that says what was asked of whom, what
// came back, and what to do.

#include <Poco/JSON/Object.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "components/cli/context.hpp"
#include "host/http/client.hpp"

namespace ocelot::cli {

using Json = Poco::JSON::Object::Ptr;

class Server {
 public:
  explicit Server(Context context);

  Json get(const std::string& path);
  Json post(const std::string& path, const std::string& body = "{}");
  Json put(const std::string& path, const std::string& body);
  void remove(const std::string& path);

  // Reads a build's log from `offset` on and advances it; with `follow` until the build has ended, over as many
  // connections as it takes. `query`: further parameters, "&stage=test". `bytes` says whether to go on.
  void log(const std::string& build_id, std::int64_t& offset, bool follow, const std::string& query,
           const std::function<bool(std::string_view)>& bytes);

  const Context& context() const { return context_; }

 private:
  Json ask(const std::string& method, const std::string& path, const std::string& body);
  Context context_;
  http::Client client_;
};

std::string str(const Json& object, const char* key);
std::int64_t num(const Json& object, const char* key);
// An object of text members, as JSON text.
std::string jsonOf(std::initializer_list<std::pair<const char*, std::string>> members);

}  // namespace ocelot::cli
