#pragma once
// A working tree made from a mirror: its own objects, its own .git, no inode and no credential of the mirror's.

#include <string>
#include <string_view>

#include "host/git/mirror.hpp"

namespace ocelot::git {

// `folder` is empty or missing; removed again after a failure. The caller holds the mirror. Throws Mirror::Damaged when
// an object cannot be read.
void makeCheckout(Call& call, const Session& session, const Mirror& mirror, std::string_view commit,
                  const std::string& folder, const CloneOptions& options);

// The submodules of a commit, as its .gitmodules names them: only those that the tree really has.
struct Submodule {
  std::string path;  // inside the repository, checked
  std::string url;   // as written
  std::string commit;
};
std::vector<Submodule> listSubmodules(Call& call, const Session& session, const Mirror& mirror,
                                      std::string_view commit);

}  // namespace ocelot::git
