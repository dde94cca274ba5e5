#pragma once
// A free port of loopback, listened on or only taken, for the fake servers of tests.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

namespace ocelot::test {

class Loopback {
 public:
  enum class Listens { yes, no };  // no: nobody can be reached there while this lives

  explicit Loopback(Listens listens = Listens::yes) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (fd_ < 0 || ::bind(fd_, plain, size) != 0 || (listens == Listens::yes && ::listen(fd_, 64) != 0) ||
        ::getsockname(fd_, plain, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "listen on a free port of 127.0.0.1");
    port_ = ntohs(address.sin_port);
  }
  ~Loopback() { ::close(fd_); }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  int fd() const { return fd_; }
  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  const int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace ocelot::test
