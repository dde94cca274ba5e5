#pragma once
// The live log of the builds that this worker runs, over HTTP, by ticket.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/http/server.hpp"
#include "host/logs/build_log.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::worker {

struct LiveLog {
  std::string folder;  // of the build
  int attempt = 0;
};

// `find` gives the folder of a build that runs here.
http::Routes logRoutes(ticket::Gate& gate, logs::LogWatch& watch,
                       std::function<std::optional<LiveLog>(const std::string& build_id)> find);

}  // namespace ocelot::worker
