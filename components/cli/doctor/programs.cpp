// Ocelot's own programs, and the tools that it drives.

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "components/cli/doctor/check.hpp"
#include "host/process/process.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBelongTogether = "install all of Ocelot's programs from the same build";

process::Result runQuickly(const std::string& program, std::vector<std::string> arguments) {
  process::Command command;
  command.program = program;
  command.arguments = std::move(arguments);
  command.environment = process::plainEnvironment();
  command.max_output_bytes = 64u << 10;
  SimpleCall call(std::chrono::milliseconds(10000));
  return process::run(call, command);
}

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// "git version 2.39.5" → {2, 39}; {0, 0} when there is no number.
std::pair<int, int> versionIn(const std::string& text) {
  const std::size_t digit = text.find_first_of("0123456789");
  if (digit == std::string::npos) return {0, 0};
  const int major = std::atoi(text.c_str() + digit);
  const std::size_t dot = text.find('.', digit);
  return {major, dot == std::string::npos ? 0 : std::atoi(text.c_str() + dot + 1)};
}

void checkProgram(const Installation& installation, const std::string& name, Checks& checks) {
  const std::string path = installation.findProgram(name);
  if (path.empty()) {
    checks.push_back({Health::fail, name, "is not in " + installation.programs, kBelongTogether});
    return;
  }
  const auto result = runQuickly(path, {"--version"});
  const std::string said = firstLine(result.out);
  if (!result.ok()) {
    checks.push_back({Health::fail, name, "does not start: " + firstLine(result.err), kBelongTogether});
  } else if (said.find(OCELOT_VERSION) == std::string::npos) {
    checks.push_back({Health::warn, name, said + ", and this is " OCELOT_VERSION, kBelongTogether});
  } else {
    checks.push_back({Health::ok, name, said.substr(said.rfind(' ') + 1), ""});
  }
}

// The guest runs in images that hold nothing: it must need no library, and be for this machine's processor.
std::string faultOfGuest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> head(4096);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  Elf64_Ehdr header{};
  Elf64_Ehdr ours{};
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::vector<char> own(sizeof ours);
  self.read(own.data(), static_cast<std::streamsize>(own.size()));
  if (head.size() < sizeof header || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0) return "is no program";
  std::memcpy(&header, head.data(), sizeof header);
  std::memcpy(&ours, own.data(), sizeof ours);
  if (header.e_machine != ours.e_machine) return "is for another processor";
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    const std::size_t at = header.e_phoff + i * header.e_phentsize;
    if (at + sizeof part > head.size()) return "has a header that cannot be read";
    std::memcpy(&part, head.data() + at, sizeof part);
    if (part.p_type == PT_INTERP) return "needs shared libraries, which images do not have";
  }
  return "";
}

void checkGuest(const Installation& installation, Checks& checks) {
  const std::string name = "ocelot-guest", path = installation.findProgram(name);
  if (path.empty()) {
    checks.push_back(
        {Health::fail, name, "is neither in " + installation.programs + " nor in ../lib/ocelot", kBelongTogether});
    return;
  }
  if (const std::string fault = faultOfGuest(path); !fault.empty()) {
    checks.push_back(
        {Health::fail, name, path + " " + fault, "build it static, for this machine; or set worker.guest"});
    return;
  }
  // 64: "wrong arguments" is the answer of a guest that was started without any.
  const auto result = runQuickly(path, {});
  if (result.exit_code == 64) {
    checks.push_back({Health::ok, name, "static, and it runs", ""});
  } else {
    checks.push_back(
        {Health::fail, name,
         path + " does not run here (exit status " + std::to_string(result.exit_code) + "): " + firstLine(result.err),
         "is its file system mounted noexec?"});
  }
}

struct Tool {
  const char* name;
  std::vector<std::string> arguments;
  std::pair<int, int> least;
  Health missing;
  const char* remedy;
};

void checkTool(const Tool& tool, Checks& checks) {
  try {
    const auto result = runQuickly(tool.name, tool.arguments);
    std::string said = firstLine(result.out.empty() ? result.err : result.out);
    const auto version = versionIn(said);
    if (const std::size_t digit = said.find_first_of("0123456789"); digit != std::string::npos) said.erase(0, digit);
    if (version < tool.least) {
      checks.push_back({Health::fail, tool.name,
                        said + " is too old: " + std::to_string(tool.least.first) + "." +
                            std::to_string(tool.least.second) + " is needed",
                        tool.remedy});
    } else {
      checks.push_back({Health::ok, tool.name, said, ""});
    }
  } catch (const Error& error) {
    checks.push_back(
        {tool.missing, tool.name, error.status() == Status::not_found ? "not installed" : error.what(), tool.remedy});
  }
}

bool onPath(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string folders = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    if (::access((folders.substr(begin, end - begin) + "/" + program).c_str(), X_OK) == 0) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

void checkPrograms(const Installation& installation, Checks& checks) {
  for (const char* name : {"ocelot-admin", "ocelot-worker", "ocelot-hookhandler", "ocelot-poller"})
    checkProgram(installation, name, checks);
  checkGuest(installation, checks);
}

void checkTools(const Installation& installation, Checks& checks) {
  // git 2.38: what keeps a stranger's repository from running programs of its own came until then.
  checkTool({"git", {"--version"}, {2, 38}, Health::fail, "apt-get install git"}, checks);
  const auto runtimes = installation.config.runtimes();
  const bool oci = std::any_of(runtimes.begin(), runtimes.end(), [](const auto& one) { return one.plugin == "oci"; });
  if (!oci) return;
  if (onPath("crun") || !onPath("runc")) {
    checkTool({"crun", {"--version"}, {0, 0}, Health::fail, "apt-get install crun"}, checks);
  } else {
    checkTool({"runc", {"--version"}, {0, 0}, Health::fail, "apt-get install crun"}, checks);
  }
  checkTool({"skopeo",
             {"--version"},
             {0, 0},
             Health::warn,
             "apt-get install skopeo: without it no image comes from a registry"},
            checks);
  if (installation.config.text("worker.network") != "bridge") return;
  std::string found;
  for (const char* folder : {"/usr/lib/cni", "/opt/cni/bin"})
    if (found.empty() && fs::exists(std::string(folder) + "/bridge")) found = folder;
  if (found.empty()) {
    checks.push_back({Health::warn, "CNI plugins", "not installed",
                      "apt-get install containernetworking-plugins; or worker.network: host"});
  } else {
    checks.push_back({Health::ok, "CNI plugins", "in " + found, ""});
  }
}

}  // namespace ocelot::cli
