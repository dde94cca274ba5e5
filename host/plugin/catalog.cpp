#include "host/plugin/catalog.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "host/plugin/describing.hpp"
#include "host/plugin/trusted_file.hpp"
#include "host/process/process.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::plugin {
namespace {

namespace fs = std::filesystem;

fs::path programFolder() {
  std::error_code none;
  return fs::read_symlink("/proc/self/exe", none).parent_path();
}

// "runtime-docker.so" → {runtime, "docker"}; nothing for other files.
std::optional<Found> foundFrom(const fs::path& path) {
  if (path.extension() != ".so") return std::nullopt;
  const std::string stem = path.stem().string();
  const auto dash = stem.find('-');
  if (dash == std::string::npos || dash + 1 == stem.size()) return std::nullopt;
  const auto kind = kindFrom(std::string_view(stem).substr(0, dash));
  if (!kind) return std::nullopt;
  return Found{*kind, stem.substr(dash + 1), path.string()};
}

std::string inOneLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > 1000) text.resize(1000);
  return text;
}

}  // namespace

Catalog::Catalog(std::vector<std::string> folders, std::string checker)
    : folders_(std::move(folders)), checker_(std::move(checker)) {
  if (checker_.empty()) checker_ = (programFolder() / "ocelot-plugin-check").string();
}

std::vector<std::string> Catalog::defaultFolders() {
  return {(programFolder() / "../lib/ocelot/plugins").lexically_normal().string()};
}

std::vector<Found> Catalog::list() const {
  std::map<std::pair<Kind, std::string>, Found> all;
  for (const std::string& folder : folders_) {
    std::error_code error;
    // The real path, because openTrusted() follows no link: an operator may well name a folder by one.
    const fs::path real = fs::canonical(folder, error);
    if (error) continue;
    for (fs::directory_iterator at(real, error), end; !error && at != end; at.increment(error))
      if (auto found = foundFrom(at->path())) all.emplace(std::pair(found->kind, found->name), *found);
  }
  std::vector<Found> sorted;
  sorted.reserve(all.size());
  for (auto& [key, found] : all) sorted.push_back(std::move(found));
  return sorted;
}

std::string Catalog::find(Kind kind, const std::string& name) const {
  std::vector<std::string> names;
  for (const Found& found : list()) {
    if (found.kind != kind) continue;
    if (found.name == name) return found.path;
    names.push_back(found.name);
  }
  std::string message = "no " + std::string(nameOf(kind)) + " plugin \"" + name + "\" (" + std::string(nameOf(kind)) +
                        "-" + name + ".so) in";
  for (const std::string& folder : folders_) message += " " + folder;
  const std::string meant = nearest(name, names);
  if (!meant.empty()) {
    message += "; did you mean \"" + meant + "\"?";
  } else if (!names.empty()) {
    message += "; there are:";
    for (const std::string& known : names) message += " " + known;
  }
  throw Error(Status::not_found, message);
}

PluginLibrary Catalog::library(Kind kind, const std::string& name) {
  const std::string path = find(kind, name);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = loaded_.find(path);
  if (known != loaded_.end()) return known->second;
  PluginLibrary loaded = load(path);
  if (!loaded.description().offers(kind))
    throw Error(Status::invalid, "plugin " + path + " is named as a " + std::string(nameOf(kind)) +
                                     " plugin, and offers none; rename it <kind>-<name>.so");
  return loaded_.emplace(path, std::move(loaded)).first->second;
}

Description Catalog::describe(Call& call, const std::string& path) const {
  // The path is checked here and not by the child: the child runs what it is given.
  openTrusted(path);
  process::Command command;
  command.program = checker_;
  command.arguments = {"--describe", path};
  command.environment = process::plainEnvironment();
  command.max_output_bytes = 4u << 20;
  const process::Result result = process::run(call, command);
  if (result.ok() && !result.out_truncated) return descriptionFrom(result.out);
  const std::string said = inOneLine(result.err);
  if (result.signal != 0)
    throw Error(Status::invalid, "plugin " + path + ": it crashes while it is loaded (signal " +
                                     std::to_string(result.signal) + ", " + strsignal(result.signal) + ")" +
                                     (said.empty() ? "" : "; its last words: " + said));
  // The checker's own sentences begin with the path.
  if (result.exit_code == 1 && said.rfind(path, 0) == 0) throw Error(Status::invalid, "plugin " + said);
  throw Error(Status::invalid, "plugin " + path + ": it ends the program that loads it (exit status " +
                                   std::to_string(result.exit_code) + ")" +
                                   (said.empty() ? "" : "; its last words: " + said));
}

}  // namespace ocelot::plugin
