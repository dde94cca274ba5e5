#include "components/cli/up/up.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "components/cli/context.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/first_start.hpp"
#include "components/cli/up/installation.hpp"
#include "components/cli/up/run_folders.hpp"
#include "components/cli/up/service.hpp"
#include "components/cli/up/supervisor.hpp"
#include "host/builddir/directory.hpp"

namespace ocelot::cli {
namespace {

constexpr const char* kDaemons[] = {"admin", "worker", "hookhandler", "poller"};

std::string lockFile(const Installation& installation) { return installation.data_dir + "/up.lock"; }
// The pid and address of the one that runs: for messages and for `down`; the lock is the truth.
std::string noteFile(const Installation& installation) { return installation.data_dir + "/up.pid"; }

// Where a client on this machine finds it.
std::string urlOf(const Installation& installation, const std::string& daemon) {
  const bool tls = installation.config.has("tls.certificate");
  // A certificate is for a name, which the listening address does not tell.
  if (tls && daemon == "admin" && installation.config.has("admin.public_url"))
    return installation.config.text("admin.public_url");
  return (tls ? "https://" : "http://") + fromHere(installation.config.text(daemon + ".listen"));
}

std::vector<Supervised> daemonsOf(const Installation& installation) {
  std::vector<Supervised> out;
  for (const std::string name : kDaemons) {
    const std::string program = installation.findProgram("ocelot-" + name);
    if (program.empty())
      throw Failure("there is no ocelot-" + name + " in " + installation.programs,
                    "`ocelot` and its daemons belong in one folder");
    out.push_back({name, program, installation.daemonFlags(), installation.data_dir + "/log/" + name + ".log",
                   fromHere(installation.config.text(name + ".listen"))});
  }
  return out;
}

void sayWhereThingsAre(const Installation& installation, const Made& made) {
  std::cerr << "\n"
            << table({{"  server", urlOf(installation, "admin")},
                      {"  data", installation.data_dir},
                      {"  configuration", installation.config_file.empty()
                                              ? "the defaults; yours goes to " + installation.data_dir + "/server.yaml"
                                              : installation.config_file},
                      {"  daemons' logs", installation.data_dir + "/log/"},
                      {"  your token",
                       contextsPath() + ", context " + made.context + (made.token ? " (made just now)" : "")}})
            << "\nIn a git checkout with an ocelot.yml: " << paint("ocelot build", Colour::bold, 2)
            << ".  `ocelot init` writes one.  Ctrl-C ends this.\n";
}

}  // namespace

builddir::Lock refuseWhileUp(const Installation& installation) {
  auto lock = builddir::Lock::tryTake(lockFile(installation));
  if (lock) return std::move(*lock);
  const std::string note = builddir::readIfPresent(noteFile(installation), 1024).value_or("");
  throw Failure(
      "an `ocelot up` runs already on " + installation.data_dir + ": process " + note.substr(0, note.find('\n')),
      "`ocelot down` ends it; --data DIR --port N starts another beside it");
}

int up(const Arguments& arguments) {
  const Installation installation = installationFor(arguments);
  installation.makeFolders();
  if (arguments.has("install")) return installService(installation);
  const auto lock = refuseWhileUp(installation);
  const auto run_lock = holdRunFolder(installation.run_dir, installation.data_dir);
  for (const auto& folder : sweepRunFolders(std::filesystem::path(installation.run_dir).parent_path()))
    std::cerr << "ocelot up: removed " << folder << ", whose data folder is gone" << std::endl;
  Supervisor supervisor(daemonsOf(installation),
                        [](const std::string& line) { std::cerr << "ocelot up: " << line << std::endl; });
  supervisor.refuseTakenPorts();
  const std::string url = urlOf(installation, "admin");
  builddir::replaceFile(noteFile(installation), std::to_string(::getpid()) + " at " + url + "\n");
  const Made made = makeReady(installation, url);
  if (supervisor.start()) {
    std::cerr << paint("Ocelot is up.", Colour::green, 2);
    sayWhereThingsAre(installation, made);
  }
  const int status = supervisor.run();
  ::unlink(noteFile(installation).c_str());
  return status;
}

int down(const Arguments& arguments) {
  const Installation installation = installationFor(arguments);
  if (stopService()) return kPassed;
  // Without the file none ever ran there.
  if (!std::filesystem::exists(lockFile(installation)) || builddir::Lock::tryTake(lockFile(installation))) {
    std::cerr << "no `ocelot up` runs on " << installation.data_dir << "\n";
    return kPassed;
  }
  const std::string note = builddir::readIfPresent(noteFile(installation), 1024).value_or("");
  const pid_t pid = std::atoi(note.c_str());
  if (pid <= 1 || ::kill(pid, SIGTERM) != 0)
    throw Failure("end `ocelot up` (" + note + "): it is not ours to signal", "run this as its user");
  std::cerr << "finishing the running builds\n";
  for (int asked = 1; !builddir::Lock::tryTake(lockFile(installation)); ++asked) {
    ::poll(nullptr, 0, 100);
    if (asked == 20 && arguments.has("now")) ::kill(pid, SIGTERM);
  }
  return kPassed;
}

}  // namespace ocelot::cli
