#pragma once
// What answers in a daemon's place while an engine that it needs is away: alive, not ready, and why.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/daemon/daemon.hpp"

namespace ocelot::daemon {

http::ServerSettings serverSettings(const config::Config& config, const std::string& section);

// Opens a server on the daemon's own address: /healthz, /readyz and /metrics as ever, 503 for everything else.
// What it is given outlives it.
std::unique_ptr<http::Server> openWaitingRoom(http::ServerSettings settings, Health& health, Metrics& metrics,
                                              const std::atomic<bool>& draining);

// For a configuration that cannot be read yet: calls `read` at growing intervals until it throws no Away any more, and
// answers meanwhile where `local`, what this machine knows by itself, says; nullopt: nowhere. Throws what `read`
// throws. nullopt: asked to end.
std::optional<config::Config> awaitConfiguration(const std::optional<config::Config>& local, const std::string& section,
                                                 const std::function<config::Config()>& read);

}  // namespace ocelot::daemon
