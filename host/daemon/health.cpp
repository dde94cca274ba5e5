#include "host/daemon/health.hpp"

#include <algorithm>
#include <exception>

namespace ocelot::daemon {

void Health::add(const std::string& name, std::function<std::string()> check) {
  const std::lock_guard lock(mutex_);
  checks_[name] = {std::move(check), "", {}, false};
}

void Health::addWarning(const std::string& name, std::function<std::string()> check) {
  const std::lock_guard lock(mutex_);
  // A name of its own in the map: the same component has a check of whether it is there at all.
  checks_[name + " warning"] = {std::move(check), "", {}, true};
}

void Health::set(const std::string& name, const std::string& why_not) {
  const std::lock_guard lock(mutex_);
  checks_[name].last = why_not;
}

std::vector<Health::Item> Health::look() {
  const std::lock_guard one(asking_);
  std::map<std::string, Check> checks;
  {
    const std::lock_guard lock(mutex_);
    checks = checks_;
  }
  std::vector<Item> items;
  for (auto& [name, check] : checks) {
    const auto now = std::chrono::steady_clock::now();
    if (check.ask && now - check.asked_at >= std::chrono::seconds(1)) {
      try {
        check.last = check.ask();
      } catch (const std::exception& error) {
        check.last = error.what();
      }
      const std::lock_guard lock(mutex_);
      checks_[name].last = check.last;
      checks_[name].asked_at = std::chrono::steady_clock::now();
    }
    items.push_back({check.warning ? name.substr(0, name.rfind(' ')) : name, check.last, check.warning});
  }
  return items;
}

bool Health::ready() {
  const auto items = look();
  return std::all_of(items.begin(), items.end(), [](const Item& item) { return item.why_not.empty() || item.warning; });
}

}  // namespace ocelot::daemon
