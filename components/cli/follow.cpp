#include "components/cli/follow.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "components/cli/build_view.hpp"
#include "components/cli/terminal.hpp"
#include "host/logs/terminal.hpp"

namespace ocelot::cli {
namespace {

// For the signal handler alone: what it says before the signal ends the program. It is the signal that does: a status
// of 0 would tell `ocelot build && deploy` that the build has passed.
char goodbye[256];
std::size_t goodbye_size = 0;

void sayGoodbye(int) {
  [[maybe_unused]] const ssize_t put = ::write(2, goodbye, goodbye_size);
  ::signal(SIGINT, SIG_DFL);
  ::raise(SIGINT);  // comes when this has returned
}

// As long as it lives, Ctrl-C leaves the build alone.
class LeaveOnInterrupt {
 public:
  explicit LeaveOnInterrupt(std::int64_t number) {
    const std::string text = "\nThe build goes on. Come back with `ocelot logs -f " + std::to_string(number) +
                             "`; end it with `ocelot kill " + std::to_string(number) + "`.\n";
    goodbye_size = text.copy(goodbye, sizeof goodbye);
    struct sigaction action {};
    action.sa_handler = sayGoodbye;
    ::sigaction(SIGINT, &action, &before_);
  }
  ~LeaveOnInterrupt() { ::sigaction(SIGINT, &before_, nullptr); }
  LeaveOnInterrupt(const LeaveOnInterrupt&) = delete;
  LeaveOnInterrupt& operator=(const LeaveOnInterrupt&) = delete;

 private:
  struct sigaction before_ {};
};

// Until a worker has it, or it has ended. Says why it waits when that changes.
Json awaitStart(Server& server, Json build) {
  std::string said;
  for (int pause = 10; str(build, "state") == "queued"; pause = std::min(pause * 2, 500)) {
    const std::string why = str(build, "waiting");
    if (pause > 100 && !why.empty() && why != said)
      std::cerr << paint("waiting: " + plain(why), Colour::dim, 2) << std::endl;
    if (pause > 100) said = why;
    ::poll(nullptr, 0, pause);
    build = server.getPatiently("/v1/builds/" + str(build, "id"));
  }
  return build;
}

}  // namespace

struct LogPrinter::State {
  State(bool raw_bytes, int to) : raw(raw_bytes), fd(to), filter(std::getenv("NO_COLOR") == nullptr) {}
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  bool raw;
  int fd;
  logs::TerminalFilter filter;
  std::string safe;
};

LogPrinter::LogPrinter(bool raw, int fd) : state_(std::make_unique<State>(raw || !isTerminal(fd), fd)) {}

LogPrinter::~LogPrinter() {
  if (state_->raw) return;
  state_->safe.clear();
  state_->filter.flush(state_->safe);
  state_->write(state_->safe);
}

bool LogPrinter::print(std::string_view bytes) {
  if (state_->raw) return state_->write(bytes);
  state_->safe.clear();
  state_->filter.feed(bytes, state_->safe);
  return state_->write(state_->safe);
}

int followBuild(Server& server, const std::string& build_id, bool json) {
  Json build = server.getPatiently("/v1/builds/" + build_id);
  const LeaveOnInterrupt leave(num(build, "number"));
  // A worker that gives a build back (it was told to end, its engine went away) has made no attempt of it.
  std::int64_t attempt = num(awaitStart(server, build), "attempt");
  {
    LogPrinter printer(false, json ? 2 : 1);
    LogQuery query;
    query.follow = true;
    bool heard = true;
    server.log(
        build_id, query, [&](std::string_view bytes) { return heard = printer.print(bytes); },
        [&attempt](std::int64_t now) {
          const char* const why = now > attempt ? "its worker was lost" : "its worker gave it back";
          std::cerr << paint(std::string(why) + "; attempt " + std::to_string(now) + " begins", Colour::yellow, 2)
                    << std::endl;
          attempt = now;
        });
    if (!heard) return kError;
  }
  // The log is complete a moment before its worker has written the outcome.
  for (build = server.getPatiently("/v1/builds/" + build_id);
       str(build, "state") == "running" || str(build, "state") == "queued";
       build = server.getPatiently("/v1/builds/" + build_id))
    ::poll(nullptr, 0, 20);
  std::cerr << "\n" << ending(server, build, 2);
  if (json) printJson(build);
  return exitStatusOf(str(build, "state"));
}

}  // namespace ocelot::cli
