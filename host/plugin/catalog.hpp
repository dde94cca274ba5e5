#pragma once
// Where plugins are found, and how an operator's options for one become its settings. Files are named <kind>-<name>.so:
// "docker" among the runtimes is runtime-docker.so.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/plugin/plugin_library.hpp"

namespace ocelot::plugin {

struct Found {
  Kind kind = Kind::runtime;
  std::string name;  // "docker"
  std::string path;
};

// [any] thread.
class Catalog {
 public:
  // Folders are searched in order, the first file of a name wins; one that does not exist is passed over. `checker` is
  // the program ocelot-plugin-check; "": beside this program.
  explicit Catalog(std::vector<std::string> folders = defaultFolders(), std::string checker = {});

  // ../lib/ocelot/plugins beside the running program's folder: right in a build tree and where it is installed.
  static std::vector<std::string> defaultFolders();

  // Every plugin file, by kind and name.
  std::vector<Found> list() const;
  // Error(not_found) with the names that there are, and the one that was probably meant.
  std::string find(Kind kind, const std::string& name) const;

  // Loads find(kind, name), once. Throws as load() does, and Error(invalid) when it is of another kind than its name
  // says.
  PluginLibrary library(Kind kind, const std::string& name);

  // Loads and describes the file in a child process, so that one that crashes on loading hurts nobody. Throws as
  // load().
  Description describe(Call& call, const std::string& path) const;

  // Everything wrong with the options of an instance: unknown keys (with "did you mean"), missing and mistyped ones.
  // Looks no secret up.
  static std::vector<config::Problem> check(const Description& description, const config::Instance& instance);

  // The checked settings of an instance: defaults filled in, durations in ms, sizes in bytes, secrets resolved. Throws
  // config::Invalid with every problem. `host` outlives what is made from them.
  static Settings settingsFor(const Description& description, const config::Instance& instance, Host& host,
                              const config::Resolver& resolve);

 private:
  std::vector<std::string> folders_;
  std::string checker_;
  std::mutex mutex_;                             // guards loaded_
  std::map<std::string, PluginLibrary> loaded_;  // by path
};

}  // namespace ocelot::plugin
