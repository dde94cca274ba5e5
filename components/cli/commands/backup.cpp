// backup, restore: everything that an installation on SQLite cannot make again, in one file.

#include <filesystem>
#include <iostream>
#include <map>

#include "components/cli/commands/commands.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"
#include "components/cli/up/up.hpp"
#include "host/engines/engines.hpp"
#include "host/http/json.hpp"
#include "host/store/archive.hpp"
#include "host/store/backup.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

// What goes with the store: without the key its secrets are lost, and a worker without its id is another one.
std::map<std::string, std::string> extrasOf(const Installation& installation) {
  std::map<std::string, std::string> extras{{"secret.key", installation.config.text("secrets.key_file")},
                                            {"worker-id", installation.data_dir + "/worker-id"}};
  extras["server.yaml"] =
      installation.config_file.empty() ? installation.data_dir + "/server.yaml" : installation.config_file;
  return extras;
}

void print(const store::BackupReport& report, const char* what, const std::string& file, bool json) {
  if (json) {
    http::JsonWriter out;
    out.object()
        .field("file", file)
        .field("builds", report.builds)
        .field("log_files", report.log_files)
        .field("bytes", report.bytes)
        .end();
    std::cout << out.text() << "\n";
  } else {
    std::cerr << what << file << ": " << report.builds << " builds, " << report.log_files << " logs, "
              << (report.bytes + 1023) / 1024 << " KiB\n";
  }
}

int backup(const Arguments& arguments) {
  const Installation installation = installationFor(arguments);
  const std::string file = fs::absolute(arguments.word(0));
  std::map<std::string, std::string> extras;
  for (const auto& [name, path] : extrasOf(installation))
    if (fs::exists(path)) extras[name] = path;
  print(store::backup(engines::storeSettings(installation.config), file, extras), "wrote ", file,
        arguments.has("json"));
  if (extras.count("secret.key"))
    std::cerr << paint("it holds the key of the secrets: keep it where nobody else reads it", Colour::yellow, 2)
              << "\n";
  return kPassed;
}

// The extras that this backup holds.
std::map<std::string, std::string> extrasIn(const std::string& file, const Installation& installation) {
  const std::string scratch = installation.data_dir + "/restore-look";
  std::map<std::string, std::string> extras;
  const auto all = extrasOf(installation);
  fs::remove_all(scratch);
  store::readArchive(file, [&](const std::string& name) {
    if (name.compare(0, 6, "extra/") == 0)
      if (const auto known = all.find(name.substr(6)); known != all.end()) extras.insert(*known);
    return scratch + "/" + name;
  });
  fs::remove_all(scratch);
  return extras;
}

int restore(const Arguments& arguments) {
  const Installation installation = installationFor(arguments);
  const std::string file = fs::absolute(arguments.word(0));
  if (!fs::exists(file)) throw Failure("there is no " + file, "name what `ocelot backup` wrote");
  installation.makeFolders();
  const auto alone = refuseWhileUp(installation);
  const auto report = store::restore(engines::storeSettings(installation.config), file, extrasIn(file, installation),
                                     arguments.has("force"));
  print(report, "restored ", file, arguments.has("json"));
  return kPassed;
}

std::vector<Option> with(std::vector<Option> options) {
  options.insert(options.end(), installationOptions().begin(), installationOptions().end());
  return options;
}

}  // namespace

std::vector<Command> addBackupCommands() {
  return {
      {"backup",
       "FILE",
       1,
       1,
       "write builds, logs, keys and configuration to a file",
       "",
       with({}),
       backup,
       {},
       "Everything may go on running meanwhile. Of a store in PostgreSQL, pg_dump is the backup."},
      {"restore",
       "FILE",
       1,
       1,
       "put back what `ocelot backup` wrote",
       "",
       with({{"--force", "", "move what is there aside, to before-restore-TIME in the store's folder"}}),
       restore,
       {},
       "Refuses while `ocelot up` or a daemon uses the store."},
  };
}

}  // namespace ocelot::cli
