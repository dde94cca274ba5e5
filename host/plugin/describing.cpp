#include "host/plugin/describing.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>

#include "ocelot/abi/notifier.h"
#include "ocelot/abi/option.h"
#include "ocelot/abi/runtime.h"
#include "ocelot/abi/vcs.h"
#include "ocelot/call.hpp"

namespace ocelot::plugin {
namespace {

constexpr std::array<std::string_view, 8> kTypes{"text", "number", "flag", "duration", "size", "url", "path", "list"};
static_assert(kTypes[OCELOT_LIST] == "list");

Option optionFrom(const Poco::JSON::Object& row) {
  Option option;
  option.key = row.getValue<std::string>("key");
  const auto type = std::find(kTypes.begin(), kTypes.end(), row.getValue<std::string>("type"));
  if (type == kTypes.end()) throw Poco::InvalidArgumentException("a type that does not exist");
  option.type = static_cast<int>(type - kTypes.begin());
  if (row.getValue<bool>("required")) option.flags |= OCELOT_REQUIRED;
  if (row.getValue<bool>("secret")) option.flags |= OCELOT_SECRET;
  if (!row.isNull("default")) option.fallback = row.getValue<std::string>("default");
  option.help = row.getValue<std::string>("help");
  return option;
}

}  // namespace

std::string_view nameOf(Kind kind) {
  switch (kind) {
    case Kind::runtime:
      return "runtime";
    case Kind::vcs:
      return "vcs";
    case Kind::notifier:
      return "notifier";
  }
  return "";
}

std::optional<Kind> kindFrom(std::string_view name) {
  for (const Kind kind : {Kind::runtime, Kind::vcs, Kind::notifier})
    if (nameOf(kind) == name) return kind;
  return std::nullopt;
}

bool Description::offers(Kind kind) const {
  const char* wanted = kind == Kind::runtime ? OCELOT_RUNTIME : kind == Kind::vcs ? OCELOT_VCS : OCELOT_NOTIFIER;
  return std::find(interfaces.begin(), interfaces.end(), wanted) != interfaces.end();
}

Description descriptionFrom(const std::string& json) try {
  Poco::JSON::Parser parser;
  const auto root = parser.parse(json).extract<Poco::JSON::Object::Ptr>();
  Description description;
  description.id = root->getValue<std::string>("id");
  description.version = root->getValue<std::string>("version");
  description.summary = root->getValue<std::string>("summary");
  description.abi_minor = root->getValue<int>("abi_minor");
  const auto interfaces = root->getArray("interfaces");
  const auto options = root->getArray("options");
  if (interfaces.isNull() || options.isNull()) throw Poco::InvalidArgumentException("a list is missing");
  for (std::size_t i = 0; i < interfaces->size(); ++i)
    description.interfaces.push_back(interfaces->getElement<std::string>(static_cast<unsigned>(i)));
  for (std::size_t i = 0; i < options->size(); ++i) {
    const auto row = options->getObject(static_cast<unsigned>(i));
    if (row.isNull()) throw Poco::InvalidArgumentException("an option that is no object");
    description.options.push_back(optionFrom(*row));
  }
  return description;
} catch (const Poco::Exception& error) {
  throw Error(Status::internal, "reading what a plugin says about itself: " + error.displayText());
}

}  // namespace ocelot::plugin
