#include "components/worker/build/broker.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "components/worker/local_socket.hpp"

namespace ocelot::worker {
namespace {

// What a container may do to us. The guest asks for one secret at a time, and for each script that asks.
constexpr std::size_t kLongestQuestion = 512;
constexpr std::size_t kMostVisitors = 32;
constexpr int kMostAsks = 100000;  // of a build

constexpr std::chrono::milliseconds kFirstPause{500}, kLongestPause{10000};
constexpr std::chrono::seconds kToldEvery{60};  // that a secret is still waited for
constexpr std::size_t kLongestSentence = 1000;

std::string shortened(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text.substr(0, kLongestSentence);
}

std::string spokenSince(std::chrono::steady_clock::time_point since) {
  const auto waited = std::chrono::steady_clock::now() - since;
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(waited).count()) + " s";
}

}  // namespace

Broker::Broker(const std::string& control_folder, SecretSource& source, std::vector<std::set<std::string>> allowed,
               const std::map<std::string, std::string>& served, std::chrono::milliseconds patience)
    : source_(source), allowed_(std::move(allowed)), patience_(patience) {
  const std::string folder = control_folder + "/broker";
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw std::system_error(errno, std::generic_category(), "make folder " + folder);
  for (const auto& [name, value] : served) {
    Secret& secret = secrets_[name];
    secret.state = Secret::State::known;
    secret.text = value;
  }
  listener_ = listenIn(folder, "sock");
  door_ = std::thread([this] { serve(); });
  fetcher_ = std::thread([this] { fetch(); });
}

Broker::~Broker() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    wanted_.notify_all();
  }
  stop_.set();
  source_.stop();
  door_.join();
  fetcher_.join();
}

std::vector<Broker::Word> Broker::take() {
  const std::lock_guard guard(mutex_);
  words_there_.take();
  return std::exchange(words_, {});
}

void Broker::learnt(const std::string& name) {
  {
    const std::lock_guard guard(mutex_);
    secrets_[name].state = Secret::State::known;
  }
  answers_there_.set();
}

void Broker::serve() {
  while (true) {
    std::vector<pollfd> fds{{stop_.fd(), POLLIN, 0}, {answers_there_.fd(), POLLIN, 0}};
    fds.push_back({visitors_.size() < kMostVisitors ? listener_.get() : -1, POLLIN, 0});
    auto until = Clock::time_point::max();
    for (const auto& visitor : visitors_) {
      const bool waits = visitor.asked && !visitor.answered;  // then only its hanging up is of interest
      fds.push_back({visitor.socket.get(), static_cast<short>(waits ? 0 : visitor.answered ? POLLOUT : POLLIN), 0});
      until = std::min(until, visitor.until);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    ::poll(fds.data(), fds.size(),
           until == Clock::time_point::max() ? -1 : static_cast<int>(std::max<long>(left, 0)) + 1);
    if (fds[0].revents) return;
    if (fds[1].revents) answers_there_.take();
    std::size_t at = 3;
    for (auto visitor = visitors_.begin(); visitor != visitors_.end(); ++at)
      visitor = attend(*visitor, (fds[at].revents & (POLLHUP | POLLERR)) != 0) ? std::next(visitor)
                                                                               : visitors_.erase(visitor);
    forgetUnasked();
    if (fds[2].revents) accept();
  }
}

void Broker::accept() {
  process::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  Visitor visitor;
  visitor.socket = std::move(socket);
  visitor.until = Clock::now() + patience_;
  visitors_.push_back(std::move(visitor));
  if (!attend(visitors_.back(), false)) visitors_.pop_back();
}

bool Broker::attend(Visitor& visitor, bool hung_up) {
  if (Clock::now() >= visitor.until) return false;  // it must not hold a place
  if (!visitor.asked) listenTo(visitor);
  if (!visitor.asked) return !hung_up;
  if (!visitor.answered) {
    visitor.answer = answerAtOnce(visitor);
    visitor.answered = !visitor.answer.empty();
    if (!visitor.answered) return !hung_up;
    visitor.until = Clock::now() + patience_;
  }
  const ssize_t sent = ::send(visitor.socket.get(), visitor.answer.data(), visitor.answer.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  visitor.answer.erase(0, static_cast<std::size_t>(sent));
  return !visitor.answer.empty();
}

void Broker::listenTo(Visitor& visitor) {
  std::array<char, kLongestQuestion> buffer;
  const ssize_t got = ::recv(visitor.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return;
  visitor.question.append(buffer.data(), static_cast<std::size_t>(got));
  // What is cut short or too long is no question either.
  visitor.asked =
      got == 0 || visitor.question.find('\n') != std::string::npos || visitor.question.size() >= kLongestQuestion;
  if (visitor.asked) visitor.until = Clock::time_point::max();
}

// A question is looked at each time: the answer may be there by now.
std::string Broker::answerAtOnce(Visitor& visitor) {
  if (visitor.name.empty()) {
    std::istringstream words(visitor.question.substr(0, visitor.question.find('\n')));
    std::string verb, name;
    std::size_t stage = 0;
    words >> verb >> stage >> name;
    if (!words || verb != "GET" || stage >= allowed_.size()) return "ERR not a question that this broker understands\n";
    if (allowed_[stage].count(name) == 0)
      return "ERR secret " + name.substr(0, 100) + " is not among this stage's secrets in ocelot.yml\n";
    if (asks_ == kMostAsks)
      return "ERR secret " + name + ": this build has asked " + std::to_string(kMostAsks) +
             " times for secrets, which is the most; keep what you were given\n";
    ++asks_;
    visitor.name = name;
  }
  const std::lock_guard guard(mutex_);
  const auto [found, is_new] = secrets_.try_emplace(visitor.name);
  Secret& secret = found->second;
  if (is_new) {
    secret.since = secret.try_at = Clock::now();
    wanted_.notify_all();
  }
  if (secret.state == Secret::State::known) return "OK " + std::to_string(secret.text.size()) + "\n" + secret.text;
  if (secret.state == Secret::State::refused) return "ERR " + secret.text + "\n";
  return "";
}

// A refusal is for those who asked before it; what nobody waits for any more is not fetched.
void Broker::forgetUnasked() {
  std::set<std::string> asked;
  for (const auto& visitor : visitors_)
    if (visitor.asked && !visitor.answered) asked.insert(visitor.name);
  const std::lock_guard guard(mutex_);
  std::erase_if(secrets_, [&](const auto& item) {
    const auto state = item.second.state;
    return asked.count(item.first) == 0 && (state == Secret::State::refused || state == Secret::State::wanted);
  });
}

void Broker::fetch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto next = secrets_.end();
    for (auto item = secrets_.begin(); item != secrets_.end(); ++item)
      if (item->second.state == Secret::State::wanted &&
          (next == secrets_.end() || item->second.try_at < next->second.try_at))
        next = item;
    if (next == secrets_.end()) {
      wanted_.wait(lock);
    } else if (const auto at = next->second.try_at; Clock::now() < at) {
      wanted_.wait_until(lock, at);
    } else {
      fetchOne(lock, std::string(next->first));
    }
  }
}

void Broker::fetchOne(std::unique_lock<std::mutex>& lock, const std::string& name) {
  secrets_[name].state = Secret::State::fetching;
  lock.unlock();
  std::optional<std::string> value;
  std::string away, refused;
  try {
    value = source_.find(name);
    if (!value)
      refused = "secret " + name + " is not there for this repository (" + source_.place(name) +
                "); add it with `ocelot secret set " + name + "`";
  } catch (const secrets::Unavailable& error) {
    away = error.what();
  } catch (const std::exception& error) {
    refused = "secret " + name + " is not to be had (" + source_.place(name) + "): " + error.what();
  }
  lock.lock();
  if (stopping_) return;
  Secret& secret = secrets_[name];
  if (!away.empty()) return waited(name, secret, away);
  if (secret.tries > 0 && value)
    words_.push_back({"", "secret " + name + " is there, after " + spokenSince(secret.since)});
  if (value) {
    secret.state = Secret::State::fetched;
    secret.text = *value;
    words_.push_back({name, *value});
    words_there_.set();
  } else {
    secret.state = Secret::State::refused;
    secret.text = shortened(refused);
    answers_there_.set();
  }
}

void Broker::waited(const std::string& name, Secret& secret, const std::string& why) {
  const auto now = Clock::now();
  if (secret.tries == 0 || now - secret.told_at >= kToldEvery) {
    const std::string still =
        secret.tries == 0 ? "waiting for secret " : "after " + spokenSince(secret.since) + " still waiting for secret ";
    words_.push_back({"", shortened(still + name + ": " + why)});
    words_there_.set();
    secret.told_at = now;
  }
  const auto pause = kFirstPause * (1 << std::min(secret.tries, 5));
  secret.try_at = now + std::min<std::chrono::milliseconds>(pause, kLongestPause);
  secret.state = Secret::State::wanted;
  ++secret.tries;
  answers_there_.set();  // who asked may be gone
}

}  // namespace ocelot::worker
