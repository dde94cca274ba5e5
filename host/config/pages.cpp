// The tables as text: the annotated defaults, and the handbook's page.

#include <cstring>

#include "host/config/config.hpp"
#include "host/config/tables.hpp"

namespace ocelot::config {
namespace {

std::string lastWord(const std::string& key) { return key.substr(key.rfind('.') + 1); }

std::string kindOf(const ocelot_option& option) {
  if (const auto allowed = choices(option.key); !allowed.empty()) {
    std::string text(allowed);
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 4) text.replace(at, 1, " or ");
    return text;
  }
  switch (option.type) {
    case OCELOT_NUMBER:
      return "number";
    case OCELOT_FLAG:
      return "true or false";
    case OCELOT_DURATION:
      return "duration";
    case OCELOT_SIZE:
      return "size";
    case OCELOT_URL:
      return "URL";
    case OCELOT_PATH:
      return "path";
    case OCELOT_LIST:
      return "list";
    default:
      return option.flags & OCELOT_SECRET ? "secret" : "text";
  }
}

std::string written(const ocelot_option& option) {
  if (!option.fallback) return "";
  return option.type == OCELOT_LIST ? "[" + std::string(option.fallback) + "]" : option.fallback;
}

const char* const kFileIntro =
    "# Every key of server.yaml at its default. A file needs only the lines that differ. Keys without a value here "
    "are\n"
    "# unset; a default in terms of data_dir or run_dir follows that key.\n";

const char* const kGuideIntro =
    R"(# Configuration

<!-- Made from the option tables in host/config; a test holds it against them. -->

One file, `/etc/ocelot/server.yaml`, serves all daemons. It needs only what differs from the defaults; `ocelot config
defaults` prints them all. Later ones win:

1. the built-in defaults,
2. the file (`--config FILE` names another),
3. with `consul.config`, [the document in Consul](operating.md#consul),
4. the environment: `OCELOT_WORKER__SLOTS=4` is `worker.slots`; `OCELOT_STORE__PASSWORD_FILE=/run/secrets/db` reads the
   value from a file; lists are separated by commas,
5. flags: `--set worker.slots=4`, as often as needed.

A mistake (a key that does not exist, a value of the wrong type, a missing one) stops the daemon before it does anything:
it names every mistake with file and line and ends with exit status 78. `ocelot-worker --check-config`, and likewise of the
other daemons, only looks.

How values are written: a duration is `10s`, `5m`, `1h30m`, `250ms` or `0`; a size is `64MiB`, `1GiB` or `4096`; a path is
absolute. A secret never stands in the file: write `!secret NAME`, and `ocelot secret set --system NAME` puts its value into the
secret store; or give it by the environment, best as `OCELOT_…_FILE`. What is marked as secret in a plugin is held to the same.

## Plugins

```yaml
plugins:
  runtimes: [oci, docker: {socket: /var/run/docker.sock}]  # what builds run in, first choice first
  vcs:                                                   # names are yours; several of a kind may stand side by side
    git: {}
    work: {plugin: git, known_hosts: "git.example.org ssh-ed25519 AAAA…"}  # its ssh_key by OCELOT_PLUGINS__VCS__WORK__SSH_KEY_FILE
  notifiers:
    chat: {plugin: webhook, url: https://chat.example.org/hook}
```

An entry's `plugin` is its own name where none is written; every other key is an option of that plugin, which
`ocelot-plugin-check --describe FILE` lists. The provider `git` is there without being written.

## Keys
)";

}  // namespace

std::string defaultsAnnotated() {
  std::string text = kFileIntro;
  for (const Section& section : sections()) {
    text += std::string("\n# ") + section.help + "\n";
    const std::string indent = *section.name ? "  " : "";
    if (*section.name) text += std::string(section.name) + ":\n";
    for (const ocelot_option* option = section.options; option->key; ++option) {
      const std::string value = written(*option);
      const bool follows = value.find('{') != std::string::npos;
      std::string kind = kindOf(*option);
      text += indent + "# " + option->help + " (" + kind + ")\n";
      text += indent + (value.empty() || follows ? "# " : "") + lastWord(option->key) + ":" +
              (value.empty() ? "" : " " + value) + "\n";
    }
    if (std::strcmp(section.name, "plugins") == 0) {
      text +=
          "  # providers by name: their plugin, and its options\n"
          "  vcs:\n"
          "    git: {plugin: git}\n"
          "  # who is told how builds end, by name: their plugin, and its options\n"
          "  # notifiers:\n";
    }
  }
  return text;
}

std::string guidePage() {
  std::string page = kGuideIntro;
  for (const Section& section : sections()) {
    page += *section.name ? "\n### " + std::string(section.name) + "\n\n" : "\n";
    page += std::string(section.help) + "\n\n| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const ocelot_option* option = section.options; option->key; ++option) {
      const std::string value = written(*option);
      page += "| `" + std::string(option->key) + "` | " + kindOf(*option) + " | " +
              (value.empty() ? "" : "`" + value + "`") + " | " + option->help + " |\n";
    }
  }
  return page;
}

}  // namespace ocelot::config
