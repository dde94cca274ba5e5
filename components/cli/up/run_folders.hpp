#pragma once
// Run folders lie in memory, each beside those of other installations: one whose data folder was removed would stay
// there until the machine is started anew.

#include <string>
#include <vector>

#include "host/builddir/directory.hpp"

namespace ocelot::cli {

// Says in the run folder whose it is, and holds it as long as the lock lives. Throws Failure when another holds it.
builddir::Lock holdRunFolder(const std::string& run_dir, const std::string& data_dir);

// Removes the folders `base`/ocelot-NUMBER that say whose they are, when that data folder is gone, nobody holds them
// and nothing is mounted in them. Returns what was removed.
std::vector<std::string> sweepRunFolders(const std::string& base);

}  // namespace ocelot::cli
