#include "host/trigger/change_json.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "host/trigger/clean_text.hpp"

namespace ocelot::trigger {

namespace {

constexpr std::size_t kMaxFiles = 10000;
constexpr std::size_t kMaxMessages = 1000;
constexpr std::size_t kMaxMessageBytes = 64u << 10;
constexpr std::size_t kMaxNameBytes = 4u << 10;
// Of the whole; the rest is for the single texts, which take 64 KiB six times over at most.
constexpr std::size_t kMaxFilesBytes = 700u << 10;
constexpr std::size_t kMaxMessagesBytes = 700u << 10;

constexpr std::pair<Change::Kind, const char*> kKinds[] = {
    {Change::Kind::push, "push"}, {Change::Kind::pull_request, "pull_request"},
    {Change::Kind::tag, "tag"},   {Change::Kind::manual, "manual"},
    {Change::Kind::poll, "poll"}, {Change::Kind::schedule, "schedule"},
};

std::string jsonText(const std::string& text, std::size_t most) {
  std::string out = "\"";
  for (const char c : cleanText(text, most)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? "," : "") + item;
  return out + "]";
}

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument("reading a change from its JSON: " + what);
}

std::string textOf(const Poco::JSON::Object& object, const char* key) {
  const Poco::Dynamic::Var value = object.get(key);
  if (value.isEmpty()) return "";
  if (!value.isString()) refuse(std::string(key) + " is not a text");
  return value.extract<std::string>();
}

std::vector<std::string> textsOf(const Poco::JSON::Object& object, const char* key, std::size_t most) {
  std::vector<std::string> out;
  const Poco::Dynamic::Var value = object.get(key);
  if (value.isEmpty()) return out;
  if (value.type() != typeid(Poco::JSON::Array::Ptr)) refuse(std::string(key) + " is not a list");
  const auto& array = *value.extract<Poco::JSON::Array::Ptr>();
  if (array.size() > most) refuse(std::string(key) + " has more than " + std::to_string(most) + " items");
  for (const Poco::Dynamic::Var& item : array) {
    if (!item.isString()) refuse("an item of " + std::string(key) + " is not a text");
    out.push_back(item.extract<std::string>());
  }
  return out;
}

Change::Kind kindOf(const std::string& text) {
  for (const auto& [kind, name] : kKinds) {
    if (text == name) return kind;
  }
  refuse("the kind \"" + text.substr(0, 40) + "\" is unknown");
}

Poco::JSON::Object::Ptr parse(std::string_view json) {
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(4);
    const Poco::Dynamic::Var whole = parser.parse(std::string(json));
    if (whole.type() != typeid(Poco::JSON::Object::Ptr)) refuse("it is not an object");
    return whole.extract<Poco::JSON::Object::Ptr>();
  } catch (const Poco::Exception& error) {
    refuse(error.displayText());
  }
}

}  // namespace

std::string toJson(const Change& change) {
  bool complete = change.files_complete;
  std::vector<std::string> files;
  std::size_t bytes = 0;
  for (const std::string& file : change.files) {
    std::string text = jsonText(file, kMaxNameBytes);
    bytes += text.size() + 1;
    if (files.size() == kMaxFiles || bytes > kMaxFilesBytes || file.size() > kMaxNameBytes) {
      complete = false;
      break;
    }
    files.push_back(std::move(text));
  }
  std::vector<std::string> messages;
  bytes = 0;
  for (auto message = change.messages.rbegin(); message != change.messages.rend(); ++message) {
    std::string text = jsonText(*message, kMaxMessageBytes);
    bytes += text.size() + 1;
    if (messages.size() == kMaxMessages || bytes > kMaxMessagesBytes) break;
    messages.push_back(std::move(text));
  }
  std::reverse(messages.begin(), messages.end());
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& entry) { return entry.first == change.kind; });
  return std::string("{\"kind\":\"") + (kind == std::end(kKinds) ? "manual" : kind->second) +
         "\",\"repo\":" + jsonText(change.repo.name, kMaxNameBytes) +
         ",\"branch\":" + jsonText(change.branch, kMaxNameBytes) +
         ",\"commit\":" + jsonText(change.commit, kMaxNameBytes) +
         ",\"before\":" + jsonText(change.before, kMaxNameBytes) +
         ",\"author\":" + jsonText(change.author, kMaxNameBytes) +
         ",\"message\":" + jsonText(change.message, kMaxMessageBytes) + ",\"messages\":" + list(messages) +
         ",\"files\":" + list(files) + ",\"files_complete\":" + (complete ? "true" : "false") + "}";
}

Change changeFromJson(std::string_view json) {
  Change change;
  if (json.empty()) {
    change.kind = Change::Kind::manual;
    change.files_complete = false;
    return change;
  }
  if (json.size() > kMaxChangeJsonBytes)
    refuse("it has " + std::to_string(json.size()) + " bytes, at most " + std::to_string(kMaxChangeJsonBytes) +
           " are read");
  const Poco::JSON::Object::Ptr object = parse(json);
  change.kind = kindOf(textOf(*object, "kind"));
  change.repo.name = textOf(*object, "repo");
  change.branch = textOf(*object, "branch");
  change.commit = textOf(*object, "commit");
  change.before = textOf(*object, "before");
  change.author = textOf(*object, "author");
  change.message = textOf(*object, "message");
  change.messages = textsOf(*object, "messages", kMaxMessages);
  change.files = textsOf(*object, "files", kMaxFiles);
  // A change that does not say so is not known to be complete.
  const Poco::Dynamic::Var complete = object->get("files_complete");
  change.files_complete = complete.isBoolean() && complete.extract<bool>();
  return change;
}

}  // namespace ocelot::trigger
