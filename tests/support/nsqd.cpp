#include "tests/support/nsqd.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>

#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

int freePortOfLoopback() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  const bool good = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  if (!good) throw std::runtime_error("find a free port");
  return ntohs(address.sin_port);
}

std::string engineProgram(const char* variable, const std::string& name) {
  if (const char* named = std::getenv(variable)) return named;
  std::istringstream folders(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
  return "";
}

pid_t spawn(const std::vector<std::string>& command, const std::string& output) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

Nsqd::Nsqd(std::vector<std::string> more) : more_(std::move(more)) {
  port_ = freePortOfLoopback();
  http_port_ = freePortOfLoopback();
  start();
}

Nsqd::~Nsqd() { kill(); }

void Nsqd::start() {
  const std::string program = engineProgram("OCELOT_TEST_NSQD_PROGRAM", "nsqd");
  if (program.empty()) skip("there is no nsqd: scripts/engines start nsq brings it, and says what keeps it from that");
  std::filesystem::create_directories(folder_.path + "/data");
  std::vector<std::string> command{program, "-tcp-address=" + address(),
                                   "-http-address=127.0.0.1:" + std::to_string(http_port_),
                                   "-broadcast-address=127.0.0.1", "-data-path=" + folder_.path + "/data"};
  command.insert(command.end(), more_.begin(), more_.end());
  pid_ = spawn(command, folder_.path + "/log");
  for (int i = 0; i < 2000; ++i) {
    // Where it requires TLS, HTTP says so.
    const std::string answer = get("/ping");
    if (answer.find("OK") != std::string::npos || answer.find("TLS_REQUIRED") != std::string::npos) return;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    ::poll(nullptr, 0, 10);
  }
  throw std::runtime_error("nsqd did not come up: " + folder_.path + "/log");
}

void Nsqd::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Nsqd::wipe() { std::filesystem::remove_all(folder_.path + "/data"); }

std::string Nsqd::get(const std::string& path) const {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(http_port_);
  std::string answer;
  if (::connect(fd, static_cast<sockaddr*>(static_cast<void*>(&address)), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\nConnection: close\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
      char buffer[16384];
      for (ssize_t got; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
        answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  ::close(fd);
  const auto body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

int Nsqd::counted(const std::string& topic, const std::vector<std::string>& fields) const {
  const std::string stats = get("/stats?format=json&include_clients=false&topic=" + topic);
  int sum = 0;
  for (const auto& field : fields)
    for (std::size_t at = 0; (at = stats.find("\"" + field + "\":", at)) != std::string::npos;) {
      at += field.size() + 3;
      sum += std::atoi(stats.c_str() + at);
    }
  return sum;
}

int Nsqd::depth(const std::string& topic) const { return counted(topic, {"depth"}); }
int Nsqd::inFlight(const std::string& topic) const { return counted(topic, {"in_flight_count"}); }

}  // namespace ocelot::test
