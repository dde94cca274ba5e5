#include "components/worker/secret_desk.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <filesystem>
#include <sstream>

#include "components/worker/local_socket.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::worker {
namespace {

// A Vault that hangs holds one for its time-out; more builds than that wait behind.
constexpr int kDeskThreads = 4;
constexpr std::size_t kDeskQuestion = 512;

std::string oneLine(std::string sentence) {
  for (char& c : sentence)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return sentence;
}

std::string questionFrom(int visitor) {
  const timeval patience{5, 0};
  ::setsockopt(visitor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(visitor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  std::string question;
  std::array<char, kDeskQuestion> buffer;
  while (question.find('\n') == std::string::npos && question.size() < buffer.size()) {
    const ssize_t got = ::recv(visitor, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    question.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return question.substr(0, question.find('\n'));
}

}  // namespace

SecretDesk::SecretDesk(const std::string& path, Find find) : path_(path), find_(std::move(find)) {
  const std::filesystem::path socket(path);
  std::filesystem::create_directories(socket.parent_path());
  std::filesystem::permissions(socket.parent_path(), std::filesystem::perms::owner_all);
  listener_ = listenIn(socket.parent_path(), socket.filename().c_str());
  for (int i = 0; i < kDeskThreads; ++i) threads_.emplace_back([this] { serve(); });
}

SecretDesk::~SecretDesk() {
  stop_.set();
  for (auto& thread : threads_) thread.join();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void SecretDesk::serve() {
  while (true) {
    std::array<pollfd, 2> fds{{{listener_.get(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents) return;
    const process::Fd visitor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!visitor) continue;  // another thread was quicker
    const std::string said = answer(questionFrom(visitor.get()));
    for (std::size_t done = 0; done < said.size();) {
      const ssize_t put = ::send(visitor.get(), said.data() + done, said.size() - done, MSG_NOSIGNAL);
      if (put <= 0) break;  // it will ask again
      done += static_cast<std::size_t>(put);
    }
  }
}

std::string SecretDesk::answer(const std::string& question) const {
  std::istringstream words(question);
  std::string verb, build, name;
  words >> verb >> build >> name;
  if (!words || verb != "GET") return "NO not a question that this worker understands\n";
  try {
    const auto value = find_(build, name);
    return value ? "OK " + std::to_string(value->size()) + "\n" + *value : "NONE\n";
  } catch (const secrets::Unavailable& away) {
    return "AWAY " + oneLine(away.what()) + "\n";
  } catch (const std::exception& error) {
    return "NO " + oneLine(error.what()) + "\n";
  }
}

}  // namespace ocelot::worker
