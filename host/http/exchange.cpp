#include "host/http/exchange.hpp"

#include <algorithm>

#include "host/http/head.hpp"

namespace ocelot::http {
namespace {

const int kMostRequestsPerConnection = 1000;

const char* codeOf(int status) {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "timeout";
    case 409:
      return "conflict";
    case 413:
      return "too_large";
    case 429:
      return "too_many_requests";
    case 500:
      return "internal";
    case 503:
      return "unavailable";
    default:
      return "bad_request";
  }
}

Answer failureOf(int status, const std::string& message, const std::string& hint = "") {
  return failure(status, codeOf(status), message, hint);
}

// "Bearer TOKEN"; nullopt when it is something else.
std::optional<std::string> bearer(const std::string& header) {
  if (lowerCase(header.substr(0, 7)) != "bearer ") return std::nullopt;
  const std::string token = header.substr(7);
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  if (token.empty() || token.size() > 512 || !std::all_of(token.begin(), token.end(), visible)) return std::nullopt;
  return token;
}

bool hasHeader(const Answer& answer, std::string_view lower_case_name) {
  return std::any_of(answer.headers.begin(), answer.headers.end(),
                     [&](const auto& header) { return lowerCase(header.first) == lower_case_name; });
}

bool hasBody(int status) { return status != 204 && status != 304; }

// What bodies on their way may take together.
const std::int64_t kMostHeldBytes = 64 << 20;

std::chrono::seconds timeFor(std::size_t bytes) { return std::chrono::seconds(bytes >> 16); }

}  // namespace

int statusFor(Status status) {
  switch (status) {
    case Status::invalid:
      return 400;
    case Status::unauthenticated:
      return 401;
    case Status::not_found:
      return 404;
    case Status::unsupported:
      return 501;
    case Status::unavailable:
    case Status::cancelled:
      return 503;
    default:
      return 500;
  }
}

Exchange::Refused Exchange::tooLarge(const Route& route) {
  return {failureOf(413, "the body is longer than " + std::to_string(route.max_body_bytes) + " bytes")};
}

Exchange::Exchange(const ServerSettings& settings, const Routes& routes, Authenticator authenticator, ServerHooks hooks,
                   const std::atomic<bool>& draining, int drain_fd)
    : settings_(settings),
      matcher_(routes.all()),
      authenticator_(std::move(authenticator)),
      hooks_(std::move(hooks)),
      draining_(draining),
      drain_fd_(drain_fd),
      limiter_(settings.failures_per_minute) {}

void Exchange::log(LogLevel level, const std::string& text) const {
  if (hooks_.log) hooks_.log(level, text);
}

void Exchange::tell(const Request& request, const Route* route, int status, Clock::time_point began) {
  ++requests_;
  if (!hooks_.served) return;
  hooks_.served({request.method, route ? route->pattern : "", request.peer, request.identity.name, status,
                 std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began)});
}

// Understands the head at the front of connection.in, or refuses it.
void Exchange::begin(Connection& connection) {
  connection.pending = std::make_unique<Pending>();
  Pending& pending = *connection.pending;
  Request& request = pending.request;
  pending.began = Clock::now();
  request.peer = connection.peer;
  request.tls = connection.tls;
  try {
    const std::size_t end = headEnd(connection.in);
    RequestHead head = parseRequestHead(std::string_view(connection.in).substr(0, end));
    connection.in.erase(0, end);
    pending.head_only = head.method == "HEAD";
    pending.version_11 = head.version_11;
    pending.close = head.close;
    pending.chunked = head.chunked;
    pending.length = static_cast<std::size_t>(head.length);
    pending.body_done = !head.chunked && head.length == 0;
    request.method = pending.head_only ? "GET" : head.method;
    const auto mark = std::min(head.target.find('?'), head.target.size());
    request.path = head.target.substr(0, mark);
    if (mark < head.target.size()) request.query = parseQuery(std::string_view(head.target).substr(mark + 1));
    request.headers = std::move(head.headers);

    Match found = matcher_.find(request.method, request.path);
    if (!found.route && found.allowed.empty()) throw Refused{failureOf(404, "there is nothing at this path")};
    if (!found.route) {
      Refused refused{failureOf(405, request.method + " is not possible here", "allowed: " + found.allowed)};
      refused.answer.headers.emplace_back("Allow", found.allowed);
      throw refused;
    }
    pending.route = found.route;
    request.params = std::move(found.params);
    // Before the body: who may not ask cannot make us read either.
    authenticate(request, *pending.route, pending.token);
    if (head.length > pending.route->max_body_bytes) throw tooLarge(*pending.route);
    if (head.expects_continue && !pending.body_done && connection.in.empty()) {
      writeAll(*connection.channel, "HTTP/1.1 100 Continue\r\n\r\n", settings_.send_timeout);
    }
  } catch (const BadMessage& bad) {
    pending.refused = failureOf(bad.status, bad.what);
  } catch (Refused& refused) {
    pending.refused = std::move(refused.answer);
  }
}

// Moves what has come of the body from connection.in into the request.
void Exchange::takeBody(Connection& connection) {
  Pending& pending = *connection.pending;
  std::string& body = pending.request.body;
  const auto before = body.size();
  try {
    if (pending.chunked) {
      const auto most = static_cast<std::size_t>(pending.route->max_body_bytes);
      pending.decoder.feed(connection.in, body, most);
      if (body.size() > most) throw tooLarge(*pending.route);
      pending.body_done = pending.decoder.done();
    } else {
      const std::size_t part = std::min(connection.in.size(), pending.length - body.size());
      body.append(connection.in, 0, part);
      connection.in.erase(0, part);
      pending.body_done = body.size() == pending.length;
    }
    if (!pending.held.grow(static_cast<std::int64_t>(body.size() - before), kMostHeldBytes)) {
      throw Refused{failureOf(503, "too many large bodies are on their way", "try again later")};
    }
  } catch (const BadMessage& bad) {
    pending.refused = failureOf(bad.status, bad.what);
  } catch (Refused& refused) {
    pending.refused = std::move(refused.answer);
  }
}

bool Exchange::ready(Connection& connection) {
  if (!connection.pending) {
    try {
      return headEnd(connection.in) > 0;
    } catch (const BadMessage&) {
      return true;  // begin() finds out the same
    }
  }
  Pending& pending = *connection.pending;
  if (!pending.refused && !pending.body_done) takeBody(connection);
  return pending.refused || pending.body_done;
}

Clock::time_point Exchange::patience(const Connection& connection) const {
  if (connection.pending) {
    return connection.pending->began + settings_.body_timeout + timeFor(connection.pending->request.body.size());
  }
  return Clock::now() + (connection.in.empty() ? settings_.keep_alive_timeout : settings_.head_timeout);
}

Exchange::Done Exchange::serve(Connection& connection) {
  if (!connection.pending) {
    begin(connection);
    connection.pending->held.count(held_);
    if (!ready(connection)) return {Next::more, nullptr};
  }
  const std::unique_ptr<Pending> pending = std::move(connection.pending);
  Answer answer = pending->refused ? std::move(*pending->refused) : handle(pending->request, *pending->route);
  // A body that was not read would be taken for the next request.
  const bool keep =
      pending->body_done && !pending->close && !draining_ && ++connection.served < kMostRequestsPerConnection;
  if (answer.stream && !pending->head_only) {
    auto job = std::make_shared<StreamJob>();
    job->request = std::move(pending->request);
    job->answer = std::move(answer);
    job->token = std::move(pending->token);
    job->route = pending->route;
    job->version_11 = pending->version_11;
    job->began = pending->began;
    return {Next::stream, std::move(job)};
  }
  // First, so that who has the answer finds the request counted.
  tell(pending->request, pending->route, answer.status, pending->began);
  const bool sent = send(connection, answer, pending->head_only, keep);
  if (!sent) return {Next::close, nullptr};
  return {keep ? Next::keep : Next::linger, nullptr};
}

void Exchange::authenticate(Request& request, const Route& route, std::string& token) {
  if (route.role == Role::none) return;
  const auto refuse = [&](int status, const std::string& message, const std::string& hint) {
    Refused refused{failureOf(status, message, hint)};
    if (status == 401) refused.answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"ocelot\"");
    if (status == 429) refused.answer.headers.emplace_back("Retry-After", "60");
    throw refused;
  };
  const auto count = std::count_if(request.headers.begin(), request.headers.end(),
                                   [](const auto& header) { return header.first == "authorization"; });
  if (count == 0 || !authenticator_) {
    refuse(401, "a token is needed", "send \"Authorization: Bearer TOKEN\"; ocelot login keeps one");
  }
  if (count > 1) refuse(400, "there is more than one Authorization", "");
  std::optional<Identity> identity;
  if (const auto given = bearer(request.header("authorization"))) {
    token = *given;
    try {
      identity = authenticator_(request, token);
    } catch (const std::exception& error) {
      throw Refused{explain(error, request)};
    }
  }
  // A right token always passes, so that nobody can lock others out of a shared address.
  if (!identity) {
    if (!limiter_.fail(request.peer)) {
      refuse(429, "too many wrong tokens from this address", "wait a minute");
    }
    refuse(401, "this token is not known, or has expired or been revoked", "ocelot login URL takes a new one");
  }
  if (identity->role < route.role) {
    refuse(403,
           "the token \"" + identity->name + "\" has role " + std::string(toString(identity->role)) + "; this needs " +
               std::string(toString(route.role)),
           "ask an administrator for a token with more rights");
  }
  request.identity = std::move(*identity);
}

Answer Exchange::handle(const Request& request, const Route& route) {
  try {
    return route.handler(request);
  } catch (const std::exception& error) {
    return explain(error, request);
  }
}

Answer Exchange::explain(const std::exception& error, const Request& request) const {
  if (const auto* refusal = dynamic_cast<const Refusal*>(&error)) {
    Answer answer = failure(refusal->status, refusal->error, refusal->what(), refusal->hint);
    if (refusal->retry_after_s >= 0) {
      answer.headers.emplace_back("Retry-After", std::to_string(refusal->retry_after_s));
    }
    return answer;
  }
  if (hooks_.explain) {
    if (auto answer = hooks_.explain(error)) return std::move(*answer);
  }
  const auto* known = dynamic_cast<const Error*>(&error);
  const int status = known ? statusFor(known->status()) : 500;
  if (status == 500) {
    // Its text may hold what is nobody's business.
    log(LogLevel::error, request.method + " " + request.path + ": " + error.what());
    return failureOf(500, "an internal error; the daemon's log says more");
  }
  Answer answer = failureOf(status, error.what());
  if (status == 503) answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

std::string Exchange::headOf(const Answer& answer, bool keep, std::string_view framing) const {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + reasonOf(answer.status) + "\r\n";
  head += "Server: " + headerSafe(settings_.name) + "\r\n";
  if (hasBody(answer.status) && !answer.content_type.empty()) {
    head += "Content-Type: " + headerSafe(answer.content_type) + "\r\n";
  }
  for (const auto& [name, value] : answer.headers) head += headerSafe(name) + ": " + headerSafe(value) + "\r\n";
  head += "X-Content-Type-Options: nosniff\r\n";
  if (!hasHeader(answer, "cache-control")) head += "Cache-Control: no-store\r\n";
  if (!hasHeader(answer, "content-security-policy")) {
    head += "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n";
  }
  if (!hasHeader(answer, "referrer-policy")) head += "Referrer-Policy: no-referrer\r\n";
  if (!keep) head += "Connection: close\r\n";
  return head.append(framing) + "\r\n";
}

bool Exchange::send(Connection& connection, const Answer& answer, bool head_only, bool keep) {
  std::string framing;
  if (answer.stream) {
    framing = "Transfer-Encoding: chunked\r\n";
  } else if (hasBody(answer.status)) {
    framing = "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  }
  std::string bytes = headOf(answer, keep, framing);
  // In one write with the head, else a small answer waits 40 ms for the other side's delayed acknowledgement.
  const bool with_body = hasBody(answer.status) && !head_only && !answer.stream;
  const bool together = with_body && answer.body.size() <= 65536;
  if (together) bytes += answer.body;
  const auto until = Clock::now() + settings_.send_timeout + timeFor(answer.body.size());
  if (writeAll(*connection.channel, bytes, settings_.send_timeout, until) != Ended::no) return false;
  return !with_body || together ||
         writeAll(*connection.channel, answer.body, settings_.send_timeout, until) == Ended::no;
}

void Exchange::refuseStream(Connection& connection, const StreamJob& job) {
  Answer answer = failureOf(503, "too many streams are open", "try again later, or without follow");
  answer.headers.emplace_back("Retry-After", "5");
  send(connection, answer, false, false);
  tell(job.request, job.route, 503, job.began);
}

}  // namespace ocelot::http
