#include "components/cli/run/working_copy.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>

#include "components/cli/checkout.hpp"
#include "components/cli/command.hpp"
#include "host/builddir/directory.hpp"
#include "host/http/json.hpp"
#include "host/pipeline/yaml.hpp"
#include "host/trigger/change_json.hpp"

namespace ocelot::cli {
namespace {

namespace fs = std::filesystem;
using Node = pipeline::yaml::Node;

// "account/repo" from an origin, or the folder's name.
std::string nameFor(const Checkout& here) {
  std::string url = here.origin.empty() ? here.root : here.origin;
  while (!url.empty() && url.back() == '/') url.pop_back();
  if (url.size() > 4 && url.compare(url.size() - 4, 4, ".git") == 0) url.resize(url.size() - 4);
  const std::size_t last = url.find_last_of("/:");
  if (last == std::string::npos || here.origin.empty() || here.origin[0] == '/')
    return url.substr(last == std::string::npos ? 0 : last + 1);
  const std::size_t before = url.find_last_of("/:", last == 0 ? 0 : last - 1);
  return url.substr(before == std::string::npos ? 0 : before + 1);
}

// Everything that differs from what was last pushed, for the triggers of stages; without that nothing is known.
void addFiles(const Checkout& here, Change& change) {
  const auto changed = here.pushed.empty() ? std::nullopt : git(here.root, {"diff", "--name-only", "-z", here.pushed});
  const auto fresh = git(here.root, {"ls-files", "--others", "--exclude-standard", "-z"});
  change.files_complete = changed && fresh;
  if (!change.files_complete) return;
  for (const std::string& list : {*changed, *fresh})
    for (std::size_t begin = 0, end; (end = list.find('\0', begin)) != std::string::npos; begin = end + 1)
      change.files.push_back(list.substr(begin, end - begin));
  change.files_complete = change.files.size() <= 10000;
  change.files.resize(std::min<std::size_t>(change.files.size(), 10000));
}

model::Build buildOf(const Checkout& here) {
  model::Build build;
  build.id = model::newUuid();
  build.attempt = 1;
  build.repo = nameFor(here);
  build.branch = here.branch;
  build.commit = here.head;
  build.trigger = model::Trigger::manual;
  build.queued_at =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  Change change;
  change.kind = Change::Kind::manual;
  change.branch = here.branch;
  change.commit = here.head;
  if (here.head.empty()) {
    change.files_complete = false;
  } else {
    build.author = git(here.root, {"log", "-1", "--format=%an <%ae>"}).value_or("");
    change.author = build.author;
    change.message = git(here.root, {"log", "-1", "--format=%B"}).value_or("").substr(0, 64u << 10);
    change.messages = {change.message};
    build.message = change.message.substr(0, 4096);
    addFiles(here, change);
  }
  build.change_json = trigger::toJson(change);
  return build;
}

std::string fileIn(const std::string& folder) {
  const bool yml = fs::exists(folder + "/ocelot.yml"), yaml = fs::exists(folder + "/ocelot.yaml");
  if (yml && yaml) throw Failure(folder + " has an ocelot.yml and an ocelot.yaml", "remove one of them");
  if (!yml && !yaml) throw Failure("there is no ocelot.yml in " + folder, "`ocelot init` writes one");
  return yml ? "ocelot.yml" : "ocelot.yaml";
}

pipeline::Pipeline checked(const std::string& bytes, const std::string& file) {
  auto result = pipeline::read(bytes, file);
  if (result.pipeline) return std::move(*result.pipeline);
  std::string all;
  for (const auto& problem : result.problems) all += "\n  " + pipeline::toString(problem, file);
  throw Failure(file + " has mistakes:" + all);
}

std::size_t indexOf(const pipeline::Pipeline& pipeline, const std::string& name) {
  std::string names;
  for (std::size_t i = 0; i < pipeline.stages.size(); ++i) {
    if (pipeline.stages[i].name == name) return i;
    names += (names.empty() ? "" : ", ") + pipeline.stages[i].name;
  }
  throw Failure("there is no stage `" + name + "`", "the stages are: " + names);
}

void write(http::JsonWriter& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      out.null();
      break;
    case Node::Kind::scalar:
      out.value(node.text);
      break;
    case Node::Kind::list:
      out.array();
      for (const auto& item : node.items) write(out, *item);
      out.end();
      break;
    case Node::Kind::map:
      out.object();
      for (const auto& entry : node.entries) {
        out.key(entry.key);
        write(out, *entry.value);
      }
      out.end();
      break;
  }
}

std::string jsonOf(const Node& node) {
  http::JsonWriter out;
  write(out, node);
  return out.text();
}

}  // namespace

// JSON is YAML, and its line ends are free: each stage is put where it stands in the file, so that messages about it
// name the right line.
std::string onlyStages(const std::string& yml, const std::vector<std::size_t>& indexes) {
  std::vector<pipeline::Problem> problems;
  const auto root = pipeline::yaml::parse(yml, problems);
  if (!root || root->kind != Node::Kind::map) throw Failure("the pipeline cannot be read");
  std::string out = "{", stages;
  int line = 1;
  for (const auto& entry : root->entries) {
    if (entry.key != "stages") {
      out += http::quoted(entry.key) + ":" + jsonOf(*entry.value) + ",";
      continue;
    }
    for (const std::size_t index : indexes) {
      const Node& stage = *entry.value->items.at(index);
      for (; line < stage.line; ++line) stages += "\n";
      stages += jsonOf(stage) + ",";
    }
  }
  if (!stages.empty()) stages.pop_back();
  return out + "\"stages\":[" + stages + "]}\n";
}

WorkingCopy workingCopy(const std::vector<std::string>& stages) {
  WorkingCopy copy;
  auto here = lookAround();
  if (!here) {
    here.emplace();
    here->root = fs::current_path();
  }
  copy.folder = here->root;
  copy.dirty = here->dirty;
  copy.file = fileIn(copy.folder);
  copy.build = buildOf(*here);
  copy.build.pipeline = builddir::readIfPresent(copy.folder + "/" + copy.file, pipeline::kMaxFileBytes).value_or("");
  copy.pipeline = checked(copy.build.pipeline, copy.file);
  if (stages.empty()) return copy;
  std::vector<std::size_t> indexes;
  for (const auto& name : stages) indexes.push_back(indexOf(copy.pipeline, name));
  std::sort(indexes.begin(), indexes.end());
  indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
  copy.build.pipeline = onlyStages(copy.build.pipeline, indexes);
  copy.pipeline = checked(copy.build.pipeline, copy.file);
  return copy;
}

}  // namespace ocelot::cli
