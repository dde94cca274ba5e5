#include "host/builddir/order.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <stdexcept>

namespace ocelot::builddir {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr int kFormat = 1;  // of spec.json; one without a number is of the first

std::string text(const Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

Object::Ptr parse(std::string_view json, const char* what) {
  try {
    return Poco::JSON::Parser().parse(std::string(json)).extract<Object::Ptr>();
  } catch (const Poco::Exception& error) {
    throw std::runtime_error(std::string("read a build's ") + what + ": " + error.displayText());
  }
}

std::string str(const Object::Ptr& object, const char* key) { return object->optValue<std::string>(key, ""); }
std::int64_t num(const Object::Ptr& object, const char* key) { return object->optValue<Poco::Int64>(key, 0); }

Object::Ptr child(const Object::Ptr& object, const char* key) {
  Object::Ptr found = object->getObject(key);
  if (!found) throw std::runtime_error(std::string("read a build's order: `") + key + "` is missing");
  return found;
}

std::vector<std::string> strings(const Array::Ptr& array) {
  std::vector<std::string> out;
  if (array)
    for (const auto& item : *array) out.push_back(item.convert<std::string>());
  return out;
}

Array::Ptr array(const std::vector<std::string>& values) {
  Array::Ptr out = new Array;
  for (const auto& value : values) out->add(value);
  return out;
}

Object::Ptr object(const RuntimeChoice& runtime) {
  Object::Ptr options = new Object;
  for (const auto& [key, values] : runtime.options) options->set(key, array(values));
  Object::Ptr out = new Object;
  out->set("name", runtime.name);
  out->set("library", runtime.library);
  out->set("options", options);
  return out;
}

RuntimeChoice runtimeFrom(const Object::Ptr& from) {
  RuntimeChoice out;
  out.name = str(from, "name");
  out.library = str(from, "library");
  const Object::Ptr options = from->getObject("options");
  if (options)
    for (const auto& key : options->getNames()) out.options[key] = strings(options->getArray(key));
  return out;
}

Object::Ptr object(const model::Build& build) {
  Object::Ptr out = new Object;
  out->set("id", build.id);
  out->set("number", Poco::Int64{build.number});
  out->set("attempt", build.attempt);
  out->set("repo", build.repo);
  out->set("branch", build.branch);
  out->set("commit", build.commit);
  out->set("author", build.author);
  out->set("message", build.message);
  out->set("trigger", std::string(model::toString(build.trigger)));
  out->set("pipeline", build.pipeline);
  out->set("change", build.change_json);
  out->set("queued_at", Poco::Int64{build.queued_at});
  return out;
}

model::Build buildFrom(const Object::Ptr& from) {
  model::Build out;
  out.id = str(from, "id");
  out.number = num(from, "number");
  out.attempt = static_cast<int>(num(from, "attempt"));
  out.repo = str(from, "repo");
  out.branch = str(from, "branch");
  out.commit = str(from, "commit");
  out.author = str(from, "author");
  out.message = str(from, "message");
  out.trigger = model::triggerFrom(str(from, "trigger")).value_or(model::Trigger::manual);
  out.pipeline = str(from, "pipeline");
  out.change_json = str(from, "change");
  out.queued_at = num(from, "queued_at");
  if (out.id.empty()) throw std::runtime_error("read a build's order: `build.id` is missing");
  return out;
}

}  // namespace

std::string encode(const Order& order) {
  Object source;
  source.set("kind", std::string(order.source.kind == Source::Kind::git ? "git" : "folder"));
  source.set("url", order.source.url);
  source.set("folder", order.source.folder);
  Object limits;
  limits.set("memory_bytes", Poco::UInt64{order.limits.memory_bytes});
  limits.set("cpu_millis", order.limits.cpu_millis);
  limits.set("pids", order.limits.pids);
  limits.set("log_bytes", Poco::UInt64{order.limits.log_bytes});
  limits.set("timeout_ms", Poco::Int64{order.limits.timeout_ms});
  limits.set("max_timeout_ms", Poco::Int64{order.limits.max_timeout_ms});
  limits.set("grace_ms", Poco::Int64{order.limits.grace_ms});
  Object out;
  out.set("format", kFormat);
  out.set("build", object(order.build));
  out.set("source", source);
  out.set("runtime", object(order.runtime));
  out.set("limits", limits);
  out.set("network", order.network);
  out.set("owner", order.owner);
  out.set("guest", order.guest);
  out.set("mirrors", order.mirrors);
  out.set("local_repos", array(order.local_repos));
  out.set("refresh_image", order.refresh_image);
  out.set("alive_timeout_ms", Poco::Int64{order.alive_timeout_ms});
  out.set("previous_passed_commit", order.previous_passed_commit);
  out.set("version", order.version);
  return text(out);
}

Order decodeOrder(std::string_view json) {
  const Object::Ptr from = parse(json, "order");
  if (const int format = from->optValue<int>("format", kFormat); format != kFormat)
    throw std::runtime_error("read a build's order: ocelot " + str(from, "version") + " wrote it in format " +
                             std::to_string(format) + ", and ocelot " OCELOT_VERSION " reads format " +
                             std::to_string(kFormat));
  const Object::Ptr source = child(from, "source");
  const Object::Ptr limits = child(from, "limits");
  Order out;
  out.build = buildFrom(child(from, "build"));
  out.source.kind = str(source, "kind") == "folder" ? Source::Kind::folder : Source::Kind::git;
  out.source.url = str(source, "url");
  out.source.folder = str(source, "folder");
  out.runtime = runtimeFrom(child(from, "runtime"));
  out.limits.memory_bytes = static_cast<std::uint64_t>(num(limits, "memory_bytes"));
  out.limits.cpu_millis = static_cast<std::uint32_t>(num(limits, "cpu_millis"));
  out.limits.pids = static_cast<std::uint32_t>(num(limits, "pids"));
  out.limits.log_bytes = static_cast<std::uint64_t>(num(limits, "log_bytes"));
  out.limits.timeout_ms = num(limits, "timeout_ms");
  out.limits.max_timeout_ms = num(limits, "max_timeout_ms");
  // An order of the version before names none.
  out.limits.grace_ms = limits->optValue<Poco::Int64>("grace_ms", BuildLimits{}.grace_ms);
  out.network = str(from, "network");
  out.owner = str(from, "owner");
  out.guest = str(from, "guest");
  out.mirrors = str(from, "mirrors");
  out.local_repos = strings(from->getArray("local_repos"));
  out.refresh_image = from->optValue<bool>("refresh_image", false);
  out.alive_timeout_ms = num(from, "alive_timeout_ms");
  out.previous_passed_commit = str(from, "previous_passed_commit");
  out.version = str(from, "version");
  return out;
}

std::string encode(const Envelope& envelope) {
  Object secrets, access, clone, registry, out;
  for (const auto& [name, value] : envelope.secrets) secrets.set(name, value);
  access.set("prefix", envelope.access.prefix);
  access.set("desk", envelope.access.desk);
  access.set("pass", envelope.access.pass);
  access.set("url", envelope.access.url);
  access.set("ca_file", envelope.access.ca_file);
  access.set("name_space", envelope.access.name_space);
  access.set("mount", envelope.access.mount);
  access.set("kv_prefix", envelope.access.kv_prefix);
  access.set("kv_version", envelope.access.kv_version);
  access.set("timeout_ms", Poco::Int64{envelope.access.timeout_ms});
  clone.set("username", envelope.clone.username);
  clone.set("password", envelope.clone.password);
  clone.set("ssh_key", envelope.clone.ssh_key);
  clone.set("known_hosts", envelope.clone.known_hosts);
  registry.set("username", envelope.registry.username);
  registry.set("password", envelope.registry.password);
  out.set("directory", envelope.directory);
  out.set("run_directory", envelope.run_directory);
  out.set("secrets", secrets);
  out.set("access", access);
  out.set("clone", clone);
  out.set("registry", registry);
  return text(out);
}

Envelope decodeEnvelope(std::string_view json) {
  const Object::Ptr from = parse(json, "envelope");
  Envelope out;
  out.directory = str(from, "directory");
  out.run_directory = str(from, "run_directory");
  if (const Object::Ptr secrets = from->getObject("secrets"))
    for (const auto& name : secrets->getNames()) out.secrets[name] = secrets->getValue<std::string>(name);
  if (const Object::Ptr access = from->getObject("access")) {
    out.access.prefix = str(access, "prefix");
    out.access.desk = str(access, "desk");
    out.access.pass = str(access, "pass");
    out.access.url = str(access, "url");
    out.access.ca_file = str(access, "ca_file");
    out.access.name_space = str(access, "name_space");
    out.access.mount = str(access, "mount");
    out.access.kv_prefix = str(access, "kv_prefix");
    out.access.kv_version = static_cast<int>(num(access, "kv_version"));
    out.access.timeout_ms = num(access, "timeout_ms");
  }
  if (const Object::Ptr clone = from->getObject("clone"))
    out.clone = {str(clone, "username"), str(clone, "password"), str(clone, "ssh_key"), str(clone, "known_hosts")};
  if (const Object::Ptr registry = from->getObject("registry"))
    out.registry = {str(registry, "username"), str(registry, "password")};
  return out;
}

std::string encode(const RuntimeChoice& runtime) { return text(*object(runtime)); }
RuntimeChoice decodeRuntimeChoice(std::string_view json) { return runtimeFrom(parse(json, "runtime")); }

}  // namespace ocelot::builddir
