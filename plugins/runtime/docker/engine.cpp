#include "engine.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <cstring>
#include <istream>
#include <ostream>

#include "json.hpp"
#include "wire.hpp"

namespace ocelot::docker {
namespace {

constexpr int kOldestMinor = 40;
constexpr int kNewestMinor = 47;
constexpr std::size_t kMostLine = 1u << 20;

std::string seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

// What a broken connection means to the one who asked.
Error broken(const WireState& state, const std::string& doing, const std::string& socket) {
  const std::string what = "docker: " + doing + ", on unix://" + socket + ": ";
  switch (state.broken) {
    case Broken::cancelled:
      return Error(Status::cancelled, "cancelled while " + doing);
    case Broken::deadline:
      return Error(Status::cancelled, "deadline passed while " + doing);
    case Broken::limit:
      return Error(Status::unavailable, what + "no answer within " + seconds(state.patience.total) +
                                            "; the engine hangs or is overloaded: see its log, or restart it");
    case Broken::idle:
      return Error(Status::unavailable, what + "nothing came for " + seconds(state.patience.idle) +
                                            "; the engine or what it waits for hangs: see the engine's log");
    case Broken::missing:
      return Error(Status::unavailable,
                   what + "there is no such socket; start the engine, or set the plugin's option socket");
    case Broken::refused:
      return Error(Status::unavailable, what + "connection refused: nobody listens there; start the engine");
    case Broken::forbidden:
      return Error(Status::unavailable,
                   what + "permission denied; add the user who runs this to the group docker, and log in anew");
    case Broken::failed:
      return Error(Status::unavailable, what + std::strerror(state.error));
    default:
      return Error(Status::unavailable,
                   what + "the engine closed the connection before its answer was whole; it crashed or restarts");
  }
}

// Reads up to `most` bytes, or hands lines over.
void readBody(std::istream& in, const Question& question, bool wantsLines, Answer& answer) {
  char buffer[16384];
  std::string line;
  while (in.good()) {
    // Whatever has come, at once: a pull's progress is told line by line.
    in.peek();
    const std::streamsize size = in.readsome(buffer, sizeof buffer);
    if (size <= 0) break;
    const std::string_view piece(buffer, static_cast<std::size_t>(size));
    if (!wantsLines) {
      if (answer.body.size() + piece.size() > question.most) {
        throw Error(Status::invalid, "docker: " + question.doing + ": the engine's answer is longer than " +
                                         std::to_string(question.most >> 10) + " KiB");
      }
      answer.body.append(piece);
      continue;
    }
    for (const char c : piece) {
      if (c != '\n') {
        line += c;
      } else if (!line.empty()) {
        question.lines(line);
        line.clear();
      }
      if (line.size() > kMostLine) {
        throw Error(Status::invalid, "docker: " + question.doing + ": the engine sent a line longer than 1 MiB");
      }
    }
  }
  if (!line.empty()) question.lines(line);
}

int minorOf(const std::string& version) {
  if (version.rfind("1.", 0) != 0 || version.size() > 5) return -1;
  int minor = 0;
  for (const char c : version.substr(2)) {
    if (c < '0' || c > '9') return -1;
    minor = minor * 10 + (c - '0');
  }
  return minor;
}

}  // namespace

std::string Answer::message() const {
  const std::string said = textOf(parseObject(body), "message");
  return printable(said.empty() ? body : said);
}

Engine::Engine(std::string_view socket, std::chrono::milliseconds timeout) : timeout_(timeout) {
  const std::string given(socket);
  path_ = given.rfind("unix://", 0) == 0 ? given.substr(7) : given;
  if (path_.empty() || path_.front() != '/' || path_.find('\0') != std::string::npos) {
    throw Error(Status::invalid, "socket: \"" + printable(given) +
                                     "\" is not an absolute path or unix:///path; an engine on another machine is not "
                                     "supported: run a worker there");
  }
  if (path_.size() > 107) throw Error(Status::invalid, "socket: " + path_ + " is longer than 107 bytes");
  if (timeout_.count() <= 0) throw Error(Status::invalid, "timeout: must be more than 0");
}

Answer Engine::ask(Call& call, const Question& question) {
  if (!question.versioned) return exchange(call, question, "");
  if (minor_ == 0) negotiate(call);
  Answer answer = exchange(call, question, "/v1." + std::to_string(minor_));
  // The engine was exchanged for one that speaks other versions. An uploaded body cannot be sent twice.
  if (answer.status == 400 && !question.upload && answer.body.find("client version") != std::string::npos) {
    negotiate(call);
    answer = exchange(call, question, "/v1." + std::to_string(minor_));
  }
  return answer;
}

std::string Engine::negotiate(Call& call) {
  Question question;
  question.doing = "asking for the engine's version";
  question.path = "/version";
  question.versioned = false;
  const Answer answer = ask(call, question);
  if (answer.status != 200) throw refusal(Status::unavailable, question, answer);
  const Object version = parseObject(answer.body);
  const int newest = minorOf(textOf(version, "ApiVersion"));
  const int oldest = minorOf(textOf(version, "MinAPIVersion"));
  if (newest < 0) {
    throw Error(Status::unavailable, "docker: asking for the engine's version, on " + address() +
                                         ": what answers does not speak the Docker Engine API");
  }
  if (newest < kOldestMinor || oldest > kNewestMinor) {
    throw Error(Status::unsupported, "docker: the engine on " + address() + " speaks API " +
                                         textOf(version, "MinAPIVersion") + " to " + textOf(version, "ApiVersion") +
                                         ", this plugin 1." + std::to_string(kOldestMinor) + " to 1." +
                                         std::to_string(kNewestMinor) +
                                         (newest < kOldestMinor ? "; upgrade the engine" : "; upgrade Ocelot"));
  }
  minor_ = newest < kNewestMinor ? newest : kNewestMinor;
  return "1." + std::to_string(minor_);
}

Answer Engine::exchange(Call& call, const Question& question, const std::string& prefix) const {
  call.check(question.doing);
  Patience patience;
  patience.total = question.endless ? std::chrono::milliseconds(0) : timeout_;
  patience.idle = question.idle;
  Session session(path_, call, patience);
  const auto fail = [&] { return broken(session.state(), question.doing, path_); };
  if (!session.open()) throw fail();

  Poco::Net::HTTPRequest request(question.method, prefix + question.path, Poco::Net::HTTPMessage::HTTP_1_1);
  request.setHost("localhost");
  request.setKeepAlive(false);
  for (const auto& [name, value] : question.headers) request.set(name, value);
  if (question.upload) {
    request.setChunkedTransferEncoding(true);
    request.setContentType("application/x-tar");
  } else if (question.method == "POST") {
    request.setContentLength(static_cast<std::streamsize>(question.body.size()));
    if (!question.body.empty()) request.setContentType("application/json");
  }

  Answer answer;
  try {
    std::ostream& out = session.sendRequest(request);
    if (question.upload) {
      try {
        question.upload([&](const char* data, std::size_t size) {
          out.write(data, static_cast<std::streamsize>(size));
          return out.good() && !session.state().hungUp;
        });
      } catch (...) {
        session.breakOff();
        throw;
      }
    } else {
      out << question.body;
    }
    out.flush();
    if (session.state().broken != Broken::no) throw fail();
    Poco::Net::HTTPResponse response;
    std::istream& in = session.receiveResponse(response);
    answer.status = static_cast<int>(response.getStatus());
    const bool wantsLines = question.lines && answer.status >= 200 && answer.status < 300;
    readBody(in, question, wantsLines, answer);
    if (session.state().broken == Broken::no) return answer;
    // The end of the connection is the end of the answer only when the answer had no length of its own.
    const bool delimited = response.getChunkedTransferEncoding() || response.hasContentLength();
    if (session.state().broken == Broken::closed && !delimited) return answer;
  } catch (const Poco::Exception& e) {
    if (session.state().broken == Broken::no) {
      throw Error(Status::unavailable, "docker: " + question.doing + ", on " + address() +
                                           ": what answers does not speak HTTP: " + printable(e.displayText()));
    }
  }
  throw fail();
}

Error Engine::refusal(Status status, const Question& question, const Answer& answer, const std::string& remedy) const {
  std::string said = answer.message();
  if (said.empty()) said = "no reason given";
  return Error(status, "docker: " + question.doing + ": " + said + " (status " + std::to_string(answer.status) + ")" +
                           (remedy.empty() ? "" : "; " + remedy));
}

std::string urlEncoded(std::string_view text) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace ocelot::docker
