#include "record.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <sstream>

namespace ocelot::oci {

std::string encodeRecord(const Record& record) {
  Poco::JSON::Array labels;
  for (const auto& [key, value] : record.labels) {
    Poco::JSON::Array pair;
    pair.add(key);
    pair.add(value);
    labels.add(pair);
  }
  Poco::JSON::Object object;
  object.set("version", 1);
  object.set("name", record.name);
  object.set("owner", record.owner);
  object.set("labels", labels);
  object.set("network", record.network);
  object.set("cgroup", record.cgroup);
  object.set("storage", record.storage);
  object.set("source", record.source);
  object.set("interface_config", record.interface_config);
  object.set("pid", static_cast<Poco::Int64>(record.pid));
  object.set("started", static_cast<Poco::UInt64>(record.started));
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

Record decodeRecord(const std::string& text, const std::string& path) {
  try {
    Poco::JSON::Parser parser;
    const auto object = parser.parse(text).extract<Poco::JSON::Object::Ptr>();
    if (object->getValue<int>("version") != 1) throw Error(Status::invalid, path + ": written by another version");
    Record record;
    record.name = object->getValue<std::string>("name");
    record.owner = object->getValue<std::string>("owner");
    const auto labels = object->getArray("labels");
    for (std::size_t i = 0; labels && i < labels->size(); ++i) {
      const auto pair = labels->getArray(static_cast<unsigned>(i));
      record.labels.emplace_back(pair->getElement<std::string>(0), pair->getElement<std::string>(1));
    }
    record.network = object->getValue<std::string>("network");
    record.cgroup = object->getValue<std::string>("cgroup");
    record.storage = object->getValue<std::string>("storage");
    record.source = object->getValue<std::string>("source");
    record.interface_config = object->getValue<std::string>("interface_config");
    record.pid = static_cast<pid_t>(object->getValue<Poco::Int64>("pid"));
    record.started = object->getValue<Poco::UInt64>("started");
    return record;
  } catch (const Poco::Exception& e) {
    throw Error(Status::invalid, path + ": not a container's record: " + e.displayText());
  }
}

std::string whyBadName(std::string_view name) {
  if (name.empty() || name.size() > 128) return "a container's name has 1 to 128 characters";
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
  if (!plain || name.front() == '.' || name.front() == '-' || name.front() == '_')
    return "a container's name is letters, digits, '_', '.' and '-', and begins with a letter or a digit";
  return "";
}

}  // namespace ocelot::oci
