#pragma once
// A server that has one build, and does with its log what a test says.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "components/cli/server.hpp"
#include "host/http/server.hpp"

namespace ocelot::test {

class FakeAdmin {
 public:
  FakeAdmin();
  cli::Server client() const;
  std::string url() const { return server_->url(); }

  // Each connection to the log is answered by the next of these; the last one stays.
  using LogAnswer = std::function<http::Answer(const http::Request&)>;
  std::vector<LogAnswer> log_answers;
  // What GET /v1/builds/b says, as JSON; each call gets the next, the last one stays.
  std::vector<std::string> builds;
  // Begins with the first of both again.
  void reset();
  std::vector<std::string> logQueries() const;  // "offset=3&follow=true", as asked

  // The bytes of `log` from where it was asked for; cut off after `at_most` of them, when that is less than there is.
  static LogAnswer sends(const std::string& log, std::size_t at_most = std::string::npos);

 private:
  mutable std::mutex mutex_;
  std::size_t log_calls_ = 0, build_calls_ = 0;
  std::vector<std::string> queries_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace ocelot::test
