#include "tests/unit/docker/fake_engine.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace ocelot::docker::test {
namespace {

std::string hex(std::size_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%zx", number);
  return text;
}

std::size_t lengthOf(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

Reply json(int status, const std::string& body) {
  return {"HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body,
          false};
}

Reply chunks(int status, const std::vector<std::string>& lines) {
  Reply out{"HTTP/1.1 " + std::to_string(status) + " X\r\nTransfer-Encoding: chunked\r\n\r\n", false};
  for (const auto& line : lines) out.bytes += hex(line.size() + 1) + "\r\n" + line + "\n\r\n";
  out.bytes += "0\r\n\r\n";
  return out;
}

FakeEngine::FakeEngine(Script script, bool scriptedVersion)
    : script_(std::move(script)), scriptedVersion_(scriptedVersion) {
  std::string pattern = (std::filesystem::temp_directory_path() / "ocelot-fake-engine-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr || ::pipe(stop_) != 0)
    throw std::runtime_error("no folder for a fake engine");
  folder_ = pattern;
  path_ = folder_ + "/sock";
  listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  if (::bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listening_, 16) != 0) {
    throw std::runtime_error("a fake engine cannot listen");
  }
  accepting_ = std::thread([this] { accept(); });
}

FakeEngine::~FakeEngine() {
  ::close(stop_[1]);  // everybody who waits sees the other end's hang-up
  accepting_.join();
  for (auto& thread : busy_) thread.join();
  ::close(listening_);
  ::close(stop_[0]);
  std::filesystem::remove_all(folder_);
}

void FakeEngine::accept() {
  for (;;) {
    pollfd wanted[2] = {{listening_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(wanted, 2, -1);
    if (wanted[1].revents != 0) return;
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::lock_guard<std::mutex> lock(mutex_);
    busy_.emplace_back([this, fd] {
      serve(fd);
      ::close(fd);
    });
  }
}

void FakeEngine::serve(int fd) {
  std::string text;
  std::size_t end = std::string::npos;
  char buffer[65536];
  const auto more = [&] {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  };
  while ((end = text.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return;
  }
  Heard heard{text.substr(0, text.find("\r\n")), text.substr(0, end + 2), ""};
  if (heard.head.find("chunked") != std::string::npos) {
    while (text.find("0\r\n\r\n", end) == std::string::npos && more()) {
    }
  } else {
    while (text.size() < end + 4 + lengthOf(heard.head) && more()) {
    }
  }
  heard.body = text.substr(end + 4);
  const bool version = heard.line == "GET /version HTTP/1.1";
  if (!version) {
    const std::lock_guard<std::mutex> lock(mutex_);
    heard_.push_back(heard);
    changed_.notify_all();
  }
  const Reply reply = version && !scriptedVersion_
                          ? json(200, R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})")
                          : script_(heard);
  std::size_t sent = 0;
  while (sent < reply.bytes.size()) {
    const ssize_t n = ::send(fd, reply.bytes.data() + sent, reply.bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
  if (reply.hang) {
    pollfd wanted[2] = {{stop_[0], POLLIN, 0}, {fd, POLLIN, 0}};
    ::poll(wanted, 2, -1);
  }
}

std::vector<std::string> FakeEngine::heard() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> out;
  for (const auto& one : heard_) out.push_back(one.line.substr(0, one.line.rfind(' ')));
  return out;
}

std::string FakeEngine::lastBody(const std::string& part) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string out;
  for (const auto& one : heard_) {
    if (one.line.find(part) != std::string::npos) out = one.body;
  }
  return out;
}

std::string FakeEngine::lastHead(const std::string& part) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string out;
  for (const auto& one : heard_) {
    if (one.line.find(part) != std::string::npos) out = one.head;
  }
  return out;
}

void FakeEngine::awaitRequest(const std::string& part) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] {
    for (const auto& one : heard_) {
      if (one.line.find(part) != std::string::npos) return true;
    }
    return false;
  });
}

}  // namespace ocelot::docker::test
