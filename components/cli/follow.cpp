#include "components/cli/follow.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "components/cli/build_view.hpp"
#include "components/cli/terminal.hpp"
#include "host/logs/terminal.hpp"

namespace ocelot::cli {
namespace {

// For the signal handler alone: what it says before it ends the program.
char goodbye[256];
std::size_t goodbye_size = 0;

void sayGoodbye(int) {
  [[maybe_unused]] const ssize_t put = ::write(2, goodbye, goodbye_size);
  ::_exit(kPassed);
}

void leaveOnInterrupt(std::int64_t number) {
  const std::string text = "\nThe build goes on. Come back with `ocelot logs -f " + std::to_string(number) + "`; end it with `ocelot kill " +
                           std::to_string(number) + "`.\n";
  goodbye_size = text.copy(goodbye, sizeof goodbye);
  struct sigaction action {};
  action.sa_handler = sayGoodbye;
  ::sigaction(SIGINT, &action, nullptr);
}

// Until a worker has it, or it has ended. Says why it waits when that changes.
Json awaitStart(Server& server, const std::string& build_id) {
  std::string said;
  for (int pause = 10;; pause = std::min(pause * 2, 500)) {
    Json build = server.get("/v1/builds/" + build_id);
    if (str(build, "state") != "queued") return build;
    const std::string why = str(build, "waiting");
    if (pause > 100 && !why.empty() && why != said) std::cerr << paint("waiting: " + plain(why), Colour::dim, 2) << std::endl;
    if (pause > 100) said = why;
    ::poll(nullptr, 0, pause);
  }
}

}  // namespace

struct LogPrinter::State {
  explicit State(bool raw_bytes) : raw(raw_bytes), filter(std::getenv("NO_COLOR") == nullptr) {}
  bool raw;
  logs::TerminalFilter filter;
  std::string safe;
};

LogPrinter::LogPrinter(bool raw) : state_(std::make_unique<State>(raw || !isTerminal(1))) {}

LogPrinter::~LogPrinter() {
  if (state_->raw) return;
  state_->safe.clear();
  state_->filter.flush(state_->safe);
  std::cout << state_->safe << std::flush;
}

void LogPrinter::print(std::string_view bytes) {
  if (!state_->raw) {
    state_->safe.clear();
    state_->filter.feed(bytes, state_->safe);
    bytes = state_->safe;
  }
  std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
  if (!std::cout) ::_exit(kError);  // whoever read it is gone
}

int followBuild(Server& server, const std::string& build_id) {
  Json build = awaitStart(server, build_id);
  leaveOnInterrupt(num(build, "number"));
  std::int64_t offset = 0;
  {
    LogPrinter printer(false);
    server.log(str(build, "id"), offset, true, "", [&printer](std::string_view bytes) {
      printer.print(bytes);
      return true;
    });
  }
  // The log is complete a moment before its worker has written the outcome.
  do {
    build = server.get("/v1/builds/" + build_id);
    if (str(build, "state") == "running" || str(build, "state") == "queued") ::poll(nullptr, 0, 20);
  } while (str(build, "state") == "running" || str(build, "state") == "queued");
  std::cerr << "\n" << ending(server, build);
  return exitStatusOf(str(build, "state"));
}

}  // namespace ocelot::cli
