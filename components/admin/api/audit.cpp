#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"
#include "host/daemon/log.hpp"
#include "host/engines/explain.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Refusal;
using http::Request;

constexpr std::size_t kMaxObject = 500;

// What the address names. A body is not looked into: a URL or a value in it may be a secret.
std::string namedBy(const Request& request) {
  std::string out;
  for (const auto& [name, value] : request.params) out += (out.empty() ? "" : " ") + value;
  return out.substr(0, kMaxObject);
}

// A build, a repository or a token, as the answer shows it; "" when it shows none.
std::string shownBy(const Answer& answer) {
  if (answer.body.empty() || answer.status >= 300) return "";
  const auto shown = Poco::JSON::Parser().parse(answer.body).extract<Poco::JSON::Object::Ptr>();
  if (shown->has("number"))
    return (shown->optValue<std::string>("repo", "") + " #" + shown->getValue<std::string>("number"))
        .substr(0, kMaxObject);
  const std::string name = shown->optValue<std::string>("name", "").substr(0, kMaxObject);
  const std::string role = shown->optValue<std::string>("role", "");
  return role.empty() ? name : shown->optValue<std::string>("id", "") + " (" + role + ") " + name;
}

// With which the server will answer.
int statusOf(const std::exception& error) {
  if (const auto* refusal = dynamic_cast<const Refusal*>(&error)) return refusal->status;
  if (const auto explained = engines::explain(error)) return explained->status;
  const auto* known = dynamic_cast<const Error*>(&error);
  return known ? http::statusFor(known->status()) : 500;
}

// The change was made, or not: that is not altered by what the books say about it.
void endQuietly(Api& api, std::int64_t id, const std::string& object, int status) {
  try {
    api.engines.store->endAudit(id, object, status);
  } catch (const std::exception& error) {
    daemon::log(LogLevel::warning, "how a request went is missing in the audit",
                {{"audit", std::to_string(id)}, {"status", std::to_string(status)}, {"why", error.what()}});
  }
}

Answer list(Api& api, const Request& request) {
  onlyParameters(request, {"limit", "before"});
  const std::int64_t limit = request.queryNumber("limit").value_or(100);
  if (limit < 1 || limit > 500) throw Refusal(400, "bad_number", "limit must lie between 1 and 500");
  const auto entries = api.engines.store->audit(request.queryNumber("before").value_or(0), static_cast<int>(limit));
  JsonWriter out;
  out.object().key("audit").array();
  for (const auto& entry : entries) write(out, entry);
  out.end();
  if (static_cast<std::int64_t>(entries.size()) == limit) out.field("next", entries.back().id);
  out.end();
  return http::json(out.text());
}

}  // namespace

http::Handler audited(Api& api, std::string what, Action action) {
  return [&api, what = std::move(what), action](const Request& request) {
    store::AuditEntry entry;
    entry.token_id = request.identity.id;
    entry.actor = request.identity.name;
    entry.peer = request.peer;
    entry.action = what;
    entry.object = namedBy(request);
    const std::int64_t id = api.engines.store->beginAudit(entry);
    try {
      Answer answer = action(api, request);
      const std::string shown = shownBy(answer);
      endQuietly(api, id, shown.empty() ? entry.object : shown, answer.status);
      return answer;
    } catch (const std::exception& error) {
      endQuietly(api, id, entry.object, statusOf(error));
      throw;
    }
  };
}

void addAuditRoutes(http::Routes& routes, Api& api) { routes.get("/v1/audit", http::Role::admin, with(api, list)); }

}  // namespace ocelot::admin
