#include "host/providers/providers.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "host/plugin/catalog.hpp"
#include "host/plugin/folders_of.hpp"
#include "host/plugin/host_services.hpp"
#include "host/plugin/plugin_library.hpp"

namespace ocelot::providers {
namespace {

constexpr const char* kAlwaysThere = "git";
constexpr int kHandles = 4;  // of one provider at once

}  // namespace

struct Providers::Handle {
  plugin::HostServices host;
  std::unique_ptr<Vcs> vcs;
};

struct Providers::Slot {
  config::Instance instance;
  std::mutex mutex;  // guards what follows
  std::condition_variable returned;
  std::vector<std::unique_ptr<Handle>> idle;
  int handles = 0;
};

// A handle for one caller: an idle one, a new one where there may be more, else the first that is given back.
class Providers::Loan {
 public:
  Loan(Providers& providers, Slot& slot) : slot_(slot) {
    {
      std::unique_lock lock(slot_.mutex);
      slot_.returned.wait(lock, [this] { return !slot_.idle.empty() || slot_.handles < kHandles; });
      if (!slot_.idle.empty()) {
        handle_ = std::move(slot_.idle.back());
        slot_.idle.pop_back();
        return;
      }
      ++slot_.handles;
    }
    try {
      handle_ = providers.make(slot_.instance);
    } catch (...) {
      std::lock_guard guard(slot_.mutex);
      --slot_.handles;
      slot_.returned.notify_one();
      throw;
    }
  }
  ~Loan() {
    std::lock_guard guard(slot_.mutex);
    slot_.idle.push_back(std::move(handle_));
    slot_.returned.notify_one();
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  Vcs& vcs() { return *handle_->vcs; }

 private:
  Slot& slot_;
  std::unique_ptr<Handle> handle_;
};

Providers::Providers(const config::Config& config, config::Resolver resolve)
    : config_(config), resolve_(std::move(resolve)) {
  for (auto& instance : config.vcs()) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->instance = std::move(instance);
  }
  const auto names_all = names();
  if (std::find(names_all.begin(), names_all.end(), kAlwaysThere) == names_all.end()) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->instance.name = slots_.back()->instance.plugin = kAlwaysThere;
    slots_.back()->instance.where = "default";
  }
}

Providers::~Providers() = default;

std::vector<std::string> Providers::names() const {
  std::vector<std::string> all;
  for (const auto& slot : slots_) all.push_back(slot->instance.name);
  return all;
}

Providers::Slot& Providers::slot(const std::string& name) {
  for (const auto& slot : slots_)
    if (slot->instance.name == name) return *slot;
  std::string known;
  for (const auto& other : names()) known += (known.empty() ? "" : ", ") + other;
  throw Error(Status::not_found, "VCS provider `" + name + "` is not configured (plugins.vcs has: " + known + ")");
}

void Providers::with(const std::string& name, const std::function<void(Vcs&)>& use) {
  Loan loan(*this, slot(name));
  use(loan.vcs());
}

std::vector<Head> Providers::heads(Call& call, const std::string& name, const Repo& repo) {
  return shared_heads_.of(call, name + ' ' + repo.url, [&] {
    std::vector<Head> found;
    with(name, [&](Vcs& vcs) { found = vcs.heads(call, repo); });
    return found;
  });
}

std::unique_ptr<Providers::Handle> Providers::make(config::Instance instance) const {
  plugin::Catalog catalog(plugin::foldersOf(config_));
  const auto library = catalog.library(plugin::Kind::vcs, instance.plugin);
  if (instance.plugin == kAlwaysThere) fillGitDefaults(instance);
  auto handle = std::make_unique<Handle>();
  try {
    handle->vcs =
        plugin::makeVcs(library, plugin::Catalog::settingsFor(library.description(), instance, handle->host, resolve_));
  } catch (const config::Invalid& invalid) {
    throw Error(Status::invalid, "VCS provider `" + instance.name + "`: " + invalid.what());
  }
  return handle;
}

// The git plugin keeps its cache with the rest of the data, and reads local repositories where workers may.
void Providers::fillGitDefaults(config::Instance& instance) const {
  const auto value = [](std::vector<std::string> items, bool list) {
    config::Value out;
    out.items = std::move(items);
    out.is_list = list;
    out.where = "default";
    return out;
  };
  instance.options.try_emplace("cache", value({config_.text("data_dir") + "/vcs-" + instance.name}, false));
  if (!config_.list("worker.local_repos").empty())
    instance.options.try_emplace("local_repos", value(config_.list("worker.local_repos"), true));
}

Identified Providers::identify(Call& call, const std::string& url, const std::string& provider) {
  std::vector<std::string> order = provider.empty() ? names() : std::vector{provider};
  // "git" knows every URL, so a forge's own provider is asked before it.
  std::stable_partition(order.begin(), order.end(), [](const std::string& name) { return name != kAlwaysThere; });
  std::string why;
  for (const auto& name : order) {
    try {
      Identified found;
      with(name, [&](Vcs& vcs) { found = {name, vcs.identify(call, url)}; });
      return found;
    } catch (const Error& error) {
      if (error.status() != Status::not_found) throw;
      why += (why.empty() ? "" : "; ") + name + ": " + error.what();
    }
  }
  throw Error(Status::not_found, "no VCS provider knows this repository: " + why);
}

}  // namespace ocelot::providers
