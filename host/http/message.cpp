#include "host/http/message.hpp"

#include "host/http/head.hpp"
#include "host/http/json.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::http {

std::string_view toString(Role role) {
  switch (role) {
    case Role::viewer:
      return "viewer";
    case Role::operate:
      return "operator";
    case Role::admin:
      return "admin";
    case Role::none:
      break;
  }
  return "none";
}

std::optional<Role> roleFrom(std::string_view text) {
  for (const Role role : {Role::none, Role::viewer, Role::operate, Role::admin}) {
    if (toString(role) == text) return role;
  }
  return std::nullopt;
}

std::string Request::header(std::string_view lower_case_name) const { return valueOf(headers, lower_case_name); }

std::string Request::param(const std::string& name) const {
  const auto found = params.find(name);
  return found == params.end() ? "" : found->second;
}

std::string Request::queryText(std::string_view name, std::string_view fallback) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::string(fallback);
}

std::optional<std::int64_t> Request::queryNumber(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key != name) continue;
    if (const auto number = parseNumber(value)) return number;
    throw Refusal(400, "bad_request", std::string(name) + " must be a whole number, not \"" + value + "\"");
  }
  return std::nullopt;
}

bool Request::queryFlag(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value.empty() || value == "true" || value == "1";
  }
  return false;
}

bool isLoopback(std::string_view peer) {
  return peer == "unix" || peer == "::1" || peer.substr(0, 4) == "127." || peer.substr(0, 11) == "::ffff:127.";
}

bool Request::fromLoopback() const {
  // A proxy on this machine speaks for anybody.
  for (const char* mark : {"forwarded", "x-forwarded-for", "x-real-ip", "via"}) {
    if (!header(mark).empty()) return false;
  }
  return isLoopback(peer);
}

Answer json(std::string body, int status) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

Answer text(std::string body, int status) {
  Answer answer = json(std::move(body), status);
  answer.content_type = "text/plain; charset=utf-8";
  return answer;
}

Answer nothing() { return json("", 204); }

Answer failure(int status, std::string_view error, std::string_view message, std::string_view hint) {
  JsonWriter writer;
  writer.object().field("error", error).field("message", message).field("hint", hint).end();
  return json(writer.text() + "\n", status);
}

Answer redirect(std::string location, int status) {
  Answer answer = text("", status);
  answer.headers.emplace_back("Location", std::move(location));
  return answer;
}

}  // namespace ocelot::http
