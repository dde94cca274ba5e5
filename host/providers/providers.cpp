#include "host/providers/providers.hpp"

#include <algorithm>

#include "host/plugin/catalog.hpp"
#include "host/plugin/folders_of.hpp"
#include "host/plugin/host_services.hpp"
#include "host/plugin/plugin_library.hpp"

namespace ocelot::providers {
namespace {

constexpr const char* kAlwaysThere = "git";

}  // namespace

struct Providers::Slot {
  config::Instance instance;
  std::mutex mutex;  // guards provider: a handle is serial
  std::unique_ptr<plugin::HostServices> host;
  std::unique_ptr<Vcs> provider;
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
  Slot& chosen = slot(name);
  std::lock_guard guard(chosen.mutex);
  if (!chosen.provider) {
    plugin::Catalog catalog(plugin::foldersOf(config_));
    const auto library = catalog.library(plugin::Kind::vcs, chosen.instance.plugin);
    config::Instance instance = chosen.instance;
    if (instance.plugin == kAlwaysThere) fillGitDefaults(instance);
    chosen.host = std::make_unique<plugin::HostServices>();
    try {
      chosen.provider = plugin::makeVcs(
          library, plugin::Catalog::settingsFor(library.description(), instance, *chosen.host, resolve_));
    } catch (const config::Invalid& invalid) {
      throw Error(Status::invalid, invalid.what());
    }
  }
  use(*chosen.provider);
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
