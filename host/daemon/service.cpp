#include "host/daemon/service.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "host/daemon/pages.hpp"
#include "host/daemon/signals.hpp"
#include "host/daemon/waiting_room.hpp"

namespace ocelot::daemon {
namespace {

const auto kServerGrace = std::chrono::seconds(10);
constexpr std::chrono::milliseconds kFirstTry{250}, kLongestTry{10'000};  // between looks for an engine

double residentBytes() {
  std::ifstream in("/proc/self/statm");
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Service::Service(Daemon& daemon, config::Config config, std::function<config::Config()> reread, SharedConfig* shared)
    : daemon_(daemon), config_(std::move(config)), reread_(std::move(reread)), shared_(shared) {}

Service::~Service() {
  if (shared_) shared_->stop();
  server_.reset();
}

int Service::run() {
  const Signals signals([this](int times) { end(times); }, [this] { wantReload(); });
  measure();
  if (shared_) health_.add("configuration", [this] { return shared_->whyNot(); });
  try {
    if (!openEngines()) {
      log(LogLevel::info, "stopped");
      return 0;
    }
    daemon_.start(*this);
    if (!server_) serve({}, nullptr, nullptr);
  } catch (const config::Invalid& invalid) {
    if (shared_) shared_->refused(invalid.what());  // whoever reads the lines below finds /readyz say so too
    for (const auto& problem : invalid.problems()) log(LogLevel::error, problem.where + ": " + problem.what);
    return 78;
  } catch (const Unfit& unfit) {
    log(LogLevel::error, std::string("cannot start: ") + unfit.what());
    return 78;
  } catch (const std::exception& error) {
    log(LogLevel::error, std::string("cannot start: ") + error.what());
    return 1;
  }
  log(LogLevel::info, "ready", {{"listen", server_->url()}, {"version", OCELOT_VERSION}});
  notifyManager("READY=1");
  if (shared_) shared_->watch([this] { wantReload(); });

  std::unique_lock lock(mutex_);
  started_ = true;
  while (!draining_) {
    if (std::exchange(reload_wanted_, false)) {
      lock.unlock();
      reload();
      lock.lock();
      continue;
    }
    changed_.wait(lock);
  }
  lock.unlock();

  notifyManager("STOPPING=1");
  log(LogLevel::info, "draining: no new work; a second SIGTERM hurries it");
  try {
    daemon_.drain(*this);
    server_->drain(hurried_ ? std::chrono::seconds(0) : kServerGrace);
    daemon_.stop(*this);
  } catch (const std::exception& error) {
    log(LogLevel::error, std::string("while stopping: ") + error.what());
    return 1;
  }
  log(LogLevel::info, "stopped");
  return failed_ ? 1 : 0;
}

bool Service::openEngines() {
  std::unique_ptr<http::Server> room;
  std::string engine, why;
  auto pause = kFirstTry;
  while (!draining_) {
    try {
      daemon_.open(*this);
      if (!engine.empty()) health_.set(engine, "");
      if (room) notifyManager("STATUS=ready");
      return true;
    } catch (const Away& away) {
      if (!engine.empty() && engine != away.engine()) health_.set(engine, "");
      engine = away.engine();
      health_.set(engine, away.what());
      if (why != away.what()) log(LogLevel::warning, "waiting for the " + engine, {{"why", away.what()}});
      why = away.what();
    }
    if (!room) {
      room = openWaitingRoom(serverSettings(config_, daemon_.section()), health_, metrics_, draining_);
      log(LogLevel::info, "not ready yet", {{"listen", room->url()}});
      notifyManager("READY=1\nSTATUS=waiting for the " + engine);
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, pause, [this] { return draining_.load(); });
    pause = std::min(pause * 2, kLongestTry);
  }
  return false;
}

void Service::end(int times) {
  if (times == 1) return beginDrain();
  if (times > 2) {
    log(LogLevel::error, "asked to end for the third time: ending at once");
    ::_exit(1);
  }
  hurried_ = true;
  log(LogLevel::info, "hurrying");
  bool started = false;
  {
    const std::lock_guard lock(mutex_);
    started = started_;
  }
  if (started) daemon_.hurry(*this);
}

void Service::wantReload() {
  const std::lock_guard lock(mutex_);
  reload_wanted_ = true;
  changed_.notify_all();
}

void Service::beginDrain() {
  const std::lock_guard lock(mutex_);
  if (draining_.exchange(true)) return;
  drain_.set();
  changed_.notify_all();
}

void Service::fail(const std::string& why) {
  log(LogLevel::error, why);
  failed_ = true;
  beginDrain();
}

void Service::reload() {
  notifyManager("RELOADING=1");
  try {
    const config::Config fresh = reread_();
    setLogLevel(logLevelFrom(fresh.text("log.level")));
    daemon_.reload(*this, fresh);
    log(LogLevel::info, "configuration read again");
  } catch (const config::Invalid& invalid) {
    if (shared_) shared_->refused(invalid.what());  // whoever reads the lines below finds /readyz say so too
    for (const auto& problem : invalid.problems()) log(LogLevel::error, problem.where + ": " + problem.what);
    log(LogLevel::error, "the old configuration stays");
  } catch (const std::exception& error) {
    log(LogLevel::error, std::string("reload: ") + error.what());
  }
  notifyManager("READY=1");
}

void Service::measure() {
  metrics_.gauge("ocelot_build_info", "The program's version", Labels{{"version", OCELOT_VERSION}}).set(1);
  metrics_.gauge("process_resident_memory_bytes", "Memory that is in use", residentBytes);
}

http::Server& Service::serve(http::Routes routes, http::Authenticator authenticator,
                             std::function<std::optional<http::Answer>(const std::exception&)> explain) {
  if (server_) throw std::logic_error("serve() is for once");
  addPages(routes, health_, metrics_, authenticator, draining_);
  http::ServerHooks hooks;
  Histogram& seconds = metrics_.histogram("ocelot_http_request_seconds", "How long requests took");
  hooks.served = [this, &seconds](const http::Served& served) {
    const std::string status = std::to_string(served.status);
    metrics_
        .counter(
            "ocelot_http_requests_total", "Requests by route and outcome",
            {{"method", served.pattern.empty() ? "" : served.method}, {"route", served.pattern}, {"status", status}})
        .add();
    seconds.observe(static_cast<double>(served.took.count()) / 1e6);
    log(LogLevel::debug, "request",
        {{"method", served.method},
         {"route", served.pattern},
         {"status", status},
         {"peer", served.peer},
         {"token", served.identity}});
  };
  hooks.log = [](LogLevel level, std::string_view text) { log(level, text); };
  hooks.explain = std::move(explain);
  server_ = std::make_unique<http::Server>(serverSettings(config_, daemon_.section()), std::move(routes),
                                           std::move(authenticator), std::move(hooks));

  const http::Server& server = *server_;
  metrics_.gauge("ocelot_http_connections", "Open connections",
                 [&server] { return double(server.load().connections); });
  metrics_.gauge("ocelot_http_streams", "Streams being followed", [&server] { return double(server.load().streams); });
  metrics_.gauge("ocelot_http_refused_connections", "Connections refused for want of room",
                 [&server] { return double(server.load().refused_connections); });
  return *server_;
}

}  // namespace ocelot::daemon
