#include "tests/unit/cli/fake_admin.hpp"

#include <algorithm>

namespace ocelot::test {

FakeAdmin::FakeAdmin() {
  http::Routes routes;
  routes.get("/v1/builds/{id}", http::Role::viewer, [this](const http::Request&) {
    const std::lock_guard guard(mutex_);
    return http::json(builds.at(std::min(build_calls_++, builds.size() - 1)));
  });
  routes.get("/v1/builds/{id}/log", http::Role::viewer, [this](const http::Request& request) {
    LogAnswer next;
    {
      const std::lock_guard guard(mutex_);
      std::string query;
      for (const auto& [name, value] : request.query) query += (query.empty() ? "" : "&") + name + "=" + value;
      queries_.push_back(query);
      next = log_answers.at(std::min(log_calls_++, log_answers.size() - 1));
    }
    return next(request);
  });
  routes.post("/v1/builds/{id}/cancel", http::Role::operate, [](const http::Request&) {
    return http::failure(403, "forbidden", "this token may only look", "ask for one with role operator");
  });
  server_ = std::make_unique<http::Server>(
      http::ServerSettings{}, std::move(routes),
      [](const http::Request&, const std::string& token) -> std::optional<http::Identity> {
        if (token != "oct_test") return std::nullopt;
        return http::Identity{"t", "test", http::Role::admin};
      });
}

cli::Server FakeAdmin::client() const { return cli::Server({"test", url(), "oct_test", "", false}); }

void FakeAdmin::reset() {
  const std::lock_guard guard(mutex_);
  log_calls_ = build_calls_ = 0;
}

std::vector<std::string> FakeAdmin::logQueries() const {
  const std::lock_guard guard(mutex_);
  return queries_;
}

FakeAdmin::LogAnswer FakeAdmin::sends(const std::string& log, std::size_t at_most) {
  return [log, at_most](const http::Request& request) {
    const auto offset = static_cast<std::size_t>(request.queryNumber("offset").value_or(0));
    if (offset > log.size()) return http::failure(416, "beyond_the_end", "offset is beyond the log's end");
    const std::string part = log.substr(offset, at_most);
    const bool cut = offset + part.size() < log.size();
    http::Answer answer;
    answer.content_type = "text/plain";
    answer.headers = {{"Ocelot-Log-Offset", std::to_string(offset)}};
    answer.stream = [part, cut](http::StreamWriter& out) { return out.write(part) && !cut; };
    return answer;
  };
}

}  // namespace ocelot::test
