#include "tests/live/cluster/world.hpp"

#include <cppunit/TestAssert.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "host/process/process.hpp"
#include "ocelot/host.hpp"
#include "tests/support/installation.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

const char* const kInside = "OCELOT_TEST_WORLD";

std::map<std::string, std::string> wholeEnvironment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string pair = *entry;
    out[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
  }
  return out;
}

void build(const std::vector<std::string>& engines) {
  process::Command how;
  how.program = OCELOT_SOURCE "/scripts/engines";
  how.arguments = {"build"};
  how.arguments.insert(how.arguments.end(), engines.begin(), engines.end());
  how.environment = wholeEnvironment();
  SimpleCall call(std::chrono::minutes(30));
  const auto built = process::run(call, how);
  if (!built.ok()) skip("engines are missing: " + built.err);
}

}  // namespace

void inOwnWorld(const std::string& test, const std::vector<std::string>& engines, const std::function<void()>& body) {
  if (std::getenv(kInside)) return body();
  Installation::need();
  if (!engines.empty()) build(engines);
  process::Command how;
  how.program = "unshare";
  // Process 1 is a shell, which buries whom nobody else does.
  how.arguments = {"--net",   "--pid",           "--fork", "--kill-child",
                   "--mount", "--mount-proc",    "--",     "bash",
                   "-c",      "\"$@\"; exit $?", "world",  std::filesystem::read_symlink("/proc/self/exe"),
                   test};
  how.environment = wholeEnvironment();
  how.environment[kInside] = "1";
  how.on_error_output = [](std::string_view text) { std::cerr << text; };
  how.in_child = [parent = ::getpid()] {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
  };
  SimpleCall call(std::chrono::minutes(20));
  const auto ran = process::run(call, how);
  if (const auto mark = ran.out.find("SKIP "); mark != std::string::npos && ran.ok()) {
    const auto why = ran.out.find(": ", mark);
    skip(ran.out.substr(why + 2, ran.out.find('\n', why) - why - 2));
  }
  if (!ran.ok()) CPPUNIT_FAIL(ran.out + ran.err);
}

void note(const std::string& text) {
  static const auto began = std::chrono::steady_clock::now();
  if (!std::getenv("OCELOT_TEST_VERBOSE")) return;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  std::cerr << "  " << now.count() / 1000 << "." << now.count() % 1000 / 100 << " s  " << text << std::endl;
}

}  // namespace ocelot::test
