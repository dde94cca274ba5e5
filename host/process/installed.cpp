#include "host/process/installed.hpp"

#include <filesystem>

namespace ocelot::process {

std::string installedProgram(const std::string& folder, const std::string& name) {
  namespace fs = std::filesystem;
  for (const fs::path& place : {fs::path(folder) / name, fs::path(folder) / "../lib/ocelot" / name})
    if (fs::exists(place)) return fs::canonical(place);
  return "";
}

}  // namespace ocelot::process
