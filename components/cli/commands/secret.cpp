// secret: of a repository, by the server; of the daemons themselves and of registries, in this machine's secret store,
// because a daemon that needs one may not start without.

#include <Poco/JSON/Array.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <iterator>

#include "components/cli/commands/commands.hpp"
#include "components/cli/repo_here.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/local_engines.hpp"
#include "host/http/client.hpp"
#include "host/http/json.hpp"
#include "host/runtimes/registry_access.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::cli {
namespace {

constexpr const char* kSystem = "system/";

// Whose secret it is.
enum class Owner { repository, system, registry };

Owner ownerOf(const Arguments& arguments) {
  const int given = arguments.has("repo") + arguments.has("system") + arguments.has("registry");
  if (given > 1) throw Usage("one of --repo, --system and --registry, not several");
  if (arguments.has("registry")) return Owner::registry;
  return arguments.has("system") ? Owner::system : Owner::repository;
}

// Ocelot's own keys and the secrets of hooks lie beside those that server.yaml names, and are nobody's to change.
bool isOperators(const std::string& name) {
  return name.find('/', std::string_view(kSystem).size()) == std::string::npos && name != ticket::kKeySecret;
}

// The name in the secret store.
std::string stored(Owner owner, const std::string& name) {
  if (owner == Owner::registry) return runtimes::registrySecret(name);
  if (!isOperators(kSystem + name)) throw Usage("`" + name + "` is Ocelot's own; give the secret another name");
  return kSystem + name;
}

// Never an argument: a process's arguments can be read by everybody on the machine.
std::string readValue(const std::string& what) {
  std::string value;
  if (isTerminal(0)) {
    const char* typed = ::getpass((what + ": ").c_str());
    value = typed ? typed : "";
  } else {
    value.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (!value.empty() && value.back() == '\n' && value.find('\n') == value.size() - 1) value.pop_back();
  }
  if (value.empty()) throw Usage("the value of " + what + " is empty");
  return value;
}

LocalEngines enginesHere(const Arguments& arguments) {
  const Installation installation = installationFor(arguments, VariablesOf::services);
  if (!std::filesystem::exists(installation.data_dir)) installation.makeFolders();
  becomeOwnerOf(installation.data_dir);
  return LocalEngines(installation);
}

int setLocal(const Arguments& arguments, Owner owner) {
  const std::string name = arguments.word(0), place = stored(owner, name);
  LocalEngines here = enginesHere(arguments);
  const std::string value = readValue(owner == Owner::registry ? name + ", USER:PASSWORD" : name);
  if (owner == Owner::registry) runtimes::registryAccessFrom(value);
  here.secrets().put(place, value);
  if (owner == Owner::registry)
    std::cerr << "set the credential of " << name << " in " << here.where()
              << "; from now on every build may fetch its images\n";
  else
    std::cerr << "set " << name << " in " << here.where() << "; daemons that start from now on find it as `!secret "
              << name << "`\n";
  return kPassed;
}

int set(const Arguments& arguments) {
  const Owner owner = ownerOf(arguments);
  if (owner != Owner::repository) return setLocal(arguments, owner);
  Server server(chooseContext(arguments));
  const std::string repo = chosenRepo(server, arguments.text("repo"));
  const std::string value = readValue(arguments.word(0));
  server.put(repoPath(repo) + "/secrets/" + http::encode(arguments.word(0)), jsonOf({{"value", value}}));
  std::cerr << "set " << arguments.word(0) << " of " << repo << "; a stage gets it by `secrets: [" << arguments.word(0)
            << "]` in ocelot.yml\n";
  return kPassed;
}

std::vector<std::string> namesHere(const Arguments& arguments, Owner owner) {
  LocalEngines here = enginesHere(arguments);
  std::vector<std::string> names;
  if (owner == Owner::registry) {
    for (const auto& name : here.secrets().names(runtimes::kRegistrySecrets))
      names.push_back(runtimes::registryOfSecret(name));
  } else {
    for (const auto& name : here.secrets().names(kSystem))
      if (isOperators(name)) names.push_back(name.substr(std::string_view(kSystem).size()));
  }
  return names;
}

int list(const Arguments& arguments) {
  const Owner owner = ownerOf(arguments);
  std::vector<std::string> names;
  if (owner == Owner::repository) {
    Server server(chooseContext(arguments));
    const auto array =
        server.get(repoPath(chosenRepo(server, arguments.text("repo"))) + "/secrets")->getArray("secrets");
    for (unsigned i = 0; i < array->size(); ++i) names.push_back(array->getElement<std::string>(i));
  } else {
    names = namesHere(arguments, owner);
  }
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object().key("secrets").array();
    for (const auto& name : names) out.value(name);
    out.end().end();
    std::cout << out.text() << "\n";
  } else {
    for (const auto& name : names) std::cout << name << "\n";
  }
  return kPassed;
}

int remove(const Arguments& arguments) {
  const Owner owner = ownerOf(arguments);
  const std::string name = arguments.word(0);
  if (owner == Owner::repository) {
    Server server(chooseContext(arguments));
    server.remove(repoPath(chosenRepo(server, arguments.text("repo"))) + "/secrets/" + http::encode(name));
  } else {
    const std::string place = stored(owner, name);
    LocalEngines here = enginesHere(arguments);
    if (!here.secrets().remove(place))
      throw Failure("there is no such secret in " + here.where() + ": " + name,
                    std::string("`ocelot secret list --") + (owner == Owner::system ? "system" : "registry") +
                        "` shows what there is");
  }
  std::cerr << "removed " << name << "\n";
  return kPassed;
}

}  // namespace

std::vector<Command> addSecretCommands() {
  std::vector<Option> options{
      {"--repo", "REPO", "of this repository; default: the one around us"},
      {"--system", "", "a secret that this machine's server.yaml names, as `!secret NAME`"},
      {"--registry", "", "the credential of a registry of images, USER:PASSWORD; NAME is its HOST or HOST:PORT"}};
  options.insert(options.end(), installationOptions().begin(), installationOptions().end());
  const std::string more =
      "With --system and --registry the secret store is opened on this machine, without a server: the one that "
      "server.yaml names. Run it as the user that the daemons run as, or as root.";
  return {
      {"secret set",
       "NAME",
       1,
       1,
       "set a secret; its value is asked for, or read from standard input",
       "",
       options,
       set,
       {},
       more},
      {"secret list", "", 0, 0, "show the names of secrets", "", options, list, {}},
      {"secret remove", "NAME", 1, 1, "remove a secret", "", options, remove, {}},
  };
}

}  // namespace ocelot::cli
