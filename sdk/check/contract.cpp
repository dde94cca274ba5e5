#include "check/contract.hpp"

#include <cstring>
#include <functional>
#include <set>

#include "ocelot/abi/notifier.h"
#include "ocelot/abi/runtime.h"
#include "ocelot/abi/vcs.h"
#include "ocelot/option_values.hpp"

namespace ocelot::check {
namespace {

// Longer than any table of this major will get; a bigger size is a pointer or garbage.
constexpr std::uint32_t kMostBytes = 64 * 1024;
constexpr int kMostOptions = 1000;
constexpr std::size_t kMostFaults = 50;
constexpr std::size_t kMostText = 4096;

struct Member {
  const char* name;
  std::size_t offset;
  bool required;
};
struct Table {
  const char* id;
  std::size_t size_1_0;
  std::vector<Member> members;
};

#define OCELOT_MEMBER(type, name) \
  { #name, offsetof(type, name), true }
#define OCELOT_OPTIONAL(type, name) \
  { #name, offsetof(type, name), false }

const std::vector<Table>& tables() {
  static const std::vector<Table> all{
      {OCELOT_RUNTIME,
       sizeof(ocelot_runtime),
       {OCELOT_MEMBER(ocelot_runtime, create), OCELOT_MEMBER(ocelot_runtime, destroy),
        OCELOT_MEMBER(ocelot_runtime, probe), OCELOT_MEMBER(ocelot_runtime, pull), OCELOT_MEMBER(ocelot_runtime, start),
        OCELOT_MEMBER(ocelot_runtime, wait), OCELOT_MEMBER(ocelot_runtime, kill), OCELOT_MEMBER(ocelot_runtime, remove),
        OCELOT_MEMBER(ocelot_runtime, list)}},
      {OCELOT_RUNTIME_IMAGES,
       sizeof(ocelot_runtime_images),
       {OCELOT_MEMBER(ocelot_runtime_images, import_image), OCELOT_MEMBER(ocelot_runtime_images, list_images),
        OCELOT_MEMBER(ocelot_runtime_images, remove_image)}},
      {OCELOT_VCS,
       sizeof(ocelot_vcs),
       {OCELOT_MEMBER(ocelot_vcs, create), OCELOT_MEMBER(ocelot_vcs, destroy), OCELOT_OPTIONAL(ocelot_vcs, verify_hook),
        OCELOT_OPTIONAL(ocelot_vcs, parse_hook), OCELOT_MEMBER(ocelot_vcs, identify), OCELOT_MEMBER(ocelot_vcs, heads),
        OCELOT_MEMBER(ocelot_vcs, resolve), OCELOT_MEMBER(ocelot_vcs, read_file), OCELOT_MEMBER(ocelot_vcs, changes),
        OCELOT_MEMBER(ocelot_vcs, clone)}},
      {OCELOT_NOTIFIER,
       sizeof(ocelot_notifier),
       {OCELOT_MEMBER(ocelot_notifier, create), OCELOT_MEMBER(ocelot_notifier, destroy),
        OCELOT_MEMBER(ocelot_notifier, tell)}}};
  return all;
}

using Say = std::function<void(const std::string&)>;

bool within(const char* text) { return strnlen(text, kMostText) < kMostText; }

void checkText(const char* text, const std::string& what, const Say& say) {
  if (text == nullptr) return say(what + " is null");
  if (!within(text)) return say(what + " does not end within " + std::to_string(kMostText) + " bytes");
  if (*text == '\0') return say(what + " is empty");
  for (const char* c = text; *c != '\0'; ++c)
    if (static_cast<unsigned char>(*c) < ' ' || *c == 127) return say(what + " holds a control character");
}

void checkId(const char* id, const Say& say) {
  const char* const kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  checkText(id, "its id", say);
  if (id != nullptr && within(id) && std::strspn(id, kAllowed) != std::strlen(id))
    say("its id \"" + std::string(id) + "\" may hold letters, digits, '.', '-' and '_' only");
}

bool goodKey(const std::string& key) {
  for (const char c : key)
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.') return false;
  return key.front() >= 'a' && key.front() <= 'z' && key.back() != '.';
}

bool fits(int type, const std::string& value) {
  switch (type) {
    case OCELOT_NUMBER:
      return parseNumber(value).has_value();
    case OCELOT_FLAG:
      return parseFlag(value).has_value();
    case OCELOT_DURATION:
      return parseDuration(value).has_value();
    case OCELOT_SIZE:
      return parseSize(value).has_value();
    case OCELOT_URL:
      return value.rfind("https://", 0) == 0 || value.rfind("http://", 0) == 0;
    case OCELOT_PATH:
      return !value.empty() && value.front() == '/';
    default:
      return true;
  }
}

void checkOptions(const ocelot_option* options, const Say& say) {
  if (options == nullptr) return;
  int rows = 0;
  while (rows <= kMostOptions && options[rows].key != nullptr) ++rows;
  if (rows > kMostOptions)
    return say("its option table does not end within " + std::to_string(kMostOptions) +
               " rows; the last one is all zeros");
  std::set<std::string> keys;
  for (int i = 0; i < rows; ++i) {
    const ocelot_option& row = options[i];
    if (!within(row.key) || *row.key == '\0' || !goodKey(row.key)) {
      say("option row " + std::to_string(i + 1) + ": a key is lower_snake_case, with dots where it nests");
      if (!within(row.key)) return;
      continue;
    }
    const std::string option = "option " + std::string(row.key);
    if (!keys.insert(row.key).second) say(option + " is declared twice");
    if (row.type < OCELOT_TEXT || row.type > OCELOT_LIST)
      say(option + " has type " + std::to_string(row.type) + ", which ABI 1.0 does not have");
    if ((row.flags & ~static_cast<std::uint32_t>(OCELOT_REQUIRED | OCELOT_SECRET)) != 0)
      say(option + " has flags that ABI 1.0 does not have");
    checkText(row.help, option + ": its help", say);
    if (row.fallback == nullptr) continue;
    if (!within(row.fallback)) {
      say(option + ": its default does not end within " + std::to_string(kMostText) + " bytes");
      continue;
    }
    if ((row.flags & OCELOT_REQUIRED) != 0) say(option + " is required and has a default: one of both");
    if ((row.flags & OCELOT_SECRET) != 0) say(option + " is a secret and has a default: a secret that everyone knows");
    if (!fits(row.type, row.fallback))
      say(option + ": its default \"" + row.fallback + "\" is not of the option's own type");
  }
}

// `table` as bytes; its size is the first member of each kind of table.
void checkTable(const Table& known, const void* table, const Say& say) {
  std::uint32_t size = 0;
  std::memcpy(&size, table, sizeof size);
  if (size < sizeof size || size > kMostBytes)
    return say(std::string(known.id) + ": its table says that it is " + std::to_string(size) +
               " bytes long; ABI 1.0 has " + std::to_string(known.size_1_0));
  std::string missing;
  for (const Member& member : known.members) {
    const void* function = nullptr;
    if (member.offset + sizeof function <= size)
      std::memcpy(&function, static_cast<const char*>(table) + member.offset, sizeof function);
    if (function == nullptr && member.required) missing += (missing.empty() ? "" : ", ") + std::string(member.name);
  }
  if (!missing.empty()) say(std::string(known.id) + ": required and not there: " + missing);
}

const char* typeName(int type) {
  static const char* const kNames[] = {"text", "number", "flag", "duration", "size", "url", "path", "list"};
  return kNames[type];
}

}  // namespace

std::vector<std::string> faultsOf(const ocelot_plugin* plugin) {
  std::vector<std::string> faults;
  const Say say = [&](const std::string& sentence) {
    if (faults.size() < kMostFaults) faults.push_back(sentence);
  };
  if (plugin->size < sizeof(ocelot_plugin) || plugin->size > kMostBytes) {
    say("ocelot_plugin_v1 says that it is " + std::to_string(plugin->size) + " bytes long; ABI 1.0 has " +
        std::to_string(sizeof(ocelot_plugin)) + " (is `size` its first member?)");
    return faults;  // nothing behind it can be believed
  }
  checkId(plugin->id, say);
  checkText(plugin->version, "its version", say);
  checkText(plugin->summary, "its summary", say);
  checkOptions(plugin->options, say);
  if (plugin->query == nullptr) {
    say("its query function is null");
    return faults;
  }
  bool any_kind = false;
  bool runtime = false;
  for (const Table& known : tables()) {
    const void* table = plugin->query(known.id);
    if (table == nullptr) continue;
    const bool ability = std::string_view(known.id) == OCELOT_RUNTIME_IMAGES;
    if (std::string_view(known.id) == OCELOT_RUNTIME) runtime = true;
    if (!ability) any_kind = true;
    checkTable(known, table, say);
    if (ability && !runtime) say(std::string(known.id) + " comes without " OCELOT_RUNTIME);
  }
  if (!any_kind) say("it offers none of " OCELOT_RUNTIME ", " OCELOT_VCS ", " OCELOT_NOTIFIER);
  return faults;
}

std::vector<std::string> interfacesOf(const ocelot_plugin& plugin) {
  std::vector<std::string> ids;
  for (const Table& known : tables())
    if (plugin.query(known.id) != nullptr) ids.emplace_back(known.id);
  return ids;
}

std::string wrongMajor(const std::vector<int>& majors) {
  if (majors.empty())
    return "it exports no ocelot_plugin_v1: it is no Ocelot plugin, or its symbol is hidden (end a source file with "
           "OCELOT_…_PLUGIN, link with ocelot_add_plugin)";
  std::string has;
  for (const int major : majors) has += (has.empty() ? "" : " and ") + std::to_string(major);
  return "it is built for plugin ABI " + has + ", and this host has ABI " + std::to_string(OCELOT_ABI_MAJOR) + "." +
         std::to_string(OCELOT_ABI_MINOR) + ": build it with the SDK of this host, or use a newer host";
}

std::string describe(const ocelot_plugin& plugin) {
  std::string json = "{\"id\":" + quoted(plugin.id) + ",\"version\":" + quoted(plugin.version) +
                     ",\"summary\":" + quoted(plugin.summary) + ",\"abi_minor\":" + std::to_string(plugin.abi_minor) +
                     ",\"interfaces\":[";
  const char* comma = "";
  for (const std::string& id : interfacesOf(plugin)) {
    json += comma + quoted(id);
    comma = ",";
  }
  json += "],\"options\":[";
  comma = "";
  for (const ocelot_option* row = plugin.options; row != nullptr && row->key != nullptr; ++row) {
    json += std::string(comma) + "{\"key\":" + quoted(row->key) + ",\"type\":" + quoted(typeName(row->type)) +
            ",\"required\":" + ((row->flags & OCELOT_REQUIRED) != 0 ? "true" : "false") +
            ",\"secret\":" + ((row->flags & OCELOT_SECRET) != 0 ? "true" : "false") +
            ",\"default\":" + (row->fallback != nullptr ? quoted(row->fallback) : "null") +
            ",\"help\":" + quoted(row->help) + "}";
    comma = ",";
  }
  return json + "]}";
}

}  // namespace ocelot::check
