#pragma once
// How a container is asked for, and how its state is read back.

#include <string>
#include <string_view>
#include <vector>

#include "json.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::docker {

inline constexpr const char* kOwnerLabel = "ocelot.owner";
// The folders to empty when the container is removed, a line each. Set on every container, so that an image's own
// label of that name says nothing.
inline constexpr const char* kWorkspacesLabel = "ocelot.docker.workspaces";

// Throws Error(invalid) for what no engine could run or what does not exist on this worker.
void checkSpec(const ContainerSpec& spec);

// The body of POST /containers/create.
std::string containerConfig(const ContainerSpec& spec, const std::string& bridge);

// The same for a container that empties `folder` with the shell of `image`, as root and with nothing else.
std::string sweeperConfig(const std::string& image, const std::string& owner, const std::string& folder);

struct Found {
  std::string id, name, image, owner;
  bool running = false;
  bool started = false;  // false: it was made, and its main process never ran
  Exit exit;
  std::vector<std::string> workspaces;
};
Found readInspection(const Object& inspection);

}  // namespace ocelot::docker
