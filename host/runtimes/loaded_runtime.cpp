#include "host/runtimes/loaded_runtime.hpp"

#include "host/plugin/host_services.hpp"
#include "host/plugin/plugin_library.hpp"

namespace ocelot::runtimes {

struct LoadedRuntime::Parts {
  plugin::HostServices host;
  std::unique_ptr<ocelot::Settings> settings;
};

LoadedRuntime::LoadedRuntime(const builddir::RuntimeChoice& choice) : parts_(std::make_unique<Parts>()) {
  const plugin::PluginLibrary library = plugin::load(choice.library);
  parts_->settings = std::make_unique<ocelot::Settings>(choice.name, parts_->host);
  for (const auto& [key, values] : choice.options) parts_->settings->set(key, values);
  runtime_ = plugin::makeRuntime(library, *parts_->settings);
}

LoadedRuntime::~LoadedRuntime() = default;
LoadedRuntime::LoadedRuntime(LoadedRuntime&&) noexcept = default;

}  // namespace ocelot::runtimes
