// Plugins, and what the runtimes among them can do here. Each is asked in a process of its own.

#include "components/cli/doctor/check.hpp"
#include "components/cli/run/probe.hpp"
#include "host/plugin/catalog.hpp"
#include "host/plugin/folders_of.hpp"
#include "host/runtimes/choices.hpp"

namespace ocelot::cli {

void checkPlugins(const Installation& installation, Checks& checks) {
  const auto folders = plugin::foldersOf(installation.config);
  const plugin::Catalog catalog(folders);
  const auto all = catalog.list();
  for (const auto& found : all) {
    const std::string what = "plugin " + std::string(plugin::nameOf(found.kind)) + "-" + found.name;
    try {
      SimpleCall call(std::chrono::milliseconds(10000));
      const auto description = catalog.describe(call, found.path);
      if (!description.offers(found.kind)) {
        checks.push_back({Health::fail, what, found.path + " offers no " + std::string(plugin::nameOf(found.kind)),
                          "rename it <kind>-<name>.so"});
      } else {
        checks.push_back({Health::ok, what, description.version, ""});
      }
    } catch (const Error& error) {
      checks.push_back({Health::fail, what, error.what(), "ocelot-plugin-check " + found.path + " says more"});
    }
  }
  if (!all.empty()) return;
  std::string list;
  for (const auto& folder : folders) list += (list.empty() ? "" : ", ") + folder;
  checks.push_back({Health::fail, "plugins", "there are none in " + list, "install them, or set plugins.folders"});
}

void checkRuntimes(const Installation& installation, Checks& checks) {
  try {
    bool usable = false;
    const auto choices = runtimes::choicesOf(installation.config, {});
    std::vector<RuntimeFacts> all;
    for (const auto& choice : choices) {
      all.push_back(probe(choice));
      usable = usable || all.back().usable;
    }
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const RuntimeFacts& facts = all[i];
      std::string features;
      for (const auto& [name, value] : facts.features) features += (features.empty() ? "" : ", ") + name + " " + value;
      const std::string what = "runtime " + choices[i].name;
      if (facts.usable) {
        checks.push_back({Health::ok, what, facts.engine + (features.empty() ? "" : " (" + features + ")"), ""});
      } else {
        checks.push_back({usable ? Health::warn : Health::fail, what, facts.why_not,
                          usable ? "" : "install crun, or choose a runtime that is here in plugins.runtimes"});
      }
    }
    if (choices.empty()) checks.push_back({Health::fail, "runtime", "none is configured", "plugins.runtimes: [oci]"});
  } catch (const config::Invalid& invalid) {
    for (const auto& problem : invalid.problems())
      checks.push_back({Health::fail, "configuration", problem.where + ": " + problem.what,
                        "`ocelot config defaults` explains each key"});
  } catch (const std::exception& error) {
    checks.push_back({Health::fail, "runtime", error.what(), "set plugins.runtimes to what is installed"});
  }
}

}  // namespace ocelot::cli
