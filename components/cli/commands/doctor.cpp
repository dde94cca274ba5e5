// doctor: what is missing here, and what to do about it.

#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/doctor/check.hpp"
#include "components/cli/terminal.hpp"
#include "host/http/json.hpp"

namespace ocelot::cli {
namespace {

struct Shown {
  const char* word;
  Colour colour;
};
constexpr Shown kShown[] = {{"ok", Colour::green}, {"warn", Colour::yellow}, {"fail", Colour::red}};

const Shown& shown(Health health) { return kShown[static_cast<std::size_t>(health)]; }

void print(const Checks& checks, bool json) {
  if (json) {
    http::JsonWriter out;
    out.object().key("checks").array();
    for (const auto& check : checks)
      out.object()
          .field("health", shown(check.health).word)
          .field("what", check.what)
          .field("found", check.found)
          .field("remedy", check.remedy)
          .end();
    out.end().end();
    std::cout << out.text() << "\n";
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& check : checks)
    rows.push_back(
        {paint(shown(check.health).word, shown(check.health).colour), plain(check.what),
         plain(check.found) + (check.remedy.empty() ? "" : "; " + paint(plain(check.remedy), Colour::bold))});
  std::cout << table(rows);
}

int doctor(const Arguments& arguments) {
  Checks checks;
  try {
    const Installation installation = installationFor(arguments);
    checks.push_back({Health::ok, "configuration",
                      installation.config_file.empty() ? "no server.yaml; the defaults hold" : installation.config_file,
                      ""});
    checkPrograms(installation, checks);
    checkTools(installation, checks);
    checkFolders(installation, checks);
    checkPlugins(installation, checks);
    checkRuntimes(installation, checks);
  } catch (const config::Invalid& invalid) {
    for (const auto& problem : invalid.problems())
      checks.push_back({Health::fail, "configuration", problem.where + ": " + problem.what,
                        "`ocelot config defaults` explains each key"});
  }
  checkServer(arguments, checks);
  print(checks, arguments.has("json"));
  for (const auto& check : checks)
    if (check.health == Health::fail) return kError;
  return kPassed;
}

}  // namespace

std::vector<Command> addDoctorCommand() {
  return {{"doctor", "", 0, 0, "check this machine, and say what to do", "Server", installationOptions(), doctor, {}}};
}

}  // namespace ocelot::cli
