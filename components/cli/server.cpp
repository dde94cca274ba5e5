#include "components/cli/server.hpp"

#include <Poco/JSON/Parser.h>
#include <poll.h>

#include <chrono>

#include "host/http/json.hpp"

namespace ocelot::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{120000};  // building a commit may first have to fetch it
constexpr int kReconnects = 60;            // a second apart: a restarted server is waited for

http::ClientSettings settingsFor(const Context& context) {
  http::ClientSettings settings;
  settings.url = context.url;
  settings.token = context.token;
  settings.ca_file = context.ca_file;
  settings.max_redirects = 3;
  return settings;
}

[[noreturn]] void refuse(const Context& context, const HttpAnswer& answer) {
  std::string message, hint;
  try {
    const auto body = Poco::JSON::Parser().parse(answer.body).extract<Json>();
    message = body->optValue<std::string>("message", "");
    hint = body->optValue<std::string>("hint", "");
  } catch (const std::exception&) {
    message = "the server at " + context.url + " answered " + std::to_string(answer.status) + " without saying why";
  }
  if (answer.status == 401) {
    message = "the server at " + context.url + " does not know this token";
    if (hint.empty()) hint = "`ocelot login " + context.url + "` with a token from `ocelot token add`";
  }
  throw Failure(message, hint);
}

}  // namespace

Server::Server(Context context) : context_(std::move(context)), client_(settingsFor(context_)) {}

Json Server::ask(const std::string& method, const std::string& path, const std::string& body) {
  HttpRequest request;
  request.method = method;
  request.url = path;
  request.body = body;
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  SimpleCall call(kPatience);
  HttpAnswer answer;
  try {
    answer = client_.send(call, request);
  } catch (const Error& error) {
    throw Failure(error.what(), error.status() == Status::unavailable ? "is Ocelot running there? `ocelot up` starts one here" : "");
  }
  if (answer.status < 200 || answer.status > 299) refuse(context_, answer);
  if (answer.body.empty()) return new Poco::JSON::Object;
  return Poco::JSON::Parser().parse(answer.body).extract<Json>();
}

Json Server::get(const std::string& path) { return ask("GET", path, ""); }
Json Server::post(const std::string& path, const std::string& body) { return ask("POST", path, body); }
Json Server::put(const std::string& path, const std::string& body) { return ask("PUT", path, body); }
void Server::remove(const std::string& path) { ask("DELETE", path, ""); }

void Server::log(const std::string& build_id, std::int64_t& offset, bool follow, const std::string& query,
                 const std::function<bool(std::string_view)>& bytes) {
  for (int broken = 0;;) {
    HttpRequest request;
    request.url = "/v1/builds/" + build_id + "/log?offset=" + std::to_string(offset) + (follow ? "&follow=true" : "") + query;
    SimpleCall call;
    HttpAnswer refused;
    refused.status = 200;
    bool whole = false;
    try {
      whole = client_.stream(
          call, request,
          [&](const HttpAnswer& head) {
            refused = head;
            // The log begins where the server says: with ?tail= that is not what was asked for.
            const std::string at = http::headerOf(head, "Ocelot-Log-Offset");
            if (head.status < 300 && !at.empty()) offset = std::stoll(at);
            return head.status < 300;
          },
          [&](std::string_view part) {
            offset += static_cast<std::int64_t>(part.size());
            broken = 0;
            return bytes(part);
          });
    } catch (const Error& error) {
      if (++broken > kReconnects) throw Failure(error.what());
      ::poll(nullptr, 0, 1000);
      continue;
    }
    // The build left its worker between admin's answer and ours: admin knows where the log is now.
    if ((refused.status == 404 || refused.status == 401) && broken < 5 && refused.body.find("ask admin again") != std::string::npos) {
      ++broken;
      ::poll(nullptr, 0, 200);
      continue;
    }
    if (refused.status >= 300) refuse(context_, refused);
    if (!whole || !follow) return;
    // A worker's log ends with its part of the work; whether the build has ended is admin's to say.
    const Json build = get("/v1/builds/" + build_id);
    const std::string state = str(build, "state");
    if (state != "queued" && state != "running") {
      if (query.find("stage=") != std::string::npos || offset >= num(build, "log_bytes")) return;
    } else {
      ::poll(nullptr, 0, 100);
    }
  }
}

std::string str(const Json& object, const char* key) { return object->optValue<std::string>(key, ""); }
std::int64_t num(const Json& object, const char* key) { return object->optValue<Poco::Int64>(key, 0); }

std::string jsonOf(std::initializer_list<std::pair<const char*, std::string>> members) {
  http::JsonWriter out;
  out.object();
  for (const auto& [key, value] : members) out.field(key, value);
  out.end();
  return out.text();
}

}  // namespace ocelot::cli
