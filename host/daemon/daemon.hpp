#pragma once
// What all daemons share: command line, configuration, signals, logs, health, metrics, and the HTTP server.
//
//   run() ─ configuration ─┬─ open() ───┬─ start() ─ READY ─┬─ SIGHUP: reload() ─┐
//                          └─ Away ◄────┘                   ├────────────────────┘
//                    waits, unready        SIGTERM, SIGINT: └─ drain() ─ server drained ─ stop() ─ exit 0
//                                                                └─ once more: hurry()
//                                                                     (a third time ends the process at once)
//
// Exit status: 0 ended as asked; 1 start() or a later fault; 78 the configuration or the command line is wrong (every
// mistake is listed), or this program is too old for what it finds. Stays in the foreground: a service manager's
// business is its own.
//
// A daemon's program is:   class Admin : public Daemon { … };   OCELOT_DAEMON_MAIN(Admin)

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/config/config.hpp"
#include "host/daemon/health.hpp"
#include "host/daemon/log.hpp"
#include "host/daemon/metrics.hpp"
#include "host/http/server.hpp"

namespace ocelot::daemon {

// What the base lends a daemon, from start() to the end of stop(). [any] thread.
class Context {
 public:
  virtual ~Context() = default;
  virtual const config::Config& config() const = 0;  // as of start; reload() gets the new one
  virtual Metrics& metrics() = 0;
  virtual Health& health() = 0;
  // Opens the server on `<section>.listen` with these routes beside /healthz, /readyz and /metrics. Once, in start().
  // Without it the daemon still serves those three. `explain` turns exceptions of the daemon's own engines into answers
  // (http::ServerHooks).
  virtual http::Server& serve(http::Routes routes, http::Authenticator authenticator,
                              std::function<std::optional<http::Answer>(const std::exception&)> explain = nullptr) = 0;
  // SIGTERM came: take no new work.
  virtual bool draining() const = 0;
  // Readable once draining: to be polled beside other descriptors.
  virtual int drainFd() const = 0;
  // Ends the daemon from inside, as SIGTERM would; `why` is logged as an error and the exit status is 1.
  virtual void fail(const std::string& why) = 0;
};

// An engine is not there: thrown by Daemon::open(), to be called again.
class Away : public std::runtime_error {
 public:
  // `engine`: as /readyz names it, "store".
  Away(std::string engine, const std::string& why) : std::runtime_error(why), engine_(std::move(engine)) {}
  const std::string& engine() const { return engine_; }

 private:
  std::string engine_;
};

// This program is not for what it finds, and starting it again would not help: thrown by Daemon::open(). Exit
// status 78.
class Unfit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Daemon {
 public:
  virtual ~Daemon() = default;
  virtual std::string section() const = 0;      // of the configuration: "admin"; the program is ocelot-admin
  virtual std::string description() const = 0;  // a sentence for --help

  // What the tables cannot say: adds to `problems`. Also run by --check-config; touches nothing outside.
  virtual void check(const config::Config&, std::vector<config::Problem>&) {}
  // Opens the engines. While it throws Away it is called again, at growing intervals: the daemon is up, and not ready,
  // with that reason. What else it throws, a wrong configuration or an engine that refuses us, ends the daemon.
  virtual void open(Context&) {}
  // Builds the objects, wires them and starts the threads; returns soon. Throws to give up: the message is the last
  // line. Every signal is blocked before: a child process needs its mask reset (host/process does).
  virtual void start(Context& context) = 0;
  // Finishes the work at hand; may take long (a worker's builds). Runs on the main thread; the server still answers.
  virtual void drain(Context&) {}
  // A second SIGTERM: drain() is to return soon. Runs on the signal thread while drain() runs.
  virtual void hurry(Context&) {}
  // Joins the threads, closes the engines. The server is gone by then.
  virtual void stop(Context&) {}
  // SIGHUP with a configuration that is right (a wrong one is logged and dropped). log.level is taken over by the base.
  virtual void reload(Context&, const config::Config&) {}
};

// Runs a daemon to its end and returns the exit status. First in main(), before any thread.
int run(int argc, char** argv, const std::function<std::unique_ptr<Daemon>()>& make);

// Tells the service manager (NOTIFY_SOCKET), if there is one: "READY=1", "STATUS=…". Never throws.
void notifyManager(const std::string& state) noexcept;

}  // namespace ocelot::daemon

#define OCELOT_DAEMON_MAIN(CLASS)                                                     \
  int main(int argc, char** argv) {                                                   \
    return ocelot::daemon::run(argc, argv, [] { return std::make_unique<CLASS>(); }); \
  }
