#pragma once
// The API's values as JSON, in the shapes of openapi.yaml.

#include <string>

#include "host/http/json.hpp"
#include "host/http/message.hpp"
#include "host/store/store.hpp"

namespace ocelot::admin {

void write(http::JsonWriter& out, const model::Build& build, bool with_stages, const std::string& waiting = "");
std::string hookPath(const model::Repo& repo);
// `hook_url`: where its signed hooks go; "" : unknown here.
void write(http::JsonWriter& out, const model::Repo& repo, const std::string& hook_url);

struct WorkerShown {
  store::WorkerRow worker;
  bool online = false;
  std::string version_is;  // beside this program's: same | older | newer | other; "" : not online
  std::optional<store::Drain> drain;
  std::vector<model::Build> builds;  // that it runs
};
void write(http::JsonWriter& out, const WorkerShown& shown);

void write(http::JsonWriter& out, const store::Token& token);
void write(http::JsonWriter& out, const store::AuditEntry& entry);

// A request's JSON object. Every member throws http::Refusal(400) naming the key and what is wrong with it.
class Body {
 public:
  // `known`: keys that may be there; any other is refused, with a "did you mean".
  Body(const http::Request& request, const std::vector<std::string>& known);
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  bool has(const std::string& key) const;
  std::string text(const std::string& key, std::size_t max_bytes = 1024) const;  // "" when absent
  std::string required(const std::string& key, std::size_t max_bytes = 1024) const;
  std::int64_t number(const std::string& key, std::int64_t least, std::int64_t most, std::int64_t fallback) const;
  bool flag(const std::string& key) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace ocelot::admin
