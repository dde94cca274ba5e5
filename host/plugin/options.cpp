// What an operator wrote for one instance, held against the plugin's own table.

#include <algorithm>

#include "host/plugin/catalog.hpp"
#include "ocelot/abi/option.h"
#include "ocelot/option_values.hpp"

namespace ocelot::plugin {
namespace {

using config::Instance;
using config::Problem;
using config::Value;

bool hasControl(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

bool isUrl(const std::string& text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.size() > scheme.size() && text.compare(0, scheme.size(), scheme) == 0) return true;
  return false;
}

// What is wrong with one value of that type; "" when nothing.
std::string faultOf(int type, const std::string& text) {
  const std::string seen = ", not \"" + text + "\"";
  switch (type) {
    case OCELOT_NUMBER:
      return parseNumber(text) ? "" : "must be a whole number" + seen;
    case OCELOT_FLAG:
      return parseFlag(text) ? "" : "must be true or false" + seen;
    case OCELOT_DURATION:
      return parseDuration(text) ? "" : "must be a duration (\"10s\", \"5m\", \"1h30m\")" + seen;
    case OCELOT_SIZE:
      return parseSize(text) ? "" : "must be a size (\"64MiB\", \"1GiB\", \"4096\")" + seen;
    case OCELOT_URL:
      return isUrl(text) && !hasControl(text) ? "" : "must be a URL that begins with http:// or https://" + seen;
    case OCELOT_PATH:
      return text.front() == '/' && !hasControl(text) ? "" : "must be an absolute path" + seen;
    default:
      return "";
  }
}

// As the plugin gets it.
std::string normal(int type, const std::string& text) {
  if (type == OCELOT_NUMBER) return std::to_string(*parseNumber(text));
  if (type == OCELOT_DURATION) return std::to_string(*parseDuration(text));
  if (type == OCELOT_SIZE) return std::to_string(*parseSize(text));
  return text;
}

bool isSet(const Value& value) { return value.is_list ? !value.items.empty() : !value.text().empty(); }

std::string faultOf(const Option& option, const Value& value) {
  const bool list = option.type == OCELOT_LIST;
  if (value.is_secret && (option.flags & OCELOT_SECRET) == 0) return "is not a secret; write the value itself";
  if (value.is_list && !list) return "must be one value, not a list";
  if (value.is_secret) return value.text().empty() ? "!secret needs the secret's name after it" : "";
  // A list may hold what is none beside what is one, as headers do.
  const bool in_the_open = value.where.compare(0, 7, "OCELOT_") != 0 && !value.text().empty();
  if ((option.flags & OCELOT_SECRET) != 0 && !list && in_the_open)
    return "a secret must not stand here: write !secret NAME, or give it by the environment, best as …_FILE";
  if (list) return "";  // a single value is a list of one
  std::string fault = value.text().empty() ? "" : faultOf(option.type, value.text());
  // A secret's value is in no message, not even a wrong one.
  if (!fault.empty() && (option.flags & OCELOT_SECRET) != 0) fault = fault.substr(0, fault.rfind(", not \""));
  return fault;
}

const Option* optionOf(const Description& description, const std::string& key) {
  for (const Option& option : description.options)
    if (option.key == key) return &option;
  return nullptr;
}

}  // namespace

std::vector<Problem> Catalog::check(const Description& description, const Instance& instance) {
  std::vector<Problem> problems;
  std::vector<std::string> keys;
  for (const Option& option : description.options) keys.push_back(option.key);
  for (const auto& [key, value] : instance.options) {
    const Option* option = optionOf(description, key);
    if (option == nullptr) {
      const std::string meant = nearest(key, keys);
      problems.push_back({value.where, instance.name + "." + key + ": plugin " + description.id +
                                           " has no such option" +
                                           (meant.empty() ? "" : "; did you mean \"" + meant + "\"?")});
      continue;
    }
    const std::string fault = faultOf(*option, value);
    if (!fault.empty()) problems.push_back({value.where, instance.name + "." + key + ": " + fault});
  }
  for (const Option& option : description.options) {
    const auto given = instance.options.find(option.key);
    const bool there = given != instance.options.end() && (given->second.is_secret || isSet(given->second));
    if ((option.flags & OCELOT_REQUIRED) != 0 && !there)
      problems.push_back({instance.where, instance.name + "." + option.key + ": is required: " + option.help});
  }
  return problems;
}

Settings Catalog::settingsFor(const Description& description, const Instance& instance, Host& host,
                              const config::Resolver& resolve) {
  std::vector<Problem> problems = check(description, instance);
  Settings settings(instance.name, host);
  for (const Option& option : description.options) {
    const auto given = instance.options.find(option.key);
    if (given == instance.options.end() || (!given->second.is_secret && !isSet(given->second))) {
      if (option.fallback) settings.set(option.key, {normal(option.type, *option.fallback)});
      continue;
    }
    const Value& value = given->second;
    if (!faultOf(option, value).empty()) continue;  // told already
    std::vector<std::string> items = value.items;
    if (value.is_secret) {
      const auto secret = resolve ? resolve(value.text()) : std::nullopt;
      const std::string subject = instance.name + "." + option.key + ": ";
      if (!secret) {
        problems.push_back(
            {value.where, subject + "there is no secret \"" + value.text() + "\"" + config::howToSet(value.text())});
        continue;
      }
      if (const std::string fault = secret->empty() ? "" : faultOf(option.type, *secret); !fault.empty()) {
        problems.push_back(
            {value.where, subject + "the secret \"" + value.text() + "\" " + fault.substr(0, fault.rfind(", not \""))});
        continue;
      }
      items = {*secret};
    }
    if (option.type != OCELOT_LIST)
      for (std::string& item : items)
        if (!item.empty()) item = normal(option.type, item);
    settings.set(option.key, std::move(items));
  }
  if (!problems.empty()) throw config::Invalid(std::move(problems));
  return settings;
}

}  // namespace ocelot::plugin
