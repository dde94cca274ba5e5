#include "components/worker/build/source.hpp"

#include <chrono>
#include <filesystem>

#include "components/worker/build/source_folder.hpp"
#include "host/git/git.hpp"

namespace ocelot::worker {

void checkOutSource(Call& call, const builddir::Order& order, const pipeline::Clone& clone,
                    const builddir::CloneAccess& access, const SourcePlace& place,
                    const std::function<void(const std::string&)>& tell) {
  removeWorkspace(place.workspace);
  if (clone.none) {
    std::filesystem::create_directories(place.workspace);
    return;
  }
  if (order.source.kind == builddir::Source::Kind::folder)
    return copyFolder(call, order.source.folder, place.workspace);
  git::Settings settings;
  settings.folder = place.mirrors;
  settings.local_folders = place.local_repos;
  git::Git git(settings);
  git::CloneOptions options;
  options.branch = order.build.branch;
  options.depth = clone.depth;
  options.tags = clone.tags;
  options.submodules = clone.submodules;
  const CloneAccess how{order.source.url, access.username, access.password, access.ssh_key, access.known_hosts};
  git.checkout(call, how, order.build.commit, place.workspace, options,
               [&tell, last = Call::Clock::now()](std::string_view sentence) mutable {
                 // Git counts aloud; a log wants what happens, and of a long fetch how far it is now and then.
                 const bool counting =
                     sentence.find('%') != std::string_view::npos || sentence.substr(0, 7) == "remote:";
                 if (counting && Call::Clock::now() - last < std::chrono::seconds(3)) return;
                 last = Call::Clock::now();
                 tell(std::string(sentence));
               });
}

void removeWorkspace(const std::string& workspace) {
  std::error_code ignored;
  std::filesystem::remove_all(workspace, ignored);
}

}  // namespace ocelot::worker
