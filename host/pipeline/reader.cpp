#include "host/pipeline/reader.hpp"

#include <algorithm>
#include <set>

#include "host/pipeline/image_reference.hpp"
#include "host/pipeline/suggest.hpp"
#include "host/pipeline/values.hpp"

namespace ocelot::pipeline {

namespace {

constexpr std::size_t kMaxStages = 500;
constexpr std::size_t kMaxSuggested = 200;  // problems beyond are not shown, and comparing words costs
// A script travels as one argument of a program, of which Linux takes 128 KiB.
constexpr std::size_t kMaxScriptBytes = 96u << 10;
constexpr const char* kStagesExample = "for example `stages: [{name: test, script: make test}]`";
constexpr std::int64_t kShortestTimeout = 1000;
constexpr std::int64_t kLongestTimeout = 30LL * 86400000;

std::string inQuotes(std::string_view key) { return "`" + std::string(key) + "`"; }

const char* kindOf(const yaml::Node& node) {
  switch (node.kind) {
    case yaml::Node::Kind::null:
      return "empty";
    case yaml::Node::Kind::scalar:
      return "a text";
    case yaml::Node::Kind::list:
      return "a list";
    case yaml::Node::Kind::map:
      return "a map";
  }
  return "";
}

// `- echo "a: b"` is a map with one key to YAML, which surprises everybody once.
std::string hintForText(const yaml::Node& node) {
  if (node.kind == yaml::Node::Kind::map) return "a text that contains `: ` needs quotes, or a `|` block";
  if (node.kind == yaml::Node::Kind::list) return "a text that begins with `[` or `- ` needs quotes";
  return "";
}

std::string exampleOf(Key key) {
  if (key == Key::image) return "for example `image: debian:12`";
  return key == Key::stages ? kStagesExample : "";
}

}  // namespace

void Reader::error(int line, int column, std::string message, std::string hint) {
  problems_.push_back({line, column, std::move(message), std::move(hint), Severity::error});
}

void Reader::error(const Node& at, std::string message, std::string hint) {
  error(at.line, at.column, std::move(message), std::move(hint));
}

void Reader::warn(int line, int column, std::string message, std::string hint) {
  problems_.push_back({line, column, std::move(message), std::move(hint), Severity::warning});
}

void Reader::map(const Node& node, Scope scope, std::string_view what, const Take& take) {
  if (node.kind != Node::Kind::map) return error(node, std::string(what) + " has to be a map, and is " + kindOf(node));
  for (const yaml::Entry& entry : node.entries) {
    if (const KeySpec* spec = findKey(scope, entry.key)) {
      if (spec->key == Key::packages)
        warn(entry.line, entry.column, "`packages` has no effect", "install them in the image or in a script");
      take(spec->key, *entry.value);
      continue;
    }
    // A place for anchors.
    if (scope == Scope::root && entry.key.rfind("x-", 0) == 0) continue;
    std::string hint(adviceFor(scope, entry.key));
    if (hint.empty() && problems_.size() < kMaxSuggested) {
      const std::string_view near = nearest(entry.key, namesIn(scope));
      if (!near.empty()) hint = "did you mean `" + std::string(near) + "`?";
    }
    error(entry.line, entry.column, "unknown key " + quoted(entry.key), hint);
  }
  for (const KeySpec& spec : allKeys()) {
    if (spec.scope != scope || !spec.required) continue;
    const bool there =
        std::any_of(node.entries.begin(), node.entries.end(), [&](const yaml::Entry& e) { return e.key == spec.name; });
    if (!there) error(node, std::string(what) + " has no `" + std::string(spec.name) + "`", exampleOf(spec.key));
  }
}

std::optional<std::string> Reader::text(const Node& node, std::string_view key) {
  if (node.kind == Node::Kind::scalar) return node.text;
  if (node.kind == Node::Kind::null) {
    error(node, inQuotes(key) + " is empty", "give it a value or leave it out");
  } else {
    error(node, inQuotes(key) + " has to be a text, and is " + kindOf(node), hintForText(node));
  }
  return std::nullopt;
}

std::vector<Reader::Text> Reader::texts(const Node& node, std::string_view key, std::size_t at_most) {
  std::vector<Text> out;
  if (node.kind == Node::Kind::list) {
    if (node.items.empty()) error(node, inQuotes(key) + " is an empty list", "give it a value or leave it out");
    if (node.items.size() > at_most) {
      error(node, inQuotes(key) + " has " + std::to_string(node.items.size()) + " items; at most " +
                      std::to_string(at_most) + " are read");
      return out;
    }
    for (const yaml::NodePtr& item : node.items) {
      if (item->kind == Node::Kind::scalar) {
        out.push_back({item->text, item.get()});
      } else {
        error(*item, "an item of " + inQuotes(key) + " has to be a text, and is " + kindOf(*item), hintForText(*item));
      }
    }
  } else if (const auto one = text(node, key)) {
    out.push_back({*one, &node});
  }
  return out;
}

bool Reader::flag(const Node& node, std::string_view key, bool otherwise) {
  const auto value = text(node, key);
  if (!value) return otherwise;
  if (*value == "true") return true;
  if (*value != "false") error(node, inQuotes(key) + ": " + quoted(*value) + " is neither `true` nor `false`");
  return false;
}

std::int64_t Reader::number(const Node& node, std::string_view key, std::int64_t least, std::int64_t most) {
  const auto value = text(node, key);
  if (!value) return 0;
  const auto number = numberFrom(*value, most);
  if (number && *number >= least) return *number;
  error(node, inQuotes(key) + ": " + quoted(*value) + " is not a number from " + std::to_string(least) + " to " +
                  std::to_string(most));
  return 0;
}

std::uint64_t Reader::size(const Node& node, std::string_view key, std::uint64_t least) {
  const auto value = text(node, key);
  if (!value) return 0;
  const auto size = sizeFrom(*value);
  if (!size) {
    error(node, inQuotes(key) + ": " + quoted(*value) + " is not a size", "write it like `512m` or `2g`");
  } else if (*size < least) {
    error(node, inQuotes(key) + ": " + quoted(*value) + " is less than " + std::to_string(least) + " bytes",
          "write it like `512m` or `2g`");
  }
  return size.value_or(0);
}

std::int64_t Reader::duration(const Node& node, std::string_view key) {
  const auto value = text(node, key);
  if (!value) return 0;
  const auto duration = durationFrom(*value);
  if (!duration) {
    error(node, inQuotes(key) + ": " + quoted(*value) + " is not a duration", "write it like `90s`, `30m` or `1h30m`");
  } else if (*duration < kShortestTimeout || *duration > kLongestTimeout) {
    error(node, inQuotes(key) + ": " + quoted(*value) + " is not between 1s and 30d");
  }
  return duration.value_or(0);
}

std::string Reader::user(const Node& node) {
  const auto value = text(node, "user");
  if (!value) return "";
  if (!isUser(*value))
    error(node, "`user`: " + quoted(*value) + " is not a user", "write a name or number, with `:group` or without");
  return *value;
}

std::string Reader::oneOf(const Node& node, std::string_view key, const std::vector<std::string_view>& words) {
  const auto value = text(node, key);
  if (!value || std::find(words.begin(), words.end(), *value) != words.end()) return value.value_or("");
  std::string known;
  for (std::size_t i = 0; i < words.size(); ++i)
    known += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + inQuotes(words[i]);
  error(node, inQuotes(key) + ": " + quoted(*value) + " is unknown", "write " + known);
  return "";
}

std::string Reader::bounded(const Node& node, std::string_view key, std::size_t most) {
  const auto value = text(node, key);
  if (!value) return "";
  if (value->size() > most) error(node, inQuotes(key) + " is longer than " + std::to_string(most) + " bytes");
  if (printable(*value) != *value) error(node, inQuotes(key) + ": " + quoted(*value) + " has control characters");
  return *value;
}

Pipeline Reader::read(const Node& root) {
  Pipeline out;
  map(root, Scope::root, "the file", [&](Key key, const Node& node) {
    switch (key) {
      case Key::image:
        if (const auto value = text(node, "image")) {
          const std::string fault = imageReferenceFault(*value);
          if (!fault.empty()) error(node, "`image`: " + quoted(*value) + " is not an image reference: " + fault);
          out.image = *value;
        }
        break;
      case Key::machine_tag:
        if (const auto value = text(node, "machineTag")) {
          if (!isPlainName(*value))
            error(node, "`machineTag`: " + quoted(*value) + " is not a tag",
                  "write letters, digits, `_`, `.` and `-`, at most 64");
          out.machine_tag = *value;
        }
        break;
      case Key::build_tool:
        out.build_tool = bounded(node, "buildTool", 1024);
        break;
      case Key::packages:
        texts(node, "packages", yaml::kMaxNodes);
        break;
      case Key::branches:
        out.branches = patterns(node, "branches");
        break;
      case Key::env:
        out.env = environment(node);
        break;
      case Key::user:
        out.user = user(node);
        break;
      case Key::shell:
        if (const auto value = text(node, "shell")) {
          if (!isProgramPath(*value))
            error(node, "`shell`: " + quoted(*value) + " is not the absolute path of a program",
                  "write it like `/bin/bash`");
          out.shell = *value;
        }
        break;
      case Key::timeout:
        out.timeout_ms = duration(node, "timeout");
        break;
      case Key::network:
        out.network = oneOf(node, "network", {"bridge", "none", "host"});
        break;
      case Key::resources:
        out.resources = limits(node);
        break;
      case Key::secrets:
        out.secrets = secretNames(node);
        break;
      case Key::clone:
        out.clone = clone(node);
        break;
      case Key::keep:
        out.keep = keep(node);
        break;
      case Key::stages:
        stages(node, out);
        break;
      case Key::notify:
        notifications(node, out.notify);
        break;
      default:
        break;
    }
  });
  checkSecrets(out);
  return out;
}

Clone Reader::clone(const Node& node) {
  Clone out;
  if (node.kind == Node::Kind::scalar) {
    out.none = !flag(node, "clone", true);
    return out;
  }
  map(node, Scope::clone, "`clone`", [&](Key key, const Node& value) {
    if (key == Key::depth) out.depth = static_cast<int>(number(value, "depth", 0, 1000000));
    if (key == Key::tags) out.tags = flag(value, "tags", out.tags);
    if (key == Key::submodules) out.submodules = flag(value, "submodules", out.submodules);
    if (key == Key::lfs && flag(value, "lfs", false))
      error(value, "`lfs`: the checkout has no files of Git LFS, only their pointers",
            "run `git lfs pull` in a stage, in an image that has git-lfs");
  });
  return out;
}

Keep Reader::keep(const Node& node) {
  Keep out;
  map(node, Scope::keep, "`keep`", [&](Key key, const Node& value) {
    if (key == Key::days) out.days = static_cast<int>(number(value, "days", 1, 36500));
    if (key == Key::builds) out.builds = static_cast<int>(number(value, "builds", 1, 1000000));
  });
  return out;
}

Limits Reader::limits(const Node& node) {
  Limits out;
  map(node, Scope::resources, "`resources`", [&](Key key, const Node& value) {
    if (key == Key::memory) out.memory_bytes = size(value, "memory", 4u << 20);
    if (key == Key::disk) out.disk_bytes = size(value, "disk", 1u << 20);
    if (key == Key::pids) out.pids = static_cast<std::uint32_t>(number(value, "pids", 1, 4194304));
    if (key == Key::cpus) {
      const auto written = text(value, "cpus");
      const auto millis = written ? millisFrom(*written) : std::nullopt;
      if (written && (!millis || *millis < 10 || *millis > 1024000))
        error(value, "`cpus`: " + quoted(*written) + " is not a number from 0.01 to 1024");
      out.cpu_millis = millis.value_or(0);
    }
  });
  return out;
}

void Reader::stages(const Node& node, Pipeline& out) {
  if (node.kind != Node::Kind::list)
    return error(node, std::string("`stages` has to be a list, and is ") + kindOf(node), kStagesExample);
  if (node.items.empty()) return error(node, "`stages` is an empty list", "a build needs at least one stage");
  if (node.items.size() > kMaxStages)
    return error(node, "`stages` has " + std::to_string(node.items.size()) + " items; at most " +
                           std::to_string(kMaxStages) + " are read");
  std::set<std::string, std::less<>> names;
  for (const yaml::NodePtr& item : node.items) {
    Stage read = stage(*item);
    if (!read.name.empty() && !names.insert(read.name).second)
      error(*item, "a second stage called " + quoted(read.name), "give every stage a name of its own");
    out.stages.push_back(std::move(read));
  }
}

Stage Reader::stage(const Node& node) {
  Stage out;
  out.line = node.line;
  bool legacy_trigger = false;
  map(node, Scope::stage, "a stage", [&](Key key, const Node& value) {
    switch (key) {
      case Key::name:
        out.name = stageName(value);
        break;
      case Key::script:
        out.script = script(value);
        break;
      case Key::env:
        out.env = environment(value);
        break;
      case Key::secrets:
        out.secrets = secretNames(value);
        break;
      case Key::timeout:
        out.timeout_ms = duration(value, "timeout");
        break;
      case Key::user:
        out.user = user(value);
        break;
      case Key::when:
        out.always = oneOf(value, "when", {"success", "always"}) == "always";
        break;
      case Key::triggers:
        out.triggers = directives(value);
        break;
      case Key::trigger:
        legacy_trigger = true;
        map(value, Scope::trigger, "`trigger`",
            [&](Key, const Node& branches) { out.branches = patterns(branches, "branches"); });
        break;
      default:
        break;
    }
  });
  if (legacy_trigger && !out.triggers.empty())
    error(node, "a stage has both `trigger` and `triggers`", "write the branches as `\\branch a||b` in `triggers`");
  return out;
}

std::string Reader::stageName(const Node& node) {
  const auto name = text(node, "name");
  if (!name) return "";
  if (name->empty()) error(node, "`name` is empty", "give the stage a name");
  if (characters(*name) > 100) error(node, "`name`: " + quoted(*name) + " is longer than 100 characters");
  if (printable(*name) != *name) error(node, "`name`: " + quoted(*name) + " has control characters");
  if (!name->empty() && (name->front() == ' ' || name->back() == ' '))
    error(node, "`name`: " + quoted(*name) + " begins or ends with a space");
  return *name;
}

std::string Reader::script(const Node& node) {
  std::string out;
  const std::vector<Text> commands = texts(node, "script", yaml::kMaxNodes);
  for (const Text& command : commands) {
    out += command.value;
    if (out.empty() || out.back() != '\n') out += '\n';
  }
  const bool all_read = commands.size() == (node.kind == Node::Kind::list ? node.items.size() : 1);
  if (all_read && !commands.empty() && out.find_first_not_of(" \t\n") == std::string::npos) {
    error(node, "`script` is empty", "write at least one command");
  }
  if (out.size() > kMaxScriptBytes) {
    error(node,
          "`script` has " + std::to_string(out.size()) + " bytes; at most " + std::to_string(kMaxScriptBytes) +
              " are read",
          "keep long scripts in files of their own and call them");
  }
  return out;
}

}  // namespace ocelot::pipeline
