#include "components/cli/context.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/URI.h>
#include <arpa/inet.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "host/builddir/directory.hpp"

namespace ocelot::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string contextsPath() {
  std::string base = environment("XDG_CONFIG_HOME");
  if (base.empty()) base = (environment("HOME").empty() ? "/root" : environment("HOME")) + "/.config";
  return base + "/ocelot/contexts.json";
}

Contexts readContexts() {
  const std::string path = contextsPath();
  Contexts contexts;
  const auto bytes = builddir::readIfPresent(path, 1 << 20);
  if (!bytes) return contexts;
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0 && (file.st_mode & 077) != 0)
    throw Failure("read " + path + ": others may read it, and it holds tokens", "chmod 600 " + path);
  try {
    const auto from = Poco::JSON::Parser().parse(*bytes).extract<Poco::JSON::Object::Ptr>();
    contexts.current = from->optValue<std::string>("current", "");
    const auto all = from->getObject("contexts");
    for (const auto& name : all->getNames()) {
      const auto one = all->getObject(name);
      contexts.all[name] = {name, one->getValue<std::string>("url"), one->optValue<std::string>("token", ""),
                            one->optValue<std::string>("ca_file", ""), one->optValue<bool>("insecure", false)};
    }
  } catch (const std::exception& error) {
    throw Failure("read " + path + ": it is not what `ocelot login` writes", "remove it and log in again");
  }
  return contexts;
}

void writeContexts(const Contexts& contexts) {
  Poco::JSON::Object all, out;
  for (const auto& [name, context] : contexts.all) {
    Poco::JSON::Object one;
    one.set("url", context.url);
    one.set("token", context.token);
    if (!context.ca_file.empty()) one.set("ca_file", context.ca_file);
    if (context.insecure) one.set("insecure", true);
    all.set(name, one);
  }
  out.set("current", contexts.current);
  out.set("contexts", all);
  std::ostringstream text;
  out.stringify(text, 2);
  std::filesystem::create_directories(std::filesystem::path(contextsPath()).parent_path());
  builddir::replaceFile(contextsPath(), text.str() + "\n", 0600);
}

Context chooseContext(const Arguments& arguments) {
  Context chosen;
  const std::string url = environment("OCELOT_URL");
  if (!url.empty() && !arguments.has("context")) {
    chosen = {"", url, environment("OCELOT_TOKEN"), environment("OCELOT_CA_FILE"), false};
  } else {
    const Contexts contexts = readContexts();
    const std::string name = arguments.text("context", contexts.current);
    const auto found = contexts.all.find(name);
    if (found == contexts.all.end()) {
      if (arguments.has("context"))
        throw Failure("there is no context `" + name + "` in " + contextsPath(), "`ocelot context list` shows them");
      throw NoContext("no Ocelot server is known",
                      "`ocelot up` starts one here; `ocelot login URL` remembers one elsewhere");
    }
    chosen = found->second;
    if (!environment("OCELOT_TOKEN").empty()) chosen.token = environment("OCELOT_TOKEN");
  }
  if (!chosen.token.empty()) refuseClearText(chosen.url, chosen.insecure || !environment("OCELOT_INSECURE").empty());
  return chosen;
}

void refuseClearText(const std::string& url, bool insecure) {
  if (url.compare(0, 5, "unix:") == 0) return;
  Poco::URI parsed;
  try {
    parsed = Poco::URI(url);
  } catch (const Poco::Exception&) {
    throw Failure("`" + url + "` is not a URL", "for example https://ci.example.org");
  }
  const std::string host = parsed.getHost();
  // By number, not by how it begins: 127.0.0.1.example.org is anybody's.
  in_addr address{};
  const bool loopback = host == "localhost" || host == "::1" || host == "[::1]" ||
                        (::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
  if (parsed.getScheme() == "https" || (parsed.getScheme() == "http" && (loopback || insecure))) return;
  if (parsed.getScheme() != "http")
    throw Failure("`" + url + "` is not an http or https URL", "for example https://ci.example.org");
  throw Failure("the token would cross the network in the clear to " + host,
                "use https, or `ocelot login --insecure` (OCELOT_INSECURE=1) when you know that the network is yours");
}

}  // namespace ocelot::cli
