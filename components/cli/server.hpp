#pragma once
// The REST API, as the commands ask it. Whatever goes wrong becomes a Failure that says what was asked of whom, what
// came back, and what to do.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "components/cli/context.hpp"
#include "components/cli/json.hpp"
#include "host/http/client.hpp"

namespace ocelot::cli {

// Which part of a build's log, and how.
struct LogQuery {
  bool follow = false;      // until the build has ended
  std::string stage;        // name or index; "" : the whole log
  std::int64_t tail = 0;    // only the last lines; 0: from the beginning
  bool as_records = false;  // JSON, one object a line
  bool via_admin = false;   // never from the worker
};

// No answer came: another try may help.
class Away : public Failure {
 public:
  using Failure::Failure;
};

// Throws the Failure that this answer is.
[[noreturn]] void refuse(const Context& context, const HttpAnswer& answer);

class Server {
 public:
  explicit Server(Context context);

  Json get(const std::string& path);
  // Waits a minute for a server that is being restarted.
  Json getPatiently(const std::string& path);
  // What /readyz says, whether the server is ready or not.
  Json readiness();
  Json post(const std::string& path, const std::string& body = "{}");
  Json put(const std::string& path, const std::string& body);
  void remove(const std::string& path);

  // Reads a build's log, over as many connections as it takes: one that breaks is resumed by offset, so that no byte is
  // lost and none comes twice. `bytes` says whether to go on. A build that is begun anew has a log of its own, which
  // `anew` announces.
  void log(const std::string& build_id, const LogQuery& query, const std::function<bool(std::string_view)>& bytes,
           const std::function<void(std::int64_t attempt)>& anew = {});

  const Context& context() const { return context_; }

 private:
  Json ask(const std::string& method, const std::string& path, const std::string& body, int taken_too = 200);
  Context context_;
  http::Client client_;
};

}  // namespace ocelot::cli
