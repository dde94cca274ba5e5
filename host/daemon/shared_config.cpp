#include "host/daemon/shared_config.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/daemon/log.hpp"
#include "host/process/event.hpp"

namespace ocelot::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLongest = 512 << 10;  // what Consul takes
constexpr milliseconds kWait{60000};
constexpr milliseconds kFirstPause{1000}, kLongestPause{10000};

std::optional<std::string> readIfPresent(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Whole or not at all: it may hold what an operator would not show everybody.
void keep(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0)
    log(LogLevel::warning, "the shared configuration could not be kept",
        {{"file", path}, {"why", std::strerror(written ? errno : error)}});
}

// What says where Consul is cannot come from there, nor what is each machine's own.
bool belongsThere(const std::string& key) {
  return key.compare(0, 7, "consul.") != 0 && key != "data_dir" && key != "run_dir";
}

}  // namespace

// A wait that stop() ends.
class SharedConfig::Waiting final : public Call {
 public:
  void stop() {
    stopped_ = true;
    event_.set();
  }
  void pause(milliseconds time) const {
    pollfd stopped{event_.fd(), POLLIN, 0};
    ::poll(&stopped, 1, static_cast<int>(time.count()));
  }
  Clock::time_point deadline() const override { return Clock::time_point::max(); }
  bool cancelled() const override { return stopped_; }
  int cancelFd() const override { return event_.fd(); }
  void log(LogLevel, std::string_view) override {}

 private:
  const process::Event event_;
  std::atomic<bool> stopped_{false};
};

SharedConfig::SharedConfig(consul::ConsulSettings settings, std::string kept_file)
    : consul_(std::move(settings)),
      path_("kv/" + consul_.settings().prefix + "/config"),
      name_("consul:" + consul_.settings().prefix + "/config"),
      kept_file_(std::move(kept_file)) {}

SharedConfig::~SharedConfig() { stop(); }

void SharedConfig::stop() {
  if (waiting_) waiting_->stop();
  if (thread_.joinable()) thread_.join();
}

consul::Reply SharedConfig::fetch(std::uint64_t index, Call* call) {
  consul::Consul::Request request;
  request.path = path_;
  request.query = "raw=1";
  if (index > 0) {
    request.query += "&index=" + std::to_string(index) + "&wait=" + std::to_string(kWait.count()) + "ms";
    request.wait = kWait;
  }
  request.call = call;
  consul::Reply reply = consul_.send(request);
  if (reply.status == 404) reply.body.clear();  // nobody has written one
  if (reply.body.size() > kLongest)
    throw consul::Unavailable("read " + name_ + ": it has " + std::to_string(reply.body.size()) +
                              " bytes, at most 524288 are read");
  return reply;
}

config::Layer SharedConfig::parsed(const std::string& text, std::vector<config::Problem>& problems) const {
  config::Layer layer = config::readYaml(text, name_, problems);
  for (const auto& entry : layer)
    if (!belongsThere(entry.key))
      problems.push_back(
          {entry.value.where, entry.key + ": cannot be shared: it belongs into each machine's own file"});
  return layer;
}

config::Layer SharedConfig::read(std::vector<config::Problem>& problems) {
  try {
    const auto reply = fetch(0, nullptr);
    const std::lock_guard lock(mutex_);
    seen_ = read_ = reply.body;
    index_ = reply.index;
    away_.clear();
    return parsed(read_, problems);
  } catch (const consul::Unavailable& error) {
    const auto kept = readIfPresent(kept_file_);
    if (!kept && dynamic_cast<const consul::Refused*>(&error)) throw;
    if (!kept)
      throw consul::Unavailable(std::string(error.what()) + "; no shared configuration was kept in " + kept_file_ +
                                " to start with");
    const std::lock_guard lock(mutex_);
    seen_ = read_ = *kept;
    index_ = 0;
    away_ = error.what();
    return parsed(read_, problems);
  }
}

config::Layer SharedConfig::readKept(std::vector<config::Problem>& problems) {
  return parsed(readIfPresent(kept_file_).value_or(""), problems);
}

void SharedConfig::good() {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    refused_.clear();
    text = read_;
  }
  if (readIfPresent(kept_file_) != text) keep(kept_file_, text);
}

void SharedConfig::refused(const std::string& why) {
  const std::lock_guard lock(mutex_);
  refused_ = why;
}

std::string SharedConfig::whyNot() {
  const std::lock_guard lock(mutex_);
  if (!away_.empty()) return away_ + "; the last known shared configuration is used";
  if (!refused_.empty()) return refused_ + "; the last good one is used";
  return "";
}

void SharedConfig::watch(std::function<void()> changed) {
  waiting_ = std::make_unique<Waiting>();
  thread_ = std::thread([this, changed = std::move(changed)] { follow(changed); });
}

void SharedConfig::follow(const std::function<void()>& changed) {
  milliseconds pause{0};
  while (!waiting_->cancelled()) {
    waiting_->pause(pause);
    std::uint64_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      index = index_;
    }
    try {
      const auto asked = std::chrono::steady_clock::now();
      const auto reply = fetch(index, waiting_.get());
      bool other = false;
      {
        const std::lock_guard lock(mutex_);
        if (!away_.empty()) log(LogLevel::info, "the shared configuration can be read again");
        away_.clear();
        other = reply.body != seen_;
        // An index that goes backwards means that Consul's own state was put back: begin again.
        index_ = reply.index < index ? 0 : reply.index;
        seen_ = reply.body;
      }
      if (other) changed();
      // A return is no change, and a Consul that does not wait must not be asked without pause.
      const bool waited = std::chrono::steady_clock::now() - asked > milliseconds(100);
      pause = other || waited ? milliseconds(0) : kFirstPause;
    } catch (const consul::Unavailable& error) {
      const std::lock_guard lock(mutex_);
      if (away_.empty())
        log(LogLevel::warning, "the shared configuration cannot be read; the last known is used",
            {{"why", error.what()}});
      away_ = error.what();
      index_ = 0;  // the first answer is to come at once, not with the next change
      pause = std::clamp(pause * 2, kFirstPause, kLongestPause);
    } catch (const Error&) {
      return;  // stopped
    }
  }
}

}  // namespace ocelot::daemon
