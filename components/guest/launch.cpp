#include "components/guest/launch.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>

namespace ocelot::guest {

namespace {

constexpr std::size_t kPiece = 120 * 1024;  // below MAX_ARG_STRLEN
constexpr int kPipeBytes = 1 << 20;

// What the child was about to do when it failed.
enum class Step : int { groups, group, user, directory, shell };
struct Failure {
  Step step;
  int error;
};

[[noreturn]] void give_up(int report, Step step) {
  const Failure failure{step, errno};
  if (::write(report, &failure, sizeof failure) < 0) ::_exit(126);
  ::_exit(127);
}

bool isFolderForUs(const std::string& path) {
  struct stat facts {};
  return !path.empty() && ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         ::access(path.c_str(), W_OK | X_OK) == 0;
}

// A home that cannot be written breaks half of all tools, and many images name one that is not there: then the working
// directory, which is the user's own, serves. Asked as the user.
std::string homeOf(const Launch& what) {
  if (isFolderForUs(what.user.home)) return what.user.home;
  if (what.user.uid == 0 && isFolderForUs("/root")) return "/root";
  return what.working_dir;
}

std::vector<std::string> environmentOf(const Launch& what) {
  journal::Environment all = {
      {"HOME", homeOf(what)}, {"USER", what.user.name}, {"LOGNAME", what.user.name}, {"SHELL", what.shell}};
  all.insert(all.end(), what.env.begin(), what.env.end());
  all.emplace_back("PWD", what.working_dir);
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto same = [&](const auto& later) { return later.first == all[i].first; };
    if (std::none_of(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(), same))
      entries.push_back(all[i].first + "=" + all[i].second);
  }
  return entries;
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void resetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// When memory runs out the kernel shall choose a stage, never the guest, which has to tell the tale.
void volunteerForOom() {
  const Fd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file && ::write(file.get(), "500", 3) < 0) return;
}

void becomeUser(const User& user, int report) {
  // Forbidden in a user namespace with a single id, and to a guest that is not root (in tests); who stays who they are
  // needs no other groups.
  if (::setgroups(user.groups.size(), user.groups.data()) != 0 && !(errno == EPERM && user.uid == ::geteuid()))
    give_up(report, Step::groups);
  if (::setresgid(user.gid, user.gid, user.gid) != 0) give_up(report, Step::group);
  if (::setresuid(user.uid, user.uid, user.uid) != 0) give_up(report, Step::user);
}

[[noreturn]] void runChild(const Launch& what, int in, int out, int err, int report) {
  ::setsid();
  resetSignals();
  ::umask(022);
  volunteerForOom();
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  becomeUser(what.user, report);
  if (::chdir(what.working_dir.c_str()) != 0) give_up(report, Step::directory);
  std::vector<std::string> arguments = shellArguments(what.shell, what.script);
  std::vector<std::string> environment = environmentOf(what);
  ::execve(what.shell.c_str(), pointersTo(arguments).data(), pointersTo(environment).data());
  give_up(report, Step::shell);
}

std::string sentence(const Launch& what, const Failure& failure) {
  const std::string text = errorText(failure.error);
  const std::string who =
      "user " + what.user.name + " (" + std::to_string(what.user.uid) + ":" + std::to_string(what.user.gid) + ")";
  switch (failure.step) {
    case Step::groups:
    case Step::group:
    case Step::user:
      return "become " + who + ": " + text +
             (failure.error == EINVAL ? "; the container has no such id: its user namespace is too small" : "");
    case Step::directory:
      return "enter " + what.working_dir + " as " + who + ": " + text;
    case Step::shell:
      break;
  }
  if (failure.error == ENOENT && ::access(what.shell.c_str(), F_OK) != 0)
    return "no " + what.shell + " in the image: a stage is a shell script; use an image that has a shell";
  if (failure.error == ENOENT) return "start " + what.shell + ": its loader or interpreter is not in the image";
  if (failure.error == E2BIG)
    return "start " + what.shell + ": script and environment are too long together (" +
           std::to_string(what.script.size()) + " bytes of script); put the script in a file of the repository";
  return "start " + what.shell + " as " + who + ": " + text;
}

}  // namespace

std::vector<std::string> shellArguments(const std::string& shell, const std::string& script) {
  if (script.size() < kPiece) return {shell, "-e", "-c", "--", script};
  // With an empty IFS "$*" joins the pieces without a gap; the script finds no arguments and an IFS as usual, and its
  // lines keep their numbers.
  std::vector<std::string> arguments = {shell, "-e", "-c", "--", "IFS=; eval \"set --; unset IFS; $*\"", shell};
  for (std::size_t at = 0; at < script.size(); at += kPiece) arguments.push_back(script.substr(at, kPiece));
  return arguments;
}

Launched launch(const Launch& what) {
  Launched launched;
  const auto fail = [&launched](const std::string& doing) {
    launched.failure = doing + ": " + errorText(errno);
    launched.ours = true;
    return std::move(launched);
  };
  int out[2], err[2], report[2], null[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return fail("make a pipe");
  launched.out = Fd(out[0]);
  const Fd out_end(out[1]);
  if (::pipe2(err, O_CLOEXEC) != 0) return fail("make a pipe");
  launched.err = Fd(err[0]);
  const Fd err_end(err[1]);
  if (::pipe2(report, O_CLOEXEC) != 0) return fail("make a pipe");
  const Fd report_in(report[0]);
  Fd report_end(report[1]);
  Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!in) {  // an empty image has none: a pipe that nobody writes to reads the same
    if (::pipe2(null, O_CLOEXEC) != 0) return fail("make a pipe");
    in = Fd(null[0]);
    ::close(null[1]);
  }
  for (const int pipe : {out[0], err[0]}) {
    ::fcntl(pipe, F_SETPIPE_SZ, kPipeBytes);  // refused beyond a user's allowance: the usual size serves too
    ::fcntl(pipe, F_SETFL, O_NONBLOCK);
  }

  launched.pid = ::fork();
  if (launched.pid == 0) runChild(what, in.get(), out_end.get(), err_end.get(), report_end.get());
  if (launched.pid < 0) return fail("start a process");
  report_end.reset();
  Failure failure{};
  ssize_t got = 0;
  while ((got = ::read(report_in.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (got == static_cast<ssize_t>(sizeof failure)) {  // an exec that succeeds closes the pipe without a word
    ::waitpid(launched.pid, nullptr, 0);
    launched.pid = -1;
    launched.failure = sentence(what, failure);
  }
  return launched;
}

}  // namespace ocelot::guest
