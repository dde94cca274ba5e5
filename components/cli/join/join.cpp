// workers join: makes this machine a worker, by what `ocelot workers add` printed.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "components/cli/join/bundle.hpp"
#include "components/cli/join/carried.hpp"
#include "components/cli/join/join.hpp"
#include "components/cli/join/reach.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/service.hpp"
#include "components/cli/up/service_environment.hpp"
#include "host/builddir/directory.hpp"
#include "host/engines/engines.hpp"
#include "host/http/client.hpp"
#include "host/http/json.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsualFolder = "/etc/ocelot";
constexpr const char* kUnit = "ocelot-worker";
constexpr int kLogPort = 7701;

struct Place {
  std::string folder, config_file, environment_file;
  bool usual() const { return folder == kUsualFolder; }
};

Place placeFrom(const Arguments& arguments) {
  Place place;
  place.folder = fs::absolute(arguments.text("dir", kUsualFolder)).lexically_normal();
  if (place.folder.size() > 1 && place.folder.back() == '/') place.folder.pop_back();
  // It gets into a file of variables, which systemd and shells read.
  if (place.folder.find_first_of(" \t\r\n\"'\\$`#") != std::string::npos)
    throw Usage("--dir: `" + plain(place.folder) + "` holds blanks or quotes; take another folder");
  place.config_file = place.folder + "/server.yaml";
  place.environment_file = environmentFileOf(place.config_file);
  if (place.usual() && ::geteuid() != 0)
    throw Failure("only root may write to " + place.folder, "the command begins with sudo: paste the whole of it");
  return place;
}

std::string readInput() {
  if (isTerminal(0)) throw Usage("`ocelot workers join` reads what `ocelot workers add` printed; paste all of that");
  std::string text(kMostBundleBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(0, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Failure(std::string("read standard input: ") + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

// A worker of another version may work; one that joins would meet, or make, tables of another version.
void requireSameVersion(const std::string& theirs) {
  if (theirs == OCELOT_VERSION) return;
  throw Failure("this is ocelot " OCELOT_VERSION ", and the installation has " + plain(theirs),
                "install ocelot " + plain(theirs) + " on this machine, or upgrade the installation and add it again");
}

// The file that the package brings says nothing, and is nobody's.
void refuseConfigured(const Place& place, bool force) {
  if (force || !fs::exists(place.config_file)) return;
  std::vector<config::Problem> problems;
  if (config::readFile(place.config_file, problems).empty() && problems.empty()) return;
  throw Failure(place.config_file + " is there already: this machine has a configuration",
                "--force puts the new one in its place");
}

config::Entry* find(config::Layer& layer, const std::string& key) {
  const auto found = std::find_if(layer.begin(), layer.end(), [&](const auto& entry) { return entry.key == key; });
  return found == layer.end() ? nullptr : &*found;
}

void set(config::Layer& layer, const std::string& key, const std::string& text) {
  if (!find(layer, key)) layer.push_back({key, {}});
  config::Value& value = find(layer, key)->value;
  value = {};
  value.items = {text};
}

// The bundle's settings, with what this machine adds.
config::Layer settingsOf(const Bundle& bundle, const Place& place, const std::string& host) {
  std::vector<config::Problem> problems;
  config::Layer layer = config::readYaml(bundle.settings, "the settings of the installation", problems);
  if (!problems.empty()) throw config::Invalid(std::move(problems));
  for (const auto& [name, bytes] : bundle.files) {
    const Carried file = carriedAs(name).value();
    const std::string path = place.folder + "/" + name;
    if (file.as == Carried::As::path) set(layer, file.key, path);
    if (file.as != Carried::As::dsn_option || !find(layer, "store.dsn")) continue;
    Dsn dsn = parseDsn(find(layer, "store.dsn")->value.text());
    for (auto& [option, value] : dsn)
      if (option == file.key) value = path;
    set(layer, "store.dsn", textOf(dsn));
  }
  set(layer, "worker.listen", withPort(host.find(':') == std::string::npos ? "0.0.0.0" : "::", kLogPort));
  set(layer, "worker.public_url", "http://" + withPort(host, kLogPort));
  return layer;
}

// What a daemon of this machine will read; a certificate of its own makes it https.
config::Config combined(config::Layer& layer, const Place& place, const std::string& host) {
  std::vector<config::Problem> problems;
  const auto environment = config::readEnvironment(readEnvironmentFile(place.environment_file), problems);
  config::Config config = config::combine({layer, environment}, problems);
  if (!config.has("tls.certificate")) return config;
  set(layer, "worker.public_url", "https://" + withPort(host, kLogPort));
  return config::combine({layer, environment}, problems);
}

void writeFiles(const Bundle& bundle, const Place& place) {
  fs::create_directories(place.folder);
  Variables variables;
  for (const auto& [name, bytes] : bundle.files) {
    const std::string path = place.folder + "/" + name;
    builddir::replaceFile(path, bytes, 0600);
    if (const auto file = carriedAs(name); file->as == Carried::As::variable)
      variables[config::variableOf(file->key) + "_FILE"] = path;
  }
  if (!variables.empty()) setInEnvironmentFile(place.environment_file, variables);
}

struct Reached {
  std::string store;
  std::string without_queue;  // why wake-ups do not arrive; builds are found a little later
};

// Opens all that the worker opens. Throws what says why not.
Reached reach(const config::Config& config) {
  const auto engines = engines::open(config);
  engines.store->ping();
  for (const std::string& away : {engines.secrets->whyAway(), engines.discovery->whyAway()})
    if (!away.empty()) throw std::runtime_error(away);
  return {engines.store->describe(), engines.queue->trouble()};
}

// "" : each of them answers. Builds run without it, but for passes to their secrets, and while the store is away.
std::string whyNoAdmin(const config::Config& config) {
  http::ClientSettings settings;
  settings.ca_file = config.text("tls.ca");
  for (const auto& url : config.list("worker.admin_url")) {
    settings.url = url;
    try {
      SimpleCall call(std::chrono::seconds(10));
      HttpRequest request;
      request.url = "/healthz";
      const auto answer = http::Client(settings).send(call, request);
      if (answer.status != 200) return url + "/healthz answers " + std::to_string(answer.status);
    } catch (const Error& error) {
      return error.what();
    }
  }
  return "";
}

std::string howToStart(const Place& place) {
  if (place.usual()) return "sudo systemctl enable --now " + std::string(kUnit);
  std::string variables;
  if (fs::exists(place.environment_file)) variables = "set -a; . " + place.environment_file + "; ";
  return variables + "ocelot-worker --config " + place.config_file;
}

// true: it runs now, and at each boot. A folder of somebody's own is not the unit's.
bool start(const Arguments& arguments, const Place& place) {
  if (arguments.has("no-start") || !place.usual() || !runsSystemd()) {
    std::cerr << "start it with:  " << howToStart(place) << "\n";
    return false;
  }
  const bool ran = systemctl({"is-active", "--quiet", kUnit}).ok();
  const auto result = systemctl({"enable", "--now", kUnit});
  if (!result.ok())
    throw Failure("systemctl enable --now " + std::string(kUnit) + ": " + result.err,
                  "the configuration is written; `journalctl -u ocelot-worker` says why it does not start");
  std::cerr
      << (ran ? "ocelot-worker runs, with what it read before: `systemctl restart ocelot-worker`, once its builds "
                "may end\n"
              : "ocelot-worker is started, now and at each boot\n");
  return true;
}

std::string addressFrom(const Arguments& arguments) {
  if (!arguments.has("address")) return ownHostName();
  const std::string host = arguments.text("address");
  if (!isHost(host)) throw Usage("--address wants the name or the address by which others reach this machine");
  return host;
}

}  // namespace

int joinAsWorker(const Arguments& arguments) {
  const Place place = placeFrom(arguments);
  const std::string host = addressFrom(arguments);
  const Bundle bundle = unpack(readInput());
  requireSameVersion(bundle.version);
  refuseConfigured(place, arguments.has("force"));
  config::Layer layer = settingsOf(bundle, place, host);
  writeFiles(bundle, place);
  const config::Config config = combined(layer, place, host);
  builddir::replaceFile(
      place.config_file,
      "# Written by `ocelot workers join`; this machine's own to change.\n" + config::writeYaml(layer), 0644);
  std::cerr << "wrote " << place.config_file << " and what it needs; others find this machine at "
            << config.text("worker.public_url") << "\n";
  try {
    const Reached reached = reach(config);
    std::cerr << "reached the store: " << reached.store << "\n";
    if (!reached.without_queue.empty())
      std::cerr << paint("the queue is not reached: " + reached.without_queue, Colour::yellow, 2)
                << "\n  builds are found all the same, a little later\n";
  } catch (const std::exception& error) {
    throw Failure(error.what(),
                  "the configuration is written, and nothing was started. Mend this, then join once more "
                  "with --force, or:  " +
                      howToStart(place));
  }
  if (const std::string why = whyNoAdmin(config); !why.empty())
    std::cerr << paint("ocelot-admin is not reached: " + why, Colour::yellow, 2)
              << "\n  builds run all the same, but for passes to their secrets in Vault, and while the store is away\n";
  const bool started = start(arguments, place);
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object()
        .field("name", config.text("worker.name"))
        .field("config_file", place.config_file)
        .field("public_url", config.text("worker.public_url"))
        .field("started", started)
        .end();
    std::cout << out.text() << "\n";
  }
  std::cerr << "`ocelot workers`, where you are logged in, shows " << config.text("worker.name")
            << (started ? " now\n" : " once it runs\n");
  return kPassed;
}

}  // namespace ocelot::cli
