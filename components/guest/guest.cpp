// ocelot-guest: process 1 of a build's container. Reads the plan, runs its stages, writes the journal.
// See host/journal/README.md for what it and the build process say to each other.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "components/guest/build_run.hpp"
#include "components/guest/clock.hpp"
#include "components/guest/control.hpp"
#include "components/guest/processes.hpp"
#include "components/guest/secret_door.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::guest;
using journal::Ending;

constexpr int kBadUse = 64;
constexpr const char* kUsage =
    "usage: ocelot-guest run CONTROL_DIR      run the plan in that folder\n"
    "       ocelot-guest secret get NAME      print a secret of the running stage\n"
    "       ocelot-guest probe                say that it can run here\n"
    "       ocelot-guest --version\n";

// Nothing that the runtime left open reaches a stage, and 0, 1 and 2 are taken, so that no descriptor of ours gets one.
void tidyDescriptors() {
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0 && fd <= 2;) fd = ::open("/dev/null", O_RDWR);
  if (::syscall(SYS_close_range, 3u, ~0u, 0u) == 0) return;
  // An old kernel or a strict filter: one by one, as far as a runtime has ever left any.
  for (int fd = 3; fd < 4096; ++fd) ::close(fd);
}

// Ends whatever is left, so that after the last frame nothing of the build runs any more.
void endEverything(Watch& watch) {
  const std::int64_t until = bootMillis() + 5000;
  do {
    killEverything();
    watch.takeReaped();
    if (::waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) return;
    std::vector<pollfd> nothing;
    watch.wait(nothing, bootMillis() + 2);
  } while (bootMillis() < until);
}

int finish(Recorder& recorder, const journal::Frame& frame, std::int64_t patience_ms) {
  recorder.append(frame);
  const std::int64_t until = bootMillis() + patience_ms;
  while (!recorder.flush() && bootMillis() < until) ::poll(nullptr, 0, 20);
  return journal::exitStatusOf(frame.ending);
}

journal::Frame broken(const std::string& sentence) {
  journal::Frame frame;
  frame.kind = journal::FrameKind::finished;
  frame.ending = Ending::broken;
  frame.bytes = sentence;
  return frame;
}

int runPlan(const journal::Plan& plan, Control& control, Recorder& recorder) {
  recorder.limitBacklog(plan.max_journal_backlog);
  journal::Frame hello;
  hello.kind = journal::FrameKind::hello;
  hello.version = journal::kJournalVersion;
  hello.number = plan.attempt;
  hello.bytes = plan.build_id;
  recorder.append(hello);

  Watch watch(Counter(std::move(control.alive)), plan.alive_timeout_ms, plan.timeout_ms);
  journal::Frame last;
  try {
    last = runBuild(plan, recorder, watch);
  } catch (const std::exception& unexpected) {
    last = broken(std::string("the guest cannot go on: ") + unexpected.what());
  }
  endEverything(watch);
  return finish(recorder, last, last.ending == Ending::abandoned ? 1000 : plan.grace_ms);
}

int run(const std::string& directory) {
  ::prctl(PR_SET_DUMPABLE, 0);
  Watch::blockSignals();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  tidyDescriptors();
  Control control = openControl(directory);
  Recorder recorder(std::move(control.journal), Counter(std::move(control.read)));
  journal::Plan plan;
  try {
    plan = journal::decodePlan(control.plan);
  } catch (const std::exception& bad) {
    return finish(recorder, broken(bad.what()), 1000);
  }
  return runPlan(plan, control, recorder);
}

int probe() {
  utsname kernel{};
  ::uname(&kernel);
  std::printf("ocelot-guest %s plan %u journal %u %s uid %u shell %s\n", OCELOT_VERSION, journal::kPlanVersion,
              journal::kJournalVersion, kernel.machine, static_cast<unsigned>(::getuid()),
              ::access("/bin/sh", X_OK) == 0 ? "yes" : "no");
  return 0;
}

int dispatch(int argc, char** argv) {
  const auto is = [&](int at, const char* word) { return at < argc && std::strcmp(argv[at], word) == 0; };
  if (argc == 3 && is(1, "run")) return run(argv[2]);
  if (argc == 4 && is(1, "secret") && is(2, "get")) {
    const char* control = std::getenv("OCELOT_CONTROL");
    return secretGet(control != nullptr ? control : "/ocelot/control", argv[3]);
  }
  if (argc == 2 && is(1, "probe")) return probe();
  if (argc == 2 && is(1, "--version")) return std::printf("ocelot-guest %s\n", OCELOT_VERSION) > 0 ? 0 : 1;
  std::fputs(kUsage, stderr);
  return kBadUse;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "ocelot-guest: %s\n", failure.what());
  } catch (...) {
    std::fputs("ocelot-guest: unexpected failure\n", stderr);
  }
  return journal::exitStatusOf(Ending::broken);
}
