// Where values come from: a file, the environment, the command line.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "host/config/config.hpp"
#include "host/config/tables.hpp"
#include "host/config/values.hpp"
#include "host/config/yaml_tree.hpp"

extern char** environ;

namespace ocelot::config {
namespace {

const std::size_t kMaxFileBytes = 1 << 20;

// The content, or nullopt with the reason in `why`.
std::optional<std::string> readWhole(const std::string& path, std::size_t max_bytes, std::string& why) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    why = "is a folder, not a file";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in && !in.eof()) {
    why = std::string("cannot be read: ") + std::strerror(errno ? errno : EIO);
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > max_bytes) {
    why = "is longer than " + std::to_string(max_bytes) + " bytes";
    return std::nullopt;
  }
  return text;
}

// Turns the tree of a file into entries.
class Walk {
 public:
  Walk(const std::string& name, std::vector<Problem>& problems) : name_(name), problems_(problems) {}
  Layer take() { return std::move(layer_); }

  void map(const std::string& prefix, const Node& node) {
    for (const Node& value : node.entries) entry(prefix.empty() ? value.key : prefix + "." + value.key, value);
  }

 private:
  std::string where(const Node& node) const { return name_ + ":" + std::to_string(node.line); }
  void refuse(const Node& node, const std::string& key, const std::string& what) {
    problems_.push_back({where(node), key + ": " + what});
  }
  Value scalar(const std::string& key, const Node& node) const {
    Value value;
    value.items = {node.text};
    // One value stands for a list of it, unless it looks like several.
    const ocelot_option* option = findOption(key);
    value.is_list = option && option->type == OCELOT_LIST && !node.secret && !node.text.empty() &&
                    node.text.find_first_of(" ,") == std::string::npos;
    value.is_secret = node.secret;
    value.where = where(node);
    return value;
  }

  void entry(const std::string& key, const Node& node) {
    const bool instance = isInstance(key);
    if (key == "plugins.runtimes" && node.kind != Node::Kind::scalar) return runtimes(node);
    switch (node.kind) {
      case Node::Kind::map:
        if (!instance && !isSection(key) && instanceKey(key).kind.empty()) {
          const ocelot_option* option = findOption(key);
          if (option && option->type == OCELOT_LIST) return refuse(node, key, "must be a list, not keys with values");
          return refuse(node, key, option ? "must be one value, not keys with values" : unknown(key));
        }
        if (instance) plugin(key, node);
        return map(key, node);
      case Node::Kind::list:
        return list(key, node);
      case Node::Kind::scalar:
        if (instance) return refuse(node, key, "must hold the plugin's options: {plugin: NAME, option: value}");
        if (isSection(key)) return refuse(node, key, "must hold keys with values");
        layer_.push_back({key, scalar(key, node)});
        return;
      case Node::Kind::none:
        if (instance) return plugin(key, node);
        if (!isSection(key)) refuse(node, key, "has no value");
    }
  }

  // An instance without `plugin:` is one of the plugin that bears its name.
  void plugin(const std::string& key, const Node& node) {
    for (const Node& option : node.entries) {
      if (option.key == "plugin") return;
    }
    Value value;
    value.items = {key.substr(key.rfind('.') + 1)};
    value.where = where(node);
    layer_.push_back({key + ".plugin", value});
  }

  void list(const std::string& key, const Node& node) {
    Value value;
    value.is_list = true;
    value.where = where(node);
    for (const Node& item : node.items) {
      if (item.kind != Node::Kind::scalar || item.secret) return refuse(item, key, "must be a list of plain values");
      value.items.push_back(item.text);
    }
    layer_.push_back({key, value});
  }

  // [oci, docker: {host: …}] or {oci: , docker: {host: …}}: an order, and the options of each.
  void runtimes(const Node& node) {
    Value order;
    order.is_list = true;
    order.where = where(node);
    const auto add = [&](const std::string& name, const Node& options, const Node& at) {
      if (name.find('.') != std::string::npos) return refuse(at, "plugins.runtimes", "a name cannot hold a dot");
      order.items.push_back(name);
      entry("plugins.runtimes." + name, options);
    };
    Node empty;
    for (const Node& item : node.items) {
      empty.line = item.line;
      if (item.kind == Node::Kind::scalar && !item.secret) {
        add(item.text, empty, item);
      } else if (item.kind == Node::Kind::map) {
        for (const Node& options : item.entries) add(options.key, options, item);
      } else {
        refuse(item, "plugins.runtimes", "must be names, each maybe with options: [oci, docker: {option: value}]");
      }
    }
    for (const Node& options : node.entries) add(options.key, options, options);
    layer_.push_back({"plugins.runtimes", order});
  }

  static bool isInstance(const std::string& key) {
    return !instanceKey(key + ".plugin").kind.empty() && dots(key) == 2;
  }
  static int dots(const std::string& key) {
    int count = 0;
    for (const char c : key) count += c == '.';
    return count;
  }
  static std::string unknown(const std::string& key) {
    std::vector<std::string> names{"plugins.runtimes", "plugins.vcs", "plugins.notifiers"};
    for (const Section& section : sections()) {
      if (*section.name) names.emplace_back(section.name);
    }
    return "no such section" + didYouMean(key, names);
  }

  const std::string& name_;
  std::vector<Problem>& problems_;
  Layer layer_;
};

Value plainValue(const std::string& key, const std::string& text, const std::string& where) {
  Value value;
  value.where = where;
  const ocelot_option* option = findOption(key);
  const std::string mark = "!secret ";
  if (text.substr(0, mark.size()) == mark) {
    value.is_secret = true;
    value.items = {text.substr(mark.size())};
  } else if (option && option->type == OCELOT_LIST) {
    value.is_list = true;
    value.items = splitList(text);
  } else {
    value.items = {text};
  }
  return value;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// WORKER__MIN_FREE_DISK → worker.min_free_disk
std::string keyOfVariable(const std::string& rest) {
  std::string key;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool separator = rest.compare(i, 2, "__") == 0 && i > 0 && i + 2 < rest.size();
    key += separator ? '.' : rest[i];
    if (separator) ++i;
  }
  return lower(key);
}

// The variable that somebody meant who wrote OCELOT_WORKER_SLOTS; "" when it is none of ours.
std::string meantVariable(const std::string& rest) {
  for (const std::string& key : allKeys()) {
    std::string flat = key, variable = "OCELOT_";
    for (char& c : flat) c = c == '.' ? '_' : c;
    if (flat != lower(rest) || flat == key) continue;
    for (const char c : key) {
      variable += c == '.' ? std::string("__") : std::string(1, c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
    }
    return variable;
  }
  return "";
}

}  // namespace

Layer readYaml(const std::string& text, const std::string& name, std::vector<Problem>& problems) {
  const Node root = parseYaml(text, name, problems);
  Walk walk(name, problems);
  walk.map("", root);
  return walk.take();
}

Layer readFile(const std::string& path, std::vector<Problem>& problems) {
  std::string why;
  const auto text = readWhole(path, kMaxFileBytes, why);
  if (!text) {
    problems.push_back({path, why});
    return {};
  }
  return readYaml(*text, path, problems);
}

Layer readEnvironment(const std::map<std::string, std::string>& environment, std::vector<Problem>& problems) {
  Layer layer;
  std::map<std::string, std::string> seen;  // key → variable
  const std::string prefix = "OCELOT_", file_end = "_FILE";
  for (const auto& [name, text] : environment) {
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string rest = name.substr(prefix.size());
    std::string key = keyOfVariable(rest);
    if (key.find('.') == std::string::npos && !findOption(key)) {
      // Builds and the client have variables of this prefix too: only a near miss of a key is a mistake.
      if (const std::string meant = meantVariable(rest); !meant.empty()) {
        problems.push_back({name, "is no key (did you mean " + meant + "?)"});
      }
      continue;
    }
    std::string content = text;
    if (!findOption(key) && name.size() > file_end.size() &&
        name.compare(name.size() - file_end.size(), file_end.size(), file_end) == 0) {
      key.resize(key.size() - file_end.size());
      std::string why;
      auto read = readWhole(text, 64 << 10, why);
      if (!read) {
        problems.push_back({name, key + ": " + text + " " + why});
        continue;
      }
      content = *read;
      if (!content.empty() && content.back() == '\n') content.pop_back();
    }
    if (const auto [at, fresh] = seen.emplace(key, name); !fresh) {
      problems.push_back({name, key + ": is given twice, by " + at->second + " too"});
      continue;
    }
    layer.push_back({key, plainValue(key, content, name)});
  }
  return layer;
}

Layer readFlags(const std::vector<std::string>& key_value_pairs, std::vector<Problem>& problems) {
  Layer layer;
  for (const std::string& pair : key_value_pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.push_back({"--set", "\"" + pair + "\" must be KEY=VALUE, as in worker.slots=4"});
      continue;
    }
    const std::string key = pair.substr(0, equals);
    const ocelot_option* option = findOption(key);
    Value value = plainValue(key, pair.substr(equals + 1), "--set " + key);
    if (option && (option->flags & OCELOT_SECRET) && !value.is_secret && !value.text().empty()) {
      problems.push_back({value.where, "a secret on a command line is readable by everybody on the machine: give " +
                                           key + " by the environment, or as \"!secret NAME\""});
      continue;
    }
    layer.push_back({key, std::move(value)});
  }
  return layer;
}

std::map<std::string, std::string> processEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; at && *at; ++at) {
    const std::string pair = *at;
    const auto equals = pair.find('=');
    if (equals != std::string::npos) variables.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return variables;
}

}  // namespace ocelot::config
