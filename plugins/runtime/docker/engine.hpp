#pragma once
// The Engine's REST API over its unix socket: one connection for each question, so that calls from any thread go beside
// each other and no stale connection is ever reused. Every answer is bounded, and a cut-off one is an error.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot::docker {

struct Answer {
  int status = 0;
  std::string body;
  // What the engine says went wrong, from {"message": …}; for people.
  std::string message() const;
};

// Takes the next bytes of a body; false: the engine wants no more, and its answer says why.
using Put = std::function<bool(const char*, std::size_t)>;

struct Question {
  std::string doing;  // completes "docker: …": "asking for the version"
  std::string method = "GET";
  std::string path;  // below the version: "/containers/json?all=1"
  std::string body;  // JSON
  std::vector<std::pair<std::string, std::string>> headers;
  bool versioned = true;
  bool endless = false;                           // no limit on the whole; only the call's own
  std::chrono::milliseconds idle{0};              // limit between two moves of the wire
  std::size_t most = 4u << 20;                    // longest body that is read
  std::function<void(const Put&)> upload;         // gives the body, sent in chunks
  std::function<void(const std::string&)> lines;  // takes a 2xx body line by line instead of Answer::body
};

class Engine {
 public:
  // `socket` is a path, or unix://path. Throws Error(invalid) for another form.
  Engine(std::string_view socket, std::chrono::milliseconds timeout);

  // Throws unavailable when the engine does not answer, or not whole; cancelled; invalid when the answer is too long.
  // Every status is an answer.
  Answer ask(Call& call, const Question& question);

  // The refusal of an answer that was not wanted, as an Error of `status`.
  Error refusal(Status status, const Question& question, const Answer& answer, const std::string& remedy = "") const;

  const std::string& path() const { return path_; }
  std::string address() const { return "unix://" + path_; }
  // Asks the engine which versions it speaks, and remembers the newest that both do: "1.41".
  std::string negotiate(Call& call);

 private:
  Answer exchange(Call& call, const Question& question, const std::string& prefix) const;

  std::string path_;
  std::chrono::milliseconds timeout_;
  std::atomic<int> minor_{0};  // of API 1.x; 0: not asked yet
};

// For a path or a query: everything but letters, digits and "-._~" becomes %XX.
std::string urlEncoded(std::string_view text);

}  // namespace ocelot::docker
