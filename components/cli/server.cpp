#include "components/cli/server.hpp"

#include <Poco/JSON/Parser.h>
#include <poll.h>

#include <chrono>

namespace ocelot::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{120000};  // building a commit may first have to fetch it
constexpr int kPatientTries = 60;          // a second apart

http::ClientSettings settingsFor(const Context& context) {
  http::ClientSettings settings;
  settings.url = context.url;
  settings.token = context.token;
  settings.ca_file = context.ca_file;
  settings.max_redirects = 3;
  return settings;
}

std::string hintFor(const std::string& why) {
  if (why.find("certificate") != std::string::npos)
    return "`ocelot login --ca FILE` takes the authority that signed it (OCELOT_CA_FILE)";
  if (why.find("speaks no TLS") != std::string::npos) return "its URL begins with http://, if that is meant";
  return "is Ocelot running there? `ocelot up` starts one here";
}

}  // namespace

void refuse(const Context& context, const HttpAnswer& answer) {
  std::string message, hint;
  try {
    const auto body = Poco::JSON::Parser().parse(answer.body).extract<Json>();
    message = body->optValue<std::string>("message", "");
    hint = body->optValue<std::string>("hint", "");
  } catch (const std::exception&) {
    message = "the server at " + context.url + " answered " + std::to_string(answer.status) + " without saying why";
  }
  if (answer.status == 401 && context.token.empty()) {
    message = "no token was given for " + context.url;
    hint = "set OCELOT_TOKEN, or `ocelot login " + context.url + "`";
  } else if (answer.status == 401) {
    message = "the server at " + context.url + " does not know this token";
    if (hint.empty()) hint = "`ocelot login " + context.url + "` with a token from `ocelot token add`";
  }
  throw Failure(message, hint);
}

Server::Server(Context context) : context_(std::move(context)), client_(settingsFor(context_)) {}

// `taken_too`: a status that is an answer, and no failure.
Json Server::ask(const std::string& method, const std::string& path, const std::string& body, int taken_too) {
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
    if (error.status() == Status::unavailable) throw Away(error.what(), hintFor(error.what()));
    throw Failure(error.what());
  }
  if ((answer.status < 200 || answer.status > 299) && answer.status != taken_too) refuse(context_, answer);
  if (answer.body.empty()) return new Poco::JSON::Object;
  try {
    return Poco::JSON::Parser().parse(answer.body).extract<Json>();
  } catch (const std::exception&) {
    throw Failure(method + " " + context_.url + path.substr(0, path.find('?')) + ": what came back is no JSON object",
                  "is that an Ocelot server?");
  }
}

Json Server::getPatiently(const std::string& path) {
  for (int tries = 1;; ++tries) {
    try {
      return get(path);
    } catch (const Away&) {
      if (tries == kPatientTries) throw;
    }
    ::poll(nullptr, 0, 1000);
  }
}

Json Server::get(const std::string& path) { return ask("GET", path, ""); }
Json Server::readiness() { return ask("GET", "/readyz", "", 503); }
Json Server::post(const std::string& path, const std::string& body) { return ask("POST", path, body); }
Json Server::put(const std::string& path, const std::string& body) { return ask("PUT", path, body); }
void Server::remove(const std::string& path) { ask("DELETE", path, ""); }

}  // namespace ocelot::cli
