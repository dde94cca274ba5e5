#include "tool.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include "file.hpp"

namespace bp = boost::process;

namespace ocelot::oci {
namespace {

constexpr std::size_t kMaxOutput = 8u << 20;

struct Pipe {
  Fd read, write;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) failSystem("make a pipe", errno);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
};

// stdin as a file: a program that does not read it cannot make us wait.
Fd inputFile(const std::string& input) {
  if (input.empty()) return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Fd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file) failSystem("memfd_create", errno);
  appendAll(file.get(), input, "the input of a program");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// What the child does before exec, mostly in our memory: it may call the kernel, and change nothing of ours. Poco and
// others block signals in their threads, and a child inherits that.
void prepareChild(int in, int out, int err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // nobody would take what it does
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
}

// Reads what is there; false at the end.
bool drain(int fd, std::string& into) {
  char buffer[16384];
  const ssize_t got = ::read(fd, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  if (into.size() < kMaxOutput) into.append(buffer, static_cast<std::size_t>(got));
  return true;
}

}  // namespace

ToolResult runTool(Call& call, const Tool& tool) {
  const Fd in = inputFile(tool.input);
  const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Pipe out, err;
  bp::environment environment;
  for (const auto& [key, value] : tool.environment) environment[key] = value;
  const int out_fd = tool.quiet ? null.get() : out.write.get();
  const int err_fd = tool.quiet ? null.get() : err.write.get();
  std::error_code failed;
  const auto launch = [&](auto... how) {
    return bp::child(
        bp::exe = tool.program, bp::args = tool.arguments, environment, failed, how...,
        bp::extend::on_exec_setup = [&](auto&) {
          prepareChild(in.get(), out_fd, err_fd);
          if (tool.in_child) tool.in_child();
        });
  };
  bp::child child = tool.own_memory ? launch() : launch(bp::posix::use_vfork);
  out.write.reset();
  err.write.reset();
  if (failed)
    throw Error(failed == std::errc::no_such_file_or_directory ? Status::not_found : Status::internal,
                "run " + tool.program + ": " + failed.message());
  const pid_t pid = child.id();
  child.detach();  // waited for below, by descriptor
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) failSystem("pidfd_open", errno);

  ToolResult result;
  bool ended = false;
  while (out.read || err.read || !ended) {
    // After the end, what it left in the background may hold the pipes: no longer than half a second.
    pollfd fds[4] = {{out.read.get(), POLLIN, 0},
                     {err.read.get(), POLLIN, 0},
                     {ended ? -1 : process.get(), POLLIN, 0},
                     {ended ? -1 : call.cancelFd(), POLLIN, 0}};
    const int ready = ::poll(fds, 4, ended ? 500 : 200);
    if (ready < 0 && errno != EINTR) failSystem("poll", errno);
    if (ready == 0 && ended) break;
    if (fds[0].revents && !drain(out.read.get(), result.out)) out.read.reset();
    if (fds[1].revents && !drain(err.read.get(), result.err)) err.read.reset();
    if (fds[2].revents) ended = true;
    if (!ended && (call.cancelled() || call.remainingMs() == 0)) {
      ::kill(-pid, SIGKILL);
      siginfo_t ignored{};
      ::waitid(P_PIDFD, static_cast<id_t>(process.get()), &ignored, WEXITED);
      call.check("running " + tool.program);
    }
    if (tool.waiting) tool.waiting();
  }
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED) != 0 && errno == EINTR) {
  }
  result.exit_code = info.si_code == CLD_EXITED ? info.si_status : -1;
  if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
    result.err += "\nkilled by signal " + std::to_string(info.si_status);
  return result;
}

std::string findProgram(const std::string& name) {
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    const std::string path = std::string(folder) + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

std::map<std::string, std::string> toolEnvironment() {
  std::map<std::string, std::string> environment = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, {"LANG", "C.UTF-8"}, {"HOME", "/"}};
  for (const char* name : {"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
                           "SSL_CERT_FILE", "SSL_CERT_DIR"})
    if (const char* value = std::getenv(name)) environment[name] = value;
  return environment;
}

namespace {

// skopeo and runc write lines like `time="…" level=fatal msg="what \"happened\""`: what happened is what a person
// wants.
std::string messageOf(const std::string& line) {
  const std::string mark = " msg=\"";
  const std::size_t at = line.find(mark);
  if (line.compare(0, 5, "time=") != 0 || at == std::string::npos) return line;
  std::string message;
  for (std::size_t i = at + mark.size(); i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    message += line[i] == 'n' && line[i - 1] == '\\' ? ' ' : line[i];
  }
  return message;
}

std::string messagesOf(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += messageOf(line) + "\n";
  return out;
}

}  // namespace

std::string lastWords(const ToolResult& result) {
  const std::string messages = messagesOf(result.err.empty() ? result.out : result.err);
  std::string_view text = messages;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (text.size() > 600) text = text.substr(text.size() - 600);
  std::string line;
  for (const char c : text)
    line += c == '\n' || c == '\t' ? ' ' : (static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
  if (line.empty()) line = "exit status " + std::to_string(result.exit_code);
  return line;
}

}  // namespace ocelot::oci
