#include "host/pipeline/keys.hpp"

namespace ocelot::pipeline {

namespace {

constexpr std::string_view kText = R"({"type": ["string", "number", "boolean"]})";
constexpr std::string_view kTexts = R"({"$ref": "#/$defs/texts"})";
constexpr std::string_view kPatterns = R"({"$ref": "#/$defs/patterns"})";
constexpr std::string_view kEnv = R"({"$ref": "#/$defs/environment"})";
constexpr std::string_view kDuration = R"({"$ref": "#/$defs/duration"})";
constexpr std::string_view kSecrets = R"({"$ref": "#/$defs/secrets"})";
constexpr std::string_view kSize = R"({"$ref": "#/$defs/size"})";
constexpr std::string_view kUser = R"({"$ref": "#/$defs/user"})";
constexpr std::string_view kFlag = R"({"type": "boolean"})";
constexpr std::string_view kOn = R"({"$ref": "#/$defs/results"})";

constexpr KeySpec kKeys[] = {
    {Scope::root, Key::image, "image", "text", "",
     "The image that the build runs in. `debian:12` means `docker.io/library/debian:12` on every runtime.",
     R"({"type": "string", "pattern": "^[^\\s]+$", "maxLength": 512})", true},
    {Scope::root, Key::stages, "stages", "list of stages", "",
     "What is run, one after the other. The first stage that fails ends the build.",
     R"({"type": "array", "minItems": 1, "maxItems": 500, "items": {"$ref": "#/$defs/stage"}})", true},
    {Scope::root, Key::branches, "branches", "list of patterns", "every branch",
     "Branches that are built: RE2 patterns that match the whole name, or `ALL`. A person can force a build of any "
     "other.",
     kPatterns},
    {Scope::root, Key::env, "env", "map, or list of `NAME=value`", "",
     "Variables of every stage. Names that begin with `OCELOT_` are Ocelot's own.", kEnv},
    {Scope::root, Key::secrets, "secrets", "list of names", "",
     "Secrets of the repository that every stage gets as variables of the same names. Their values are masked in the "
     "log.",
     kSecrets},
    {Scope::root, Key::timeout, "timeout", "duration", "the worker's default",
     "How long the whole build may take, from 1s to 30d: `90s`, `30m`, `1h30m`.", kDuration},
    {Scope::root, Key::user, "user", "text", "the image's `USER`",
     "Who the stages run as: a name or number of the image, with `:group` or without.", kUser},
    {Scope::root, Key::shell, "shell", "path", "`/bin/sh`",
     "The program that runs the scripts, such as `/bin/bash`. It is given `-e` and the script.",
     R"({"type": "string", "pattern": "^(/[A-Za-z0-9._+-]+)+$", "maxLength": 255})"},
    {Scope::root, Key::machine_tag, "machineTag", "text", "any worker",
     "Only workers that have this tag take the build.",
     R"({"type": ["string", "number"], "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"})"},
    {Scope::root, Key::network, "network", "`bridge`, `none` or `host`", "`bridge`",
     "`bridge` reaches the outside from an address of its own; `none` has no network; `host` is the worker's own "
     "network, where the operator allows it.",
     R"({"enum": ["bridge", "none", "host"]})"},
    {Scope::root, Key::resources, "resources", "map", "the worker's defaults", "What the build may use at most.",
     R"({"$ref": "#/$defs/resources"})"},
    {Scope::root, Key::clone, "clone", "map, or `false`", "", "How the repository is checked out; `false`: not at all.",
     R"({"anyOf": [{"$ref": "#/$defs/clone"}, {"type": "boolean"}]})"},
    {Scope::root, Key::keep, "keep", "map", "what the operator configured",
     "How long builds of this repository stay. The operator's own limits hold as well.", R"({"$ref": "#/$defs/keep"})"},
    {Scope::root, Key::notify, "notify", "list of notifications", "nobody",
     "Whom to tell when the build has ended. The first Ocelot's `slack:` map is read as well.",
     R"({"$ref": "#/$defs/notify"})"},
    {Scope::root, Key::build_tool, "buildTool", "text", "",
     "Of the first Ocelot: may be any text. Nothing depends on it.", kText},
    {Scope::root, Key::packages, "packages", "list of text", "",
     "Of the first Ocelot: read and without effect, with a warning.", kTexts},

    {Scope::stage, Key::name, "name", "text", "",
     "What the stage is called: at most 100 printable characters, once in the file.",
     R"({"type": ["string", "number"], "pattern": "^[^\\u0000-\\u001f\\u007f]+$", "maxLength": 100})", true},
    {Scope::stage, Key::script, "script", "text, or list of text", "",
     "Shell commands. A list is one script, a command an item, run under `set -e`: variables and `cd` hold for the "
     "items that follow.",
     R"({"oneOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}]})",
     true},
    {Scope::stage, Key::env, "env", "map, or list of `NAME=value`", "",
     "Variables of this stage; they win over the build's.", kEnv},
    {Scope::stage, Key::secrets, "secrets", "list of names", "",
     "Secrets that only this stage gets, beside the build's.", kSecrets},
    {Scope::stage, Key::timeout, "timeout", "duration", "the build's", "How long this stage may take.", kDuration},
    {Scope::stage, Key::user, "user", "text", "the build's", "Who this stage runs as.", kUser},
    {Scope::stage, Key::when, "when", "`success` or `always`", "`success`",
     "`always`: the stage runs also after one that failed.", R"({"enum": ["success", "always"]})"},
    {Scope::stage, Key::triggers, "triggers", "list of conditions", "the stage always runs",
     "The stage runs when one of the lines holds: `\\branch a||b and \\filepath src/ or \\text \"[deploy]\"`.",
     R"({"$ref": "#/$defs/triggers"})"},
    {Scope::stage, Key::trigger, "trigger", "map", "",
     "The first Ocelot's older form of `triggers`; a stage has one or the other.", R"({"$ref": "#/$defs/trigger"})"},

    {Scope::trigger, Key::branches, "branches", "list of patterns", "every branch",
     "Branches on which the stage runs, as at the top.", kPatterns},

    {Scope::clone, Key::depth, "depth", "number", "50", "How many commits of history; `0`: all of them.",
     R"({"type": "integer", "minimum": 0, "maximum": 1000000})"},
    {Scope::clone, Key::tags, "tags", "`true` or `false`", "`false`", "Also the tags.", kFlag},
    {Scope::clone, Key::submodules, "submodules", "`true` or `false`", "`false`", "Also the submodules, and theirs.",
     kFlag},
    {Scope::clone, Key::lfs, "lfs", "`false`", "`false`",
     "Files of Git LFS are checked out as their pointers: `true` is refused. `git lfs pull` in a stage fetches them.",
     R"({"const": false})"},

    {Scope::resources, Key::memory, "memory", "size", "the worker's default",
     "Memory without swap, at least `4m`: `512m`, `2g`.", R"({"$ref": "#/$defs/size", "minimum": 4194304})"},
    {Scope::resources, Key::cpus, "cpus", "number", "the worker's default",
     "Cores, in thousandths at the finest: `2`, `0.5`.",
     R"({"oneOf": [{"type": "number", "minimum": 0.01, "maximum": 1024}, {"type": "string", "pattern": "^[0-9]+([.][0-9]{1,3})?$"}]})"},
    {Scope::resources, Key::pids, "pids", "number", "the worker's default", "Processes and threads at once.",
     R"({"type": "integer", "minimum": 1, "maximum": 4194304})"},
    {Scope::resources, Key::disk, "disk", "size", "the worker's default",
     "What may be written beside the workspace, where the runtime can tell.", kSize},

    {Scope::keep, Key::days, "days", "number", "", "Builds that ended longer ago go.",
     R"({"type": "integer", "minimum": 1, "maximum": 36500})"},
    {Scope::keep, Key::builds, "builds", "number", "", "Older builds than so many go.",
     R"({"type": "integer", "minimum": 1, "maximum": 1000000})"},

    {Scope::notification, Key::via, "via", "text", "", "The name of a notifier in the server's configuration.",
     R"({"type": "string", "minLength": 1, "maxLength": 64})", true},
    {Scope::notification, Key::target, "target", "text", "the notifier's own",
     "A channel, an address: whatever that notifier understands.", kText},
    {Scope::notification, Key::on, "on", "list of `PASS`, `FAIL`", "both",
     "Which ends are told. `FAIL` is every end but a pass and a cancel.", kOn},

    {Scope::notify, Key::slack, "slack", "map", "", "The first Ocelot's form; the same as an item with `via: slack`.",
     R"({"$ref": "#/$defs/slack"})"},

    {Scope::slack, Key::channel, "channel", "text", "the notifier's own", "`#channel` or `@user`.",
     R"({"type": "string"})"},
    {Scope::slack, Key::identifier, "identifier", "text", "", "Which stored credential of the first Ocelot was meant.",
     R"({"type": "string"})"},
    {Scope::slack, Key::on, "on", "list of `PASS`, `FAIL`", "both", "Which ends are told.", kOn},
};

struct Advice {
  Scope scope;
  std::string_view word;
  std::string_view advice;
};

constexpr Advice kAdvice[] = {
    {Scope::root, "steps", "write `stages`"},
    {Scope::root, "jobs", "write `stages`"},
    {Scope::root, "pipeline", "write `stages`"},
    {Scope::root, "on", "write `branches`, or `triggers` in a stage"},
    {Scope::root, "script", "it belongs to a stage: `stages: [{name: test, script: make test}]`"},
    {Scope::root, "environment", "write `env`"},
    {Scope::root, "variables", "write `env`"},
    {Scope::root, "workdir", "stages start in the workspace; use `cd` in the script"},
    {Scope::root, "working_dir", "stages start in the workspace; use `cd` in the script"},
    {Scope::root, "working_directory", "stages start in the workspace; use `cd` in the script"},
    {Scope::root, "workspace", "stages start in the workspace; use `cd` in the script"},
    {Scope::root, "volumes", "a repository cannot ask for files of the worker"},
    {Scope::root, "privileged", "a repository cannot ask for rights on the worker"},
    {Scope::stage, "command", "write `script`"},
    {Scope::stage, "commands", "write `script`"},
    {Scope::stage, "run", "write `script`"},
    {Scope::stage, "steps", "write `script`, a command an item"},
    {Scope::stage, "environment", "write `env`"},
    {Scope::stage, "variables", "write `env`"},
    {Scope::stage, "image", "a build has one image, at the top of the file"},
    {Scope::stage, "branches", "write `trigger: {branches: […]}`, or `triggers: ['\\branch …']`"},
    {Scope::stage, "workdir", "stages start in the workspace; use `cd` in the script"},
    {Scope::stage, "working_dir", "stages start in the workspace; use `cd` in the script"},
    {Scope::stage, "working_directory", "stages start in the workspace; use `cd` in the script"},
    {Scope::stage, "volumes", "a repository cannot ask for files of the worker"},
    {Scope::stage, "privileged", "a repository cannot ask for rights on the worker"},
};

}  // namespace

std::span<const KeySpec> allKeys() { return kKeys; }

const KeySpec* findKey(Scope scope, std::string_view name) {
  for (const KeySpec& spec : kKeys) {
    if (spec.scope == scope && spec.name == name) return &spec;
  }
  return nullptr;
}

std::vector<std::string_view> namesIn(Scope scope) {
  std::vector<std::string_view> out;
  for (const KeySpec& spec : kKeys) {
    if (spec.scope == scope) out.push_back(spec.name);
  }
  return out;
}

std::string_view prefixOf(Scope scope) {
  switch (scope) {
    case Scope::root:
      return "";
    case Scope::clone:
      return "clone.";
    case Scope::resources:
      return "resources.";
    case Scope::keep:
      return "keep.";
    case Scope::stage:
      return "stages[].";
    case Scope::trigger:
      return "stages[].trigger.";
    case Scope::notification:
      return "notify[].";
    case Scope::notify:
      return "notify.";
    case Scope::slack:
      return "notify.slack.";
  }
  return "";
}

std::string_view adviceFor(Scope scope, std::string_view unknown_name) {
  for (const Advice& advice : kAdvice) {
    if (advice.scope == scope && advice.word == unknown_name) return advice.advice;
  }
  return {};
}

}  // namespace ocelot::pipeline
