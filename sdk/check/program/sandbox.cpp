#include "check/program/sandbox.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ocelot/call.hpp"

namespace ocelot::check {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostBytes = 64 * 1024;

void writeAll(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t wrote = write(fd, text.data() + at, text.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    at += static_cast<std::size_t>(wrote);
  }
}

// Reads what is there now; false at the end.
bool readMore(int fd, std::string& into) {
  char buffer[4096];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  if (into.size() < kMostBytes) into.append(buffer, static_cast<std::size_t>(got));
  return true;
}

[[noreturn]] void child(const Test& test, Subject& subject, int result_fd, int output_fd) {
  // In a group of its own, so that what the plugin starts can be ended with it.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output_fd, STDOUT_FILENO);
  dup2(output_fd, STDERR_FILENO);
  const Result result = runHere(test, subject);
  writeAll(result_fd, std::to_string(static_cast<int>(result.verdict)) + result.why);
  // Without the destructors of static objects: the plugin's are not the host's business, as it never unloads.
  _exit(0);
}

std::string lastLines(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t kept = std::min<std::size_t>(text.size(), 1000);
  return text.empty() ? "" : "; its output: " + text.substr(text.size() - kept);
}

}  // namespace

std::string nameOf(Verdict verdict) {
  static const char* const kNames[] = {"passed", "failed", "skipped", "warned", "crashed"};
  return kNames[static_cast<int>(verdict)];
}

Result runHere(const Test& test, Subject& subject) {
  try {
    test.run(subject);
    return {};
  } catch (const Skipped& why) {
    return {Verdict::skipped, why.what()};
  } catch (const Warned& why) {
    return {Verdict::warned, why.what()};
  } catch (const Failed& why) {
    return {Verdict::failed, why.what()};
  } catch (const Error& error) {
    return {Verdict::failed, "it threw: " + std::string(error.what())};
  } catch (const std::exception& error) {
    return {Verdict::failed, "the test itself threw: " + std::string(error.what())};
  }
}

Result runApart(const Test& test, Subject& subject, std::chrono::seconds timeout) {
  int result_pipe[2], output_pipe[2];
  if (pipe2(result_pipe, O_CLOEXEC) != 0 || pipe2(output_pipe, O_CLOEXEC) != 0)
    return {Verdict::failed, std::string("no pipe: ") + std::strerror(errno)};
  const pid_t pid = fork();
  if (pid == 0) child(test, subject, result_pipe[1], output_pipe[1]);
  close(result_pipe[1]);
  close(output_pipe[1]);
  for (const int fd : {result_pipe[0], output_pipe[0]}) fcntl(fd, F_SETFL, O_NONBLOCK);
  std::string said, output;
  const auto until = Clock::now() + timeout;
  bool in_time = pid > 0;
  // The result pipe's end is the child's end: what the plugin executes does not have it, and for what it only forks the
  // time-out comes.
  pollfd fds[2] = {{result_pipe[0], POLLIN, 0}, {output_pipe[0], POLLIN, 0}};
  while (in_time && fds[0].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    in_time = left > 0;
    poll(fds, 2, static_cast<int>(std::max<long long>(left, 0)));
    if (fds[1].revents != 0 && !readMore(output_pipe[0], output)) fds[1].fd = -1;
    if (fds[0].revents != 0 && !readMore(result_pipe[0], said)) fds[0].fd = -1;
  }
  if (!in_time && pid > 0) kill(pid, SIGKILL);
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid > 0) kill(-pid, SIGKILL);  // what is left of its group
  pollfd rest{output_pipe[0], POLLIN, 0};
  while (poll(&rest, 1, 0) > 0 && readMore(output_pipe[0], output)) {
  }
  close(result_pipe[0]);
  close(output_pipe[0]);
  if (pid < 0) return {Verdict::failed, "no child process"};
  if (!in_time)
    return {Verdict::crashed, "no end after " + std::to_string(timeout.count()) + " s; killed" + lastLines(output)};
  if (WIFSIGNALED(status))
    return {Verdict::crashed, std::string("signal ") + std::to_string(WTERMSIG(status)) + " (" +
                                  strsignal(WTERMSIG(status)) + ")" + lastLines(output)};
  if (said.empty() || WEXITSTATUS(status) != 0)
    return {Verdict::crashed,
            "the plugin ended the process, exit status " + std::to_string(WEXITSTATUS(status)) + lastLines(output)};
  return {static_cast<Verdict>(said[0] - '0'), said.substr(1)};
}

}  // namespace ocelot::check
