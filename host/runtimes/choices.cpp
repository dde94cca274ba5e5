#include "host/runtimes/choices.hpp"

#include "host/plugin/catalog.hpp"
#include "host/plugin/folders_of.hpp"
#include "host/plugin/host_services.hpp"

namespace ocelot::runtimes {
namespace {

// The embedded runtime keeps images and containers with the rest of the worker's files.
void fillOciDefaults(config::Instance& instance, const config::Config& config) {
  const auto put = [&instance](const char* key, const std::string& text) {
    config::Value value;
    value.items = {text};
    value.where = "default";
    if (!text.empty()) instance.options.try_emplace(key, value);
  };
  put("store", config.text("data_dir") + "/images");
  put("state", config.text("run_dir") + "/oci");
  put("registry_mirror", config.text("worker.registry_mirror"));
}

}  // namespace

std::vector<builddir::RuntimeChoice> choicesOf(const config::Config& config, const config::Resolver& resolve) {
  plugin::Catalog catalog(plugin::foldersOf(config));
  plugin::HostServices host;
  std::vector<builddir::RuntimeChoice> choices;
  for (auto instance : config.runtimes()) {
    builddir::RuntimeChoice choice;
    choice.name = instance.name;
    choice.library = catalog.find(plugin::Kind::runtime, instance.plugin);
    if (instance.plugin == "oci") fillOciDefaults(instance, config);
    SimpleCall call(std::chrono::milliseconds(30000));
    choice.options =
        plugin::Catalog::settingsFor(catalog.describe(call, choice.library), instance, host, resolve).values();
    choices.push_back(std::move(choice));
  }
  return choices;
}

}  // namespace ocelot::runtimes
