#include "components/cli/checkout.hpp"

#include <filesystem>

#include "host/process/process.hpp"

namespace ocelot::cli {
namespace {

std::optional<std::string> git(const std::vector<std::string>& arguments) {
  process::Command command;
  command.program = "git";
  command.arguments = arguments;
  command.environment = process::plainEnvironment();
  command.directory = std::filesystem::current_path();
  SimpleCall call(std::chrono::seconds(20));
  auto result = process::run(call, command);
  if (!result.ok()) return std::nullopt;
  while (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
  return result.out;
}

}  // namespace

std::optional<Checkout> lookAround() {
  Checkout out;
  const auto root = git({"rev-parse", "--show-toplevel"});
  if (!root) return std::nullopt;
  out.root = *root;
  out.origin = git({"config", "--get", "remote.origin.url"}).value_or("");
  out.head = git({"rev-parse", "--verify", "--quiet", "HEAD"}).value_or("");
  out.branch = git({"symbolic-ref", "--quiet", "--short", "HEAD"}).value_or("");
  if (!out.branch.empty()) {
    out.pushed = git({"rev-parse", "--verify", "--quiet", "refs/remotes/origin/" + out.branch}).value_or("");
    if (!out.pushed.empty()) out.ahead = std::stoi(git({"rev-list", "--count", out.pushed + "..HEAD"}).value_or("0"));
  }
  out.dirty = !git({"status", "--porcelain"}).value_or("").empty();
  return out;
}

}  // namespace ocelot::cli
