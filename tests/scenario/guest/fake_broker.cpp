#include "tests/scenario/guest/fake_broker.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

namespace ocelot::test {

FakeBroker::FakeBroker(const std::string& control, std::map<std::string, std::string> answers)
    : path_(control + "/broker/sock"), answers_(std::move(answers)) {
  std::filesystem::create_directories(control + "/broker");
  ::unlink(path_.c_str());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  CPPUNIT_ASSERT(path_.size() < sizeof address.sun_path);
  path_.copy(address.sun_path, path_.size());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CPPUNIT_ASSERT(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CPPUNIT_ASSERT(::listen(listener_, 16) == 0 && ::pipe2(stop_, O_CLOEXEC) == 0);
  thread_ = std::thread([this] { serve(); });
}

FakeBroker::~FakeBroker() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(listener_);
  ::unlink(path_.c_str());
}

std::vector<std::string> FakeBroker::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void FakeBroker::serve() {
  for (;;) {
    pollfd waits[] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(waits, 2, -1);
    if (waits[1].revents != 0) return;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    answer(connection);
    ::close(connection);
  }
}

void FakeBroker::answer(int connection) {
  std::string line;
  for (char byte; line.size() < 1000 && ::read(connection, &byte, 1) == 1 && byte != '\n';) line += byte;
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(line);
  }
  const auto found = answers_.find(line.substr(line.rfind(' ') + 1));
  if (found == answers_.end()) return;
  for (std::size_t sent = 0; sent < found->second.size();) {
    const ssize_t done = ::send(connection, found->second.data() + sent,
                                std::min<std::size_t>(found->second.size() - sent, 3000), MSG_NOSIGNAL);
    if (done <= 0) return;
    sent += static_cast<std::size_t>(done);
  }
}

}  // namespace ocelot::test
