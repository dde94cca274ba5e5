#include "components/cli/checkout.hpp"

#include <filesystem>

#include "host/process/process.hpp"

namespace ocelot::cli {
std::optional<std::string> git(const std::string& folder, const std::vector<std::string>& arguments) {
  process::Command command;
  command.program = "git";
  command.arguments = arguments;
  command.environment = process::plainEnvironment();
  command.directory = folder;
  SimpleCall call(std::chrono::seconds(20));
  auto result = process::run(call, command);
  if (!result.ok()) return std::nullopt;
  while (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
  return result.out;
}

std::optional<Checkout> lookAround() {
  Checkout out;
  const std::string here = std::filesystem::current_path();
  const auto root = git(here, {"rev-parse", "--show-toplevel"});
  if (!root) return std::nullopt;
  out.root = *root;
  out.origin = git(here, {"config", "--get", "remote.origin.url"}).value_or("");
  out.head = git(here, {"rev-parse", "--verify", "--quiet", "HEAD"}).value_or("");
  out.branch = git(here, {"symbolic-ref", "--quiet", "--short", "HEAD"}).value_or("");
  if (!out.branch.empty()) {
    out.pushed = git(here, {"rev-parse", "--verify", "--quiet", "refs/remotes/origin/" + out.branch}).value_or("");
    if (!out.pushed.empty())
      out.ahead = std::stoi(git(here, {"rev-list", "--count", out.pushed + "..HEAD"}).value_or("0"));
  }
  out.dirty = !git(here, {"status", "--porcelain"}).value_or("").empty();
  return out;
}

}  // namespace ocelot::cli
