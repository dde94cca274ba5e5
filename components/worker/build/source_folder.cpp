#include "components/worker/build/source_folder.hpp"

#include <filesystem>
#include <system_error>

#include "host/process/process.hpp"

namespace ocelot::worker {
namespace {

namespace fs = std::filesystem;

constexpr auto kCopy =
    fs::copy_options::copy_symlinks | fs::copy_options::recursive | fs::copy_options::overwrite_existing;

void copyOne(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::create_directories(to.parent_path(), failed);
  if (!failed) fs::copy(from, to, kCopy, failed);
  if (failed) throw Error(Status::internal, "copy " + from.string() + " to " + to.string() + ": " + failed.message());
}

}  // namespace

void copyFolder(Call& call, const std::string& from, const std::string& to) {
  if (!fs::exists(fs::path(from) / ".git")) return copyOne(from, to);
  process::Command list;
  list.program = "git";
  list.arguments = {"-c", "safe.directory=*", "-c",       "core.fsmonitor=false", "-C", from, "ls-files",
                    "-z", "--cached",         "--others", "--exclude-standard"};
  list.environment = process::plainEnvironment();
  list.max_output_bytes = 256u << 20;
  const auto files = process::run(call, list);
  if (!files.ok() || files.out_truncated)
    throw Error(Status::invalid, "list the files of " + from + ": " + (files.ok() ? "too many" : files.err));
  for (std::size_t begin = 0, end; (end = files.out.find('\0', begin)) != std::string::npos; begin = end + 1) {
    const fs::path file = files.out.substr(begin, end - begin);
    call.check("copying " + from);
    // Tracked files may have been deleted; a submodule is a folder and is copied whole.
    if (fs::symlink_status(from / file).type() != fs::file_type::not_found) copyOne(from / file, to / file);
  }
  copyOne(fs::path(from) / ".git", fs::path(to) / ".git");
}

}  // namespace ocelot::worker
