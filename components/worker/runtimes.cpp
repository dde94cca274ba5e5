#include "components/worker/runtimes.hpp"

#include "host/daemon/log.hpp"

namespace ocelot::worker {

Runtimes::Runtimes(std::string program, const std::vector<builddir::RuntimeChoice>& choices) : facts_(choices.size()) {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    nurseries_.push_back(std::make_shared<Nursery>(program, choices[i]));
    facts_[i].why_not = "not asked yet";
  }
}

void Runtimes::look() {
  for (std::size_t i = 0; i < nurseries_.size(); ++i) {
    if (facts(i).usable) continue;
    const RuntimeFacts now = nurseries_[i]->probe();
    const std::string& name = nurseries_[i]->runtime().name;
    std::lock_guard guard(mutex_);
    if (now.usable) {
      daemon::log(LogLevel::info, "runtime is usable", {{"runtime", name}, {"engine", now.engine}});
    } else if (now.why_not != facts_[i].why_not) {
      daemon::log(LogLevel::warning, "runtime cannot be used", {{"runtime", name}, {"why", now.why_not}});
    }
    facts_[i] = now;
  }
}

std::shared_ptr<Nursery> Runtimes::choose() const {
  std::lock_guard guard(mutex_);
  for (std::size_t i = 0; i < nurseries_.size(); ++i)
    if (facts_[i].usable) return nurseries_[i];
  return nullptr;
}

std::string Runtimes::whyNone() const {
  std::lock_guard guard(mutex_);
  std::string why;
  for (std::size_t i = 0; i < nurseries_.size(); ++i) {
    if (facts_[i].usable) return "";
    why += (i ? "; " : "") + nurseries_[i]->runtime().name + ": " + facts_[i].why_not;
  }
  return nurseries_.empty() ? "no runtime is configured (plugins.runtimes)"
                            : "no container runtime can be used: " + why;
}

std::shared_ptr<Nursery> Runtimes::find(const std::string& name) const {
  for (const auto& nursery : nurseries_)
    if (nursery->runtime().name == name) return nursery;
  return nullptr;
}

void Runtimes::suspect(const std::string& name, const std::string& why) {
  std::lock_guard guard(mutex_);
  for (std::size_t i = 0; i < nurseries_.size(); ++i)
    if (nurseries_[i]->runtime().name == name) {
      facts_[i].usable = false;
      facts_[i].why_not = why;
    }
}

RuntimeFacts Runtimes::facts(std::size_t index) const {
  std::lock_guard guard(mutex_);
  return facts_[index];
}

}  // namespace ocelot::worker
