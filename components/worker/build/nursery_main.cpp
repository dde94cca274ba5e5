// The nursery's side of components/worker/nursery.hpp. It stays single-threaded, so that a forked child is a whole
// process, and does nothing with the runtime but make it: even a probe runs in a child.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "components/worker/build/build_process.hpp"
#include "components/worker/build/main.hpp"
#include "components/worker/nursery.hpp"
#include "host/digest/digest.hpp"
#include "host/runtimes/loaded_runtime.hpp"

namespace ocelot::worker {
namespace {

constexpr std::size_t kMaxLine = 8u << 20;

void tell(const std::string& line) {
  const std::string bytes = line + "\n";
  // The worker is gone when this fails, and end of file on standard input says so too.
  [[maybe_unused]] const ssize_t put = ::write(1, bytes.data(), bytes.size());
}

// In the child: a session of its own, whose output goes to the build's directory; nothing of the nursery's stays open.
void leaveTheNest(const builddir::Directory& directory, int signals) {
  ::setsid();
  ::close(signals);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int log = ::open(directory.processLog().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(null, 0);
  ::dup2(log >= 0 ? log : null, 1);
  ::dup2(log >= 0 ? log : null, 2);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int runBuild(const builddir::Envelope& envelope, Runtime& runtime) {
  try {
    const builddir::Directory directory(envelope.directory, envelope.run_directory);
    const auto spec = builddir::readIfPresent(directory.spec());
    if (!spec) throw std::runtime_error("there is no " + directory.spec());
    BuildProcess(directory, builddir::decodeOrder(*spec), envelope, runtime).run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "build: " << error.what() << std::endl;
    return 1;
  }
}

class NurseryProcess {
 public:
  NurseryProcess() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    signals_ = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  int run() {
    while (true) {
      std::array<pollfd, 2> fds{{{0, POLLIN, 0}, {signals_, POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return 1;
      if (fds[1].revents) reap();
      if (fds[0].revents && !read()) return 0;
    }
  }

 private:
  bool read() {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(0, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;  // the worker is gone: builds go on, the nursery does not
    bytes_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = bytes_.find('\n')) != std::string::npos; bytes_.erase(0, end + 1))
      if (!obey(bytes_.substr(0, end))) return false;
    return bytes_.size() <= kMaxLine;
  }

  bool obey(const std::string& line) {
    if (!runtime_) return load(line);
    if (line == "probe") {
      probe();
    } else if (line.compare(0, 6, "build ") == 0) {
      build(builddir::decodeEnvelope(line.substr(6)));
    } else if (line.compare(0, 11, "containers ") == 0) {
      containers(line.substr(11));
    } else if (line.compare(0, 7, "remove ") == 0) {
      remove(line.substr(7));
    }
    return true;
  }

  bool load(const std::string& line) {
    try {
      runtime_.emplace(builddir::decodeRuntimeChoice(line));
      digest::sha256("");  // what the crypto library does once takes 2 ms: here, rather than in every child
      tell("ready");
      return true;
    } catch (const std::exception& error) {
      std::string sentence = error.what();
      for (char& c : sentence)
        if (c == '\n') c = ' ';
      tell("failed " + sentence);
      return false;
    }
  }

  void probe() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      SimpleCall call(std::chrono::milliseconds(25000));
      RuntimeFacts facts;
      try {
        facts = runtime_->get().probe(call);
      } catch (const std::exception& error) {
        facts.usable = false;
        facts.why_not = error.what();
      }
      tell("probed " + encode(facts));
      ::_exit(0);
    }
    probing_ = pid;
  }

  // Work with the engine, in a child: what it tells is one line, of this word.
  template <class Work>
  void inChild(const char* word, Work work) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      std::string report;
      try {
        SimpleCall call(std::chrono::milliseconds(110000));
        report = work(call);
      } catch (const std::exception& error) {
        // Names of containers have no blank: nothing here is taken for one.
        report = std::string(word) == "contained" ? "" : error.what();
        std::cerr << word << ": " << error.what() << std::endl;
      }
      for (char& c : report)
        if (c == '\n') c = ' ';
      tell(word + (" " + report));
      ::_exit(0);
    }
    asked_[pid] = word;
  }

  void containers(const std::string& owner) {
    inChild("contained", [&](Call& call) {
      std::string names;
      for (const Container& container : runtime_->get().list(call, owner))
        names += (names.empty() ? "" : " ") + container.name;
      return names;
    });
  }

  void remove(const std::string& line) {
    inChild("removed", [&](Call& call) {
      std::istringstream words(line);
      std::string report = "removed";
      for (std::string name; words >> name; report += " " + name) runtime_->get().remove(call, name);
      return report;
    });
  }

  void build(const builddir::Envelope& envelope) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      leaveTheNest(builddir::Directory(envelope.directory, envelope.run_directory), signals_);
      const int status = runBuild(envelope, runtime_->get());
      std::cout.flush();
      ::_exit(status);  // no destructors of what the nursery still uses
    }
    if (pid > 0) tell("started " + envelope.directory + " " + std::to_string(pid));
  }

  void reap() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) > 0) {
    }
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == probing_ && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        RuntimeFacts facts;
        facts.why_not = "the runtime plugin crashed in probe (" +
                        (WIFSIGNALED(status) ? std::string("SIG") + ::sigabbrev_np(WTERMSIG(status))
                                             : "exit status " + std::to_string(WEXITSTATUS(status))) +
                        ")";
        tell("probed " + encode(facts));
      }
      const auto asked = asked_.find(pid);
      if (asked != asked_.end()) {
        if (!WIFEXITED(status))
          tell(asked->second + (asked->second == "contained" ? "" : " the runtime plugin crashed in remove"));
        asked_.erase(asked);
        continue;
      }
      if (pid != probing_) tell("ended " + std::to_string(pid) + " " + std::to_string(status));
    }
  }

  int signals_ = -1;
  std::string bytes_;
  std::optional<runtimes::LoadedRuntime> runtime_;
  pid_t probing_ = -1;
  std::map<pid_t, std::string> asked_;  // which word each child is to tell
};

}  // namespace

int nurseryMain() { return NurseryProcess().run(); }

}  // namespace ocelot::worker
