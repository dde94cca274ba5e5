#include "components/worker/nursery.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <sstream>
#include <system_error>

#include "host/process/process.hpp"

namespace ocelot::worker {
namespace {

using std::chrono::seconds;

std::string signalName(int status) {
  if (WIFSIGNALED(status)) return std::string("SIG") + ::sigabbrev_np(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string encode(const RuntimeFacts& facts) {
  Poco::JSON::Object features, out;
  for (const auto& [name, value] : facts.features) features.set(name, value);
  out.set("engine", facts.engine);
  out.set("usable", facts.usable);
  out.set("why_not", facts.why_not);
  out.set("features", features);
  std::ostringstream text;
  out.stringify(text);
  return text.str();
}

RuntimeFacts decodeFacts(const std::string& json) {
  RuntimeFacts facts;
  const auto from = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
  facts.engine = from->optValue<std::string>("engine", "");
  facts.usable = from->optValue<bool>("usable", false);
  facts.why_not = from->optValue<std::string>("why_not", "");
  if (const auto features = from->getObject("features"))
    for (const auto& name : features->getNames())
      facts.features.emplace_back(name, features->getValue<std::string>(name));
  return facts;
}

Nursery::Nursery(std::string program, builddir::RuntimeChoice runtime)
    : program_(std::move(program)), runtime_(std::move(runtime)) {
  std::lock_guard guard(mutex_);
  start();
}

Nursery::~Nursery() {
  {
    std::lock_guard guard(mutex_);
    if (to_ >= 0) ::shutdown(to_, SHUT_RDWR);  // its end of file is the nursery's signal to end
  }
  if (reader_.joinable()) reader_.join();
  if (to_ >= 0) ::close(to_);
}

// Called under the mutex.
void Nursery::start() {
  if (reader_.joinable()) reader_.join();
  if (to_ >= 0) ::close(to_);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  process::Child::Start how;
  how.program = program_;
  how.arguments = {"nursery"};
  how.environment = process::plainEnvironment();
  how.in = how.out = ends[1];
  how.err = 2;
  how.own_session = true;
  child_.emplace(process::Child::start(how));
  ::close(ends[1]);
  to_ = ends[0];
  alive_ = true;
  ready_ = false;
  failure_.clear();
  facts_.reset();
  reader_ = std::thread([this, fd = to_] { read(fd); });
  send(builddir::encode(runtime_));
}

bool Nursery::send(const std::string& line) {
  const std::string bytes = line + "\n";
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::send(to_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (put <= 0) return false;
    done += static_cast<std::size_t>(put);
  }
  return true;
}

void Nursery::read(int fd) {
  std::string bytes;
  std::array<char, 8192> buffer;
  for (ssize_t got; (got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    std::lock_guard guard(mutex_);
    for (std::size_t end; (end = bytes.find('\n')) != std::string::npos; bytes.erase(0, end + 1)) {
      const std::string line = bytes.substr(0, end);
      const std::string word = line.substr(0, line.find(' '));
      const std::string rest = word.size() < line.size() ? line.substr(word.size() + 1) : "";
      std::istringstream words(rest);
      if (word == "ready") ready_ = true;
      if (word == "failed") failure_ = rest;
      if (word == "probed") facts_ = rest;
      if (word == "contained") contained_ = rest;
      if (word == "removed") removed_ = rest;
      if (word == "started") {
        const std::size_t blank = rest.rfind(' ');
        started_[rest.substr(0, blank)] = std::stoi(rest.substr(blank + 1));
      }
      if (word == "ended") {
        pid_t pid = 0;
        int status = 0;
        words >> pid >> status;
        ended_[pid] = status;
      }
    }
    told_.notify_all();
  }
  const int status = child_->wait();
  std::lock_guard guard(mutex_);
  alive_ = false;
  if (failure_.empty())
    failure_ = "runtime plugin '" + runtime_.name + "' crashed " + (ready_ ? "in probe" : "while it was loaded") +
               " (" + signalName(status) + ")";
  told_.notify_all();
}

RuntimeFacts Nursery::probe() {
  std::unique_lock lock(mutex_);
  if (!alive_) start();
  facts_.reset();
  RuntimeFacts facts;
  send("probe");
  const bool told = told_.wait_for(lock, seconds(30), [this] { return facts_ || !alive_; });
  if (facts_) {
    facts = decodeFacts(*facts_);
  } else {
    facts.why_not = told ? failure_ : "runtime plugin '" + runtime_.name + "' did not answer its probe within 30 s";
  }
  return facts;
}

pid_t Nursery::build(const builddir::Envelope& envelope) {
  std::unique_lock lock(mutex_);
  if (!alive_) start();
  started_.erase(envelope.directory);
  send("build " + builddir::encode(envelope));
  const bool told = told_.wait_for(lock, seconds(30), [&] { return started_.count(envelope.directory) || !alive_; });
  const auto found = started_.find(envelope.directory);
  if (found == started_.end())
    throw Error(Status::unavailable, "start a build process: " + (told ? failure_ : "no answer within 30 s"));
  const pid_t pid = found->second;
  started_.erase(found);
  return pid;
}

std::string Nursery::ask(const std::string& line, std::optional<std::string> Nursery::*answer, const char* doing) {
  std::unique_lock lock(mutex_);
  if (!alive_) start();
  (this->*answer).reset();
  send(line);
  told_.wait_for(lock, seconds(120), [&] { return (this->*answer) || !alive_; });
  if (!(this->*answer))
    throw Error(Status::unavailable, std::string(doing) + ": " + (alive_ ? "no answer within 120 s" : failure_));
  return *(this->*answer);
}

std::vector<std::string> Nursery::containers(const std::string& owner) {
  std::istringstream words(ask("containers " + owner, &Nursery::contained_, "list containers"));
  return {std::istream_iterator<std::string>(words), {}};
}

std::string Nursery::remove(const std::vector<std::string>& containers) {
  std::string line = "remove";
  for (const auto& name : containers) line += " " + name;
  return ask(line, &Nursery::removed_, "remove containers");
}

std::optional<int> Nursery::statusOf(pid_t pid) {
  std::unique_lock lock(mutex_);
  told_.wait_for(lock, seconds(2), [&] { return ended_.count(pid) || !alive_; });
  const auto found = ended_.find(pid);
  if (found == ended_.end()) return std::nullopt;
  const int status = found->second;
  ended_.erase(found);
  return status;
}

}  // namespace ocelot::worker
