#include "webhook.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "body.hpp"

namespace ocelot::webhook {

namespace {

// What the host or this plugin sets itself.
constexpr std::array<std::string_view, 8> kReserved{
    "host",       "content-length", "content-type",      "transfer-encoding",
    "connection", "x-ocelot-event", "x-ocelot-delivery", "x-ocelot-signature-256"};

std::pair<std::string, std::string> headerFrom(const std::string& line) {
  const std::size_t colon = line.find(':');
  std::string name = line.substr(0, colon);
  const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
  // The line itself is not shown: it may carry a token.
  if (colon == std::string::npos || !token) throw Error(Status::invalid, "headers: each is written \"Name: value\"");
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end()) {
    throw Error(Status::invalid, "headers: " + name + " is set by Ocelot itself");
  }
  std::string value = line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
  const bool control =
      std::any_of(value.begin(), value.end(), [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; });
  if (control) throw Error(Status::invalid, "headers: the value of " + name + " holds a control character");
  return {std::move(name), std::move(value)};
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    (out += kDigits[byte >> 4]) += kDigits[byte & 15];
  }
  return out;
}

// The URL without what may be a secret: its query.
std::string shownUrl(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

std::string firstWords(const std::string& body) {
  std::string out;
  for (const char c : body.substr(0, body.find('\n')).substr(0, 200)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

}  // namespace

Webhook::Webhook(const Settings& settings)
    : host_(settings.host()), url_(settings.text("url")), secret_(settings.text("secret")) {
  if (url_.compare(0, 7, "http://") != 0 && url_.compare(0, 8, "https://") != 0) {
    throw Error(Status::invalid, "url: it must begin with https:// or http://");
  }
  const std::size_t authority = url_.find("://") + 3;
  if (url_.substr(authority, url_.find_first_of("/?#", authority) - authority).find('@') != std::string::npos) {
    throw Error(Status::invalid,
                "url: credentials do not belong into a URL; use the option headers (\"Authorization: …\")");
  }
  for (const std::string& line : settings.list("headers")) headers_.push_back(headerFrom(line));
}

void Webhook::tell(Call& call, const BuildNotice& notice, const std::string& target) {
  HttpRequest request;
  request.method = "POST";
  request.url = url_;
  request.body = bodyFor(notice, target);
  request.headers = headers_;
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("x-ocelot-event", "build_ended");
  // Told twice, it has the same id.
  request.headers.emplace_back("x-ocelot-delivery", notice.id);
  if (!secret_.empty()) {
    request.headers.emplace_back("x-ocelot-signature-256",
                                 "sha256=" + hex(host_.crypto().hmacSha256(secret_, request.body)));
  }
  const auto named = [&](const std::vector<std::pair<std::string, std::string>>& headers, const char* name) {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
      return std::equal(header.first.begin(), header.first.end(), name, name + std::char_traits<char>::length(name),
                        [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
    });
  };
  if (!named(headers_, "user-agent")) request.headers.emplace_back("User-Agent", "ocelot-webhook/" OCELOT_VERSION);
  request.max_answer_bytes = 64u << 10;
  const HttpAnswer answer = host_.http().send(call, request);
  if (answer.status >= 200 && answer.status < 300) return;
  std::string what =
      "post build " + std::to_string(notice.number) + " to " + shownUrl(url_) + ": " + std::to_string(answer.status);
  if (const std::string words = firstWords(answer.body); !words.empty()) what += " " + words;
  if (answer.status == 408 || answer.status == 425 || answer.status == 429 || answer.status >= 500) {
    if (answer.retry_after_ms >= 0)
      what += "; it asks to be tried again in " + std::to_string((answer.retry_after_ms + 999) / 1000) + " s";
    throw Error(Status::unavailable, what);
  }
  if (answer.status >= 300 && answer.status < 400)
    what += "; redirects are not followed: configure the URL that it leads to";
  throw Error(Status::invalid, what);
}

}  // namespace ocelot::webhook
