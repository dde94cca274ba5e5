#pragma once
// A plugin's file, checked and loaded, and the objects made from it.
//
//   openPlugin ─ elf check ─ load ─ descriptor and tables checked ─ make… ─ objects ─ (never unloaded)
//
// *Rationale:* nothing is ever unloaded: an object, an exception or a thread of the plugin may outlive every counter,
// and the library would refuse quietly anyway once it holds one unique symbol. An upgrade is a restart.

#include <memory>
#include <string>

#include "host/plugin/description.hpp"
#include "ocelot/bind/import.hpp"
#include "ocelot/notifier.hpp"
#include "ocelot/runtime.hpp"
#include "ocelot/settings.hpp"
#include "ocelot/vcs.hpp"

struct ocelot_plugin;

namespace ocelot::plugin {

// A loaded plugin. Cheap to copy; what it refers to lives to the end of the process. [any]
class PluginLibrary {
 public:
  const std::string& path() const;
  const Description& description() const;
  const ocelot_plugin& descriptor() const;

 private:
  struct Loaded;
  explicit PluginLibrary(const Loaded& loaded) : loaded_(&loaded) {}
  friend PluginLibrary load(const std::string& path);
  const Loaded* loaded_;
};

// Checks the file and its path (see trusted_file.hpp), loads it, and checks all that it declares. Throws
// Error(not_found) when there is no such file, Error(invalid) with every fault in the message otherwise. A plugin's
// static constructors run in this process: who cannot afford their crash describes the file first (Catalog::describe).
// [any]
PluginLibrary load(const std::string& path);

// One instance, by checked settings (Catalog::settingsFor). The host in `settings` outlives it. Throws Error:
// unsupported when the plugin is of another kind, and what its constructor refused with. With `misbehaviour` in
// checking mode.
std::unique_ptr<Runtime> makeRuntime(const PluginLibrary& library, const Settings& settings,
                                     bind::Misbehaviour misbehaviour = {});
std::unique_ptr<Vcs> makeVcs(const PluginLibrary& library, const Settings& settings,
                             bind::Misbehaviour misbehaviour = {});
std::unique_ptr<Notifier> makeNotifier(const PluginLibrary& library, const Settings& settings,
                                       bind::Misbehaviour misbehaviour = {});

// The runtime's ability to keep images that come from no registry, or nothing when it has none. Lives as the runtime.
RuntimeImages* imagesOf(Runtime& runtime);

}  // namespace ocelot::plugin
