#include "host/daemon/waiting_room.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "host/daemon/pages.hpp"
#include "host/daemon/signals.hpp"

namespace ocelot::daemon {
namespace {

constexpr std::chrono::milliseconds kFirstLook{250}, kLongestLook{10'000};  // between looks for Consul

}  // namespace

http::ServerSettings serverSettings(const config::Config& config, const std::string& section) {
  http::ServerSettings settings;
  settings.listen = config.text(section + ".listen");
  settings.tls_certificate = config.text("tls.certificate");
  settings.tls_key = config.text("tls.key");
  settings.name = "ocelot-" + section;
  settings.threads = static_cast<int>(config.number("http.threads"));
  settings.max_streams = static_cast<int>(config.number("http.streams"));
  settings.max_connections = static_cast<int>(config.number("http.connections"));
  settings.max_connections_per_peer = static_cast<int>(config.number("http.connections_per_peer"));
  return settings;
}

std::unique_ptr<http::Server> openWaitingRoom(http::ServerSettings settings, Health& health, Metrics& metrics,
                                              const std::atomic<bool>& draining) {
  const std::string name = settings.name;
  http::Routes routes;
  addPages(routes, health, metrics, nullptr, draining);
  const auto not_yet = [name](const http::Request&) {
    http::Answer answer = http::failure(503, "starting", name + " waits for an engine that it needs",
                                        "GET /readyz on its own machine says which");
    answer.headers.emplace_back("Retry-After", "5");
    return answer;
  };
  // Open: whoever asks learns nothing, and may ask again.
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
    routes.add({method, "/{path*}", http::Role::none, not_yet, 0});
  http::ServerHooks hooks;
  hooks.log = [](LogLevel level, std::string_view text) { log(level, text); };
  return std::make_unique<http::Server>(std::move(settings), std::move(routes), nullptr, std::move(hooks));
}

std::optional<config::Config> awaitConfiguration(const std::optional<config::Config>& local, const std::string& section,
                                                 const std::function<config::Config()>& read) {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<bool> ending{false};
  const Signals signals(
      [&](int times) {
        if (times > 2) ::_exit(1);
        const std::lock_guard lock(mutex);
        ending = true;
        changed.notify_all();
      },
      [] {});
  Health health;
  Metrics metrics;
  std::unique_ptr<http::Server> room;
  std::string why;
  auto pause = kFirstLook;
  while (!ending) {
    try {
      return read();
    } catch (const Away& away) {
      if (why != away.what()) log(LogLevel::warning, "waiting for the " + away.engine(), {{"why", away.what()}});
      why = away.what();
      health.set(away.engine(), why);
    }
    if (!room && local) {
      room = openWaitingRoom(serverSettings(*local, section), health, metrics, ending);
      log(LogLevel::info, "not ready yet", {{"listen", room->url()}});
    }
    notifyManager("READY=1\nSTATUS=waiting for the shared configuration");
    std::unique_lock lock(mutex);
    changed.wait_for(lock, pause, [&] { return ending.load(); });
    pause = std::min(pause * 2, kLongestLook);
  }
  return std::nullopt;
}

}  // namespace ocelot::daemon
