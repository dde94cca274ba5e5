#include "components/worker/log_server.hpp"

#include <chrono>

#include "host/logserve/log_answer.hpp"

namespace ocelot::worker {

http::Routes logRoutes(ticket::Gate& gate, logs::LogWatch& watch,
                       std::function<std::optional<LiveLog>(const std::string& build_id)> find) {
  http::Routes routes;
  // Open to nobody without a ticket: it is what admin gives in the place of a token, for one build and one minute.
  routes.get("/v1/builds/{id}/log", http::Role::none, [&gate, &watch, find](const http::Request& request) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    if (!gate.hasKey())
      throw http::Refusal(503, "secrets_away", "the secret store is away, and with it the key of the tickets",
                          "try again in a moment");
    const auto ticket = gate.admit(request.queryText("ticket"), now);
    if (!ticket || ticket->build_id != request.param("id"))
      throw http::Refusal(401, "bad_ticket", "the ticket is not valid for this log, too old, or used before",
                          "ask admin again: GET /v1/builds/ID/log");
    const auto live = find(ticket->build_id);
    if (!live || live->attempt != ticket->attempt)
      throw http::Refusal(404, "not_here", "this build does not run here any more",
                          "ask admin again: GET /v1/builds/ID/log");
    try {
      return logserve::answer(logserve::queryOf(request), logserve::openLive(live->folder, watch));
    } catch (const Error& error) {
      if (error.status() != Status::not_found) throw;
      // Claimed a moment ago: its process has not begun the log.
      throw http::Refusal(404, "not_here", "the log of this build has not begun",
                          "ask admin again: GET /v1/builds/ID/log");
    }
  });
  return routes;
}

}  // namespace ocelot::worker
