#include "host/plugin/folders_of.hpp"

#include "host/plugin/catalog.hpp"

namespace ocelot::plugin {

std::vector<std::string> foldersOf(const config::Config& config) {
  std::vector<std::string> folders = config.list("plugins.folders");
  // A build tree and a relocated installation find their own plugins before those of the system.
  const std::vector<std::string> own = Catalog::defaultFolders();
  folders.insert(config.where("plugins.folders") == "default" ? folders.begin() : folders.end(), own.begin(),
                 own.end());
  return folders;
}

}  // namespace ocelot::plugin
