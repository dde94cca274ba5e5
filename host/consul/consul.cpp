#include "host/consul/consul.hpp"

#include <charconv>

namespace ocelot::consul {
namespace {

// A value holds 512 KiB at most; a list of a thousand workers is shorter than this.
constexpr std::uint64_t kLongestAnswer = 8u << 20;
constexpr std::size_t kLongestError = 300;

http::ClientSettings clientSettings(const ConsulSettings& settings) {
  http::ClientSettings client;
  client.url = settings.url;
  client.ca_file = settings.ca_file;
  client.connect_timeout = std::min(client.connect_timeout, settings.timeout);
  // A blocking query is silent while nothing changes, and its call bounds it.
  client.silence_timeout = std::chrono::hours(1);
  return client;
}

std::string oneLine(std::string text) {
  text.resize(std::min(text.size(), kLongestError));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// Ends at the deadline, or when the caller's own call ends.
class WaitingCall final : public Call {
 public:
  WaitingCall(Call* outer, std::chrono::milliseconds at_most) : outer_(outer), deadline_(Clock::now() + at_most) {}
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override { return outer_ && outer_->cancelled(); }
  int cancelFd() const override { return outer_ ? outer_->cancelFd() : -1; }
  void log(LogLevel level, std::string_view text) override {
    if (outer_) outer_->log(level, text);
  }

 private:
  Call* const outer_;
  const Clock::time_point deadline_;
};

std::uint64_t indexOf(const HttpAnswer& answer) {
  const std::string text = http::headerOf(answer, "x-consul-index");
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc() && end == text.data() + text.size() ? index : 0;
}

}  // namespace

Consul::Consul(ConsulSettings settings) : settings_(std::move(settings)), client_(clientSettings(settings_)) {}

void Consul::fail(const Request& request, const std::string& came_back) const {
  throw Unavailable(request.method + " " + request.path + ": Consul at " + settings_.url + ": " + came_back);
}

Reply Consul::send(const Request& request) {
  HttpRequest out;
  out.method = request.method;
  out.url = "/v1/" + request.path;
  std::string query = request.query;
  if (!settings_.datacenter.empty()) query += (query.empty() ? "dc=" : "&dc=") + http::encode(settings_.datacenter);
  if (!query.empty()) out.url += "?" + query;
  out.body = request.body;
  out.max_answer_bytes = kLongestAnswer;
  if (!settings_.token.empty()) out.headers.emplace_back("X-Consul-Token", settings_.token);
  if (!out.body.empty()) out.headers.emplace_back("Content-Type", "application/json");

  HttpAnswer answer;
  try {
    // Consul spreads the ends of waits over a sixteenth of their time.
    WaitingCall call(request.call, settings_.timeout + request.wait + request.wait / 16);
    answer = client_.send(call, out);
  } catch (const Error& error) {
    if (request.call && request.call->cancelled()) throw;
    throw Unavailable(std::string("ask Consul: ") + error.what());
  }
  const bool good = answer.status == 200 || answer.status == 404;
  if (answer.status == 403)
    throw Refused(request.method + " " + request.path + ": Consul at " + settings_.url + ": 403 " +
                  oneLine(answer.body) + "; the ACL token of consul.token does not allow this");
  if (answer.status >= 300 && answer.status < 400)
    fail(request, std::to_string(answer.status) + ", a redirect, which is not followed; is consul.url right?");
  if (!good) fail(request, std::to_string(answer.status) + " " + oneLine(answer.body));
  return {answer.status, std::move(answer.body), indexOf(answer)};
}

http::JsonView Consul::json(const Request& request) {
  const Reply reply = send(request);
  const auto view = http::JsonView::parse(reply.body);
  if (reply.status != 200 || !view || (!view->isObject() && !view->isArray()))
    fail(request, "the answer is not the JSON of a Consul; is consul.url right?");
  return *view;
}

std::string Consul::whyAway() {
  try {
    const Reply leader = send({"GET", "status/leader", "", "", std::chrono::milliseconds(0), nullptr});
    if (leader.status != 200 || leader.body.find(':') == std::string::npos)
      return "Consul at " + settings_.url + " has no leader";
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace ocelot::consul
