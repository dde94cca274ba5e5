#include "hook.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "words.hpp"

namespace ocelot::vcs_git {

namespace {

constexpr std::size_t kMaxBody = 64u << 10;

[[noreturn]] void refuse(const std::string& why) { throw Error(Status::invalid, "read the webhook: " + why); }

std::string textField(const Poco::JSON::Object& object, const char* key, bool required) {
  if (!object.has(key) || object.isNull(key)) {
    if (required) refuse(std::string("\"") + key + "\" is missing");
    return "";
  }
  const Poco::Dynamic::Var value = object.get(key);
  if (!value.isString()) refuse(std::string("\"") + key + "\" is no text");
  return value.convert<std::string>();
}

}  // namespace

void checkSignature(Crypto& crypto, const std::string& secret, const Hook& hook) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string wanted = "sha256=";
  for (const char c : crypto.hmacSha256(secret, hook.body)) {
    const auto byte = static_cast<unsigned char>(c);
    (wanted += kDigits[byte >> 4]) += kDigits[byte & 15];
  }
  int found = 0;
  std::string given;
  for (const auto& [name, value] : hook.headers) {
    if (name != "x-ocelot-signature-256") continue;
    ++found;
    given = value;
  }
  const bool holds = !secret.empty() && found == 1 && given.size() == wanted.size() && crypto.equal(given, wanted);
  if (!holds) throw Error(Status::unauthenticated, "verify the webhook: its signature does not hold");
}

PushHook readPush(const std::string& body) {
  if (body.size() > kMaxBody) refuse("it is larger than 64 KiB");
  Poco::JSON::Object::Ptr object;
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(8);
    object = parser.parse(body).extract<Poco::JSON::Object::Ptr>();
  } catch (const std::exception&) {  // also Poco's: their texts mislead
  }
  if (object.isNull()) refuse("it is no JSON object");
  PushHook push{textField(*object, "repo", true), textField(*object, "branch", true),
                textField(*object, "commit", true), textField(*object, "before", false)};
  if (push.branch.compare(0, 11, "refs/heads/") == 0) push.branch.erase(0, 11);
  checkBranch(push.branch);
  checkCommit(push.commit);
  if (push.commit.find_first_not_of('0') == std::string::npos)
    throw Error(Status::ignored, "the branch " + shown(push.branch) + " was removed");
  if (!push.before.empty()) checkCommit(push.before);
  if (push.before.find_first_not_of('0') == std::string::npos) push.before.clear();  // a new branch
  return push;
}

}  // namespace ocelot::vcs_git
