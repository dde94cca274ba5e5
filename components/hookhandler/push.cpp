#include "components/hookhandler/push.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "ocelot/call.hpp"

namespace ocelot::hookhandler {
namespace {

std::string text(const Poco::JSON::Object::Ptr& object, const char* key) {
  if (!object->has(key) || object->isNull(key)) return "";
  const auto value = object->get(key);
  if (!value.isString()) throw Error(Status::invalid, std::string("read the push: `") + key + "` is not a text");
  const auto out = value.extract<std::string>();
  if (out.size() > 512)
    throw Error(Status::invalid, std::string("read the push: `") + key + "` is longer than 512 bytes");
  return out;
}

bool isCommit(const std::string& id) {
  return (id.size() == 40 || id.size() == 64) && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Push readPush(const std::string& body) {
  Push push;
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(16);
    const auto object = parser.parse(body).extract<Poco::JSON::Object::Ptr>();
    push = {text(object, "branch"), text(object, "commit"), text(object, "before")};
  } catch (const Poco::JSON::JSONException& error) {
    throw Error(Status::invalid, "read the push: not JSON: " + error.message());
  } catch (const Poco::Exception&) {
    throw Error(Status::invalid, "read the push: not a JSON object, or its fields are not texts");
  }
  if (push.branch.empty()) throw Error(Status::invalid, "read the push: `branch` is missing");
  for (const auto* id : {&push.commit, &push.before})
    if (!id->empty() && !isCommit(*id))
      throw Error(Status::invalid, "read the push: a commit is not 40 or 64 lower-case hex digits");
  return push;
}

}  // namespace ocelot::hookhandler
