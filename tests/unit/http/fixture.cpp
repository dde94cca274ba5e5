#include "tests/unit/http/fixture.hpp"

#include <arpa/inet.h>
#include <cppunit/Asserter.h>
#include <cppunit/TestAssert.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ocelot::http::test {

Raw::Raw(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CPPUNIT_ASSERT_EQUAL(0, ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

Raw::~Raw() { close(); }

void Raw::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Raw::finishWriting() { ::shutdown(fd_, SHUT_WR); }

Raw& Raw::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return *this;
}

bool Raw::more() {
  pollfd poll_fd{fd_, POLLIN, 0};
  CPPUNIT_ASSERT_MESSAGE("nothing came for 20 s; so far: " + in_, ::poll(&poll_fd, 1, 20000) == 1);
  char buffer[16384];
  const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  in_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::string Raw::readAll() {
  while (more()) {
  }
  return std::move(in_);
}

std::string Raw::readUntil(const std::string& mark) {
  std::size_t at;
  while ((at = in_.find(mark)) == std::string::npos) {
    CPPUNIT_ASSERT_MESSAGE("closed before \"" + mark + "\"; so far: " + in_, more());
  }
  const std::string text = in_.substr(0, at + mark.size());
  in_.erase(0, at + mark.size());
  return text;
}

std::string Raw::readAnswer() {
  std::string answer = readUntil("\r\n\r\n");
  const std::string name = "Content-Length: ";
  const auto at = answer.find(name);
  CPPUNIT_ASSERT_MESSAGE(answer, at != std::string::npos);
  const auto length = static_cast<std::size_t>(std::stoul(answer.substr(at + name.size())));
  while (in_.size() < length) CPPUNIT_ASSERT(more());
  answer += in_.substr(0, length);
  in_.erase(0, length);
  return answer;
}

std::string exchange(std::uint16_t port, std::string_view bytes) { return Raw(port).send(bytes).readAll(); }

std::string get(const std::string& path, const std::string& more_headers) {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more_headers + "\r\n";
}

int statusOf(const std::string& answer) {
  return answer.compare(0, 9, "HTTP/1.1 ") == 0 ? std::stoi(answer.substr(9, 3)) : 0;
}

std::string bodyOf(const std::string& answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

int countOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  ++arrivals_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return open_; });
}

void Gate::waitForArrivals(int n) {
  std::unique_lock lock(mutex_);
  CPPUNIT_ASSERT_MESSAGE("not everybody came to the gate",
                         changed_.wait_for(lock, std::chrono::seconds(20), [&] { return arrivals_ >= n; }));
}

Routes someRoutes() {
  Routes routes;
  routes.get("/echo/{name}", Role::none, [](const Request& request) { return text(request.param("name")); });
  Route post{"POST", "/echo", Role::none, [](const Request& request) { return text("<" + request.body + ">"); }, 1000};
  routes.add(post);
  routes.get("/guarded", Role::viewer, [](const Request& request) { return text("hello " + request.identity.name); });
  routes.post("/admin", Role::admin, [](const Request&) { return nothing(); });
  return routes;
}

std::optional<Identity> someTokens(const Request&, const std::string& token) {
  const auto role = roleFrom(token);
  if (!role || *role == Role::none) return std::nullopt;
  return Identity{"id-" + token, token, *role};
}

}  // namespace ocelot::http::test
