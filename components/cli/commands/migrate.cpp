// migrate: an installation of one machine into PostgreSQL, and its secrets into wherever they are kept there.

#include <filesystem>
#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/service_environment.hpp"
#include "host/engines/engines.hpp"
#include "host/http/json.hpp"
#include "host/secrets/copy.hpp"
#include "host/store/move.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

// Its own file alone: what the environment and /etc say is meant for where it moves to.
config::Config sourceConfig(const std::string& data) {
  const std::string file = data + "/server.yaml";
  return config::load(fs::exists(file) ? file : "", {}, {"data_dir=" + data, "store.kind=sqlite"});
}

std::int64_t moveSecrets(const config::Config& from, const config::Config& to) {
  const auto source_store = store::open(engines::storeSettings(from));
  const auto target_store = store::open(engines::storeSettings(to));
  return secrets::copySecrets(*engines::openSecrets(from, *source_store), *engines::openSecrets(to, *target_store));
}

int migrate(const Arguments& arguments) {
  for (const char* option : {"from", "to"})
    if (!arguments.has(option)) throw Usage("`ocelot migrate` wants --from DIR and --to FILE");
  const std::string data = fs::absolute(arguments.text("from")).lexically_normal();
  const std::string file = fs::absolute(arguments.text("to"));
  if (!fs::exists(file)) throw Failure("there is no " + file, "--to names the server.yaml of the new installation");
  const config::Config from = sourceConfig(data);
  const config::Config to = config::load(file, variablesFor(file), arguments.all("set"));
  const auto target = engines::storeSettings(to);
  const auto report = store::moveToPostgres(engines::storeSettings(from), target,
                                            [](const std::string& said) { std::cerr << said << std::endl; });
  const std::int64_t secrets = moveSecrets(from, to);
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object()
        .field("builds", report.builds)
        .field("rows", report.rows)
        .field("log_bytes", report.log_bytes)
        .field("secrets", secrets)
        .field("resumed", report.resumed)
        .field("complete_before", report.complete)
        .key("damaged_logs")
        .array();
    for (const auto& build : report.damaged) out.value(build);
    out.end().end();
    std::cout << out.text() << "\n";
  } else {
    std::cerr << (report.complete ? "there already: " : "copied ") << report.builds << " builds, " << report.rows
              << " rows, " << (report.log_bytes + 1023) / 1024 << " KiB of logs, " << secrets
              << " secrets; every row and every log compared\n";
  }
  for (const auto& build : report.damaged)
    std::cerr << paint("the log of build " + build + " is not the one that was sealed, in " + data + " already",
                       Colour::yellow, 2)
              << "\n";
  return kPassed;
}

}  // namespace

std::vector<Command> addMigrateCommands() {
  return {
      {"migrate",
       "",
       0,
       0,
       "copy an installation of one machine into PostgreSQL (and Vault)",
       "",
       {{"--from", "DIR", "its data folder"},
        {"--to", "FILE", "the server.yaml that the new installation will have"},
        {"--set", "KEY=VALUE", "a configuration key, over that file's; may be given more than once"}},
       migrate,
       {},
       "Wants every daemon stopped on either side, and an empty database. Copies repositories, builds, logs, tokens, "
       "audit and secrets, and compares what arrived. One that broke off goes on when it is started again. The source "
       "stays as it was."},
  };
}

}  // namespace ocelot::cli
