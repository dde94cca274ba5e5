#pragma once
// Every key of an ocelot.yml, once: unknown keys, suggestions, the handbook's reference and the editors' JSON Schema
// are all made from this table. To add a key: a row here, its case in reader.cpp, its field in pipeline.hpp.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::pipeline {

// The maps that keys stand in.
enum class Scope { root, clone, resources, keep, stage, trigger, notification, notify, slack };

enum class Key {
  // root
  image,
  machine_tag,
  build_tool,
  packages,
  branches,
  env,
  user,
  shell,
  timeout,
  network,
  resources,
  secrets,
  clone,
  keep,
  stages,
  notify,
  // clone
  depth,
  tags,
  submodules,
  lfs,
  // resources
  memory,
  cpus,
  pids,
  disk,
  // keep
  days,
  builds,
  // a stage's own; env, user, timeout and secrets as above
  name,
  script,
  when,
  trigger,
  triggers,
  // notifications
  via,
  target,
  on,
  slack,
  channel,
  identifier,
};

struct KeySpec {
  Scope scope;
  Key key;
  std::string_view name;
  std::string_view type;      // for people: "text", "duration", …
  std::string_view fallback;  // what holds without it, for people; "" : nothing
  std::string_view help;      // one or two sentences, Markdown
  std::string_view json;      // JSON Schema of its value, without title and description
  bool required = false;
};

std::span<const KeySpec> allKeys();
const KeySpec* findKey(Scope scope, std::string_view name);
std::vector<std::string_view> namesIn(Scope scope);

// "", "stages[].", "clone.", …: what stands before a key's name in the reference.
std::string_view prefixOf(Scope scope);

// What somebody who knows another CI system should write instead; "" when the word is not known.
std::string_view adviceFor(Scope scope, std::string_view unknown_name);

}  // namespace ocelot::pipeline
