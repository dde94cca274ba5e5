#include "tests/live/cluster/witness.hpp"

#include <poll.h>

#include <algorithm>
#include <map>

#include "host/digest/digest.hpp"
#include "host/http/json_view.hpp"
#include "tests/support/api.hpp"
#include "tests/support/installation_processes.hpp"

namespace ocelot::test {

std::vector<std::string> formsOf(const std::string& secret) {
  std::vector<std::string> forms{secret, digest::hex(secret)};
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string whole = http::base64(std::string(before, 'x') + secret);
    // Without what its neighbours have a part in.
    const std::size_t begin = before == 0 ? 0 : 4;
    forms.push_back(whole.substr(begin, whole.size() - begin - 4));
  }
  return forms;
}

Witness::Witness(const std::string& secret) : forms_(formsOf(secret)), thread_([this] { watch(); }) {}

Witness::~Witness() {
  stopping_ = true;
  thread_.join();
}

std::vector<std::string> Witness::complaints() const {
  const std::lock_guard guard(mutex_);
  return {complaints_.begin(), complaints_.end()};
}

int Witness::guestsSeen() const {
  const std::lock_guard guard(mutex_);
  return static_cast<int>(builds_.size());
}

void Witness::complain(const std::string& what) {
  const std::lock_guard guard(mutex_);
  complaints_.insert(what);
}

void Witness::watch() {
  while (!stopping_) {
    look();
    ++looks_;
    ::poll(nullptr, 0, 100);
  }
}

void Witness::look() {
  std::map<std::string, std::set<pid_t>> guests;
  for (const pid_t pid : allProcesses()) {
    const std::string words = readFile("/proc/" + std::to_string(pid) + "/cmdline");
    for (const auto& form : forms_)
      if (words.find(form) != std::string::npos)
        complain("the secret stands on a command line: " + words.substr(0, 80));
    const std::string build = buildOfGuest(pid);
    if (!build.empty()) guests[build].insert(pid);
  }
  const std::lock_guard guard(mutex_);
  for (const auto& [build, pids] : guests) {
    builds_.insert(build);
    // Looking takes its time: one that ended meanwhile was not there together with one that began.
    const auto alive = std::count_if(pids.begin(), pids.end(), [](pid_t pid) { return !buildOfGuest(pid).empty(); });
    if (pids.size() > 1 && alive > 1)
      complaints_.insert("build " + build + " has " + std::to_string(alive) + " guests at once");
  }
}

}  // namespace ocelot::test
