#include "components/cli/up/service_environment.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <vector>

#include "components/cli/command.hpp"
#include "host/builddir/directory.hpp"
#include "host/config/config.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 256 << 10;
constexpr const char* kBlanks = " \t\r";
constexpr const char* kFileEnd = "_FILE";

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(kBlanks);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::vector<std::string> linesOf(const std::string& path) {
  std::error_code missing;
  if (!fs::exists(path, missing)) return {};
  const auto text = builddir::readIfPresent(path, kMostBytes);
  if (!text) throw Failure("read " + path + ": it cannot be read, or is longer than 256 KiB", "run this as root");
  std::vector<std::string> lines;
  std::istringstream in(*text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The variable that a line sets; "" : none.
std::string nameIn(const std::string& line) {
  const std::string text = trimmed(line);
  const auto equals = text.find('=');
  return equals == std::string::npos || text[0] == '#' || text[0] == ';' ? "" : trimmed(text.substr(0, equals));
}

std::string valueIn(const std::string& line) {
  std::string value = trimmed(line.substr(line.find('=') + 1));
  const bool quoted = value.size() >= 2 && value.front() == value.back() && (value[0] == '"' || value[0] == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// The name of the variable that says the same in the other way: A for A_FILE, and A_FILE for A.
std::string otherWay(const std::string& name) {
  const std::string end = kFileEnd;
  return name.ends_with(end) ? name.substr(0, name.size() - end.size()) : name + end;
}

}  // namespace

std::string environmentFileOf(const std::string& config_file) {
  if (config_file.empty()) return "";
  if (config_file == "/etc/ocelot/server.yaml") return "/etc/default/ocelot";
  return fs::path(config_file).parent_path() / "environment";
}

Variables readEnvironmentFile(const std::string& path) {
  Variables variables;
  for (const std::string& line : linesOf(path))
    if (const std::string name = nameIn(line); !name.empty()) variables[name] = valueIn(line);
  return variables;
}

Variables variablesFor(const std::string& config_file) {
  Variables variables = config::processEnvironment();
  for (const auto& [name, value] : readEnvironmentFile(environmentFileOf(config_file)))
    if (variables.count(otherWay(name)) == 0) variables.emplace(name, value);
  return variables;
}

void setInEnvironmentFile(const std::string& path, const Variables& variables) {
  std::string text;
  for (const std::string& line : linesOf(path)) {
    const std::string name = nameIn(line);
    if (variables.count(name) == 0 && variables.count(otherWay(name)) == 0) text += line + "\n";
  }
  for (const auto& [name, value] : variables) text += name + "=" + value + "\n";
  fs::create_directories(fs::path(path).parent_path());
  builddir::replaceFile(path, text, 0644);
}

}  // namespace ocelot::cli
