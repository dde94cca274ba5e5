// Entries as the text of a server.yaml.

#include <algorithm>
#include <cstdio>
#include <map>

#include "host/config/config.hpp"
#include "host/config/tables.hpp"

namespace ocelot::config {
namespace {

// What stands below a key: a value, other keys, or both (plugins.runtimes, whose names have options).
struct Branch {
  const Value* value = nullptr;
  std::map<std::string, Branch> below;
};

// Without quotes only where no reader of YAML could take it for anything but this text.
bool isPlain(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/' || c == '-' || c == '%';
  };
  if (text.empty() || text[0] == '-' || text[0] == '.' || text[0] == '%') return false;
  if (!std::all_of(text.begin(), text.end(), fits)) return false;
  for (const char* null : {"null", "Null", "NULL"})
    if (text == null) return false;
  return true;
}

std::string scalar(const std::string& text) {
  if (isPlain(text)) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string valueText(const Value& value) {
  if (!value.is_list) return (value.is_secret ? "!secret " : "") + scalar(value.text());
  std::string out = "[";
  for (const std::string& item : value.items) out += (out.size() > 1 ? ", " : "") + scalar(item);
  return out + "]";
}

class Writer {
 public:
  std::string text;

  void map(const Branch& branch, const std::string& path, const std::string& indent) {
    for (const auto& [name, child] : branch.below) {
      const std::string key = path.empty() ? name : path + "." + name;
      text += indent + name + ":";
      if (key == "plugins.runtimes") {
        runtimes(child, indent + "  ");
      } else if (isInstance(key)) {
        instance(name, child, key, indent);
      } else if (child.value) {
        text += " " + valueText(*child.value) + "\n";
      } else {
        text += "\n";
        map(child, key, indent + "  ");
      }
    }
  }

 private:
  static bool isInstance(const std::string& key) {
    return !instanceKey(key + ".plugin").kind.empty() && std::count(key.begin(), key.end(), '.') == 2;
  }

  // An instance of the plugin that bears its name need not say so.
  static Branch optionsOf(const std::string& name, const Branch& of) {
    Branch options = of;
    const auto plugin = options.below.find("plugin");
    if (plugin != options.below.end() && plugin->second.value && plugin->second.value->text() == name)
      options.below.erase(plugin);
    return options;
  }

  void instance(const std::string& name, const Branch& of, const std::string& key, const std::string& indent) {
    const Branch options = optionsOf(name, of);
    text += options.below.empty() ? " {}\n" : "\n";
    map(options, key, indent + "  ");
  }

  // In their order; where none is written, in that of their names.
  void runtimes(const Branch& of, const std::string& indent) {
    std::vector<std::string> order;
    if (of.value) order = of.value->items;
    for (const auto& [name, options] : of.below)
      if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
    text += order.empty() ? " []\n" : "\n";
    for (const std::string& name : order) {
      const auto found = of.below.find(name);
      const Branch options = found == of.below.end() ? Branch() : optionsOf(name, found->second);
      text += indent + "- " + scalar(name) + (options.below.empty() ? "\n" : ":\n");
      map(options, "plugins.runtimes." + name, indent + "    ");
    }
  }
};

}  // namespace

std::string writeYaml(const Layer& layer) {
  Branch root;
  for (const Entry& entry : layer) {
    Branch* at = &root;
    for (std::size_t begin = 0; begin <= entry.key.size();) {
      const auto end = std::min(entry.key.find('.', begin), entry.key.size());
      at = &at->below[entry.key.substr(begin, end - begin)];
      begin = end + 1;
    }
    at->value = &entry.value;
  }
  Writer writer;
  writer.map(root, "", "");
  return writer.text;
}

}  // namespace ocelot::config
