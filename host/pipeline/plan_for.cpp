#include "host/pipeline/plan_for.hpp"

#include <algorithm>

#include "host/pipeline/directive.hpp"
#include "host/pipeline/patterns.hpp"
#include "host/pipeline/values.hpp"

namespace ocelot::pipeline {

namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void set(journal::Environment& env, const std::string& name, const std::string& value) {
  const auto found = std::find_if(env.begin(), env.end(), [&](const auto& variable) { return variable.first == name; });
  if (found == env.end()) {
    env.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

// A variable ends at its first NUL, so none may be in it.
std::string withoutNul(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
  return text;
}

// What an image says may be anything; a name with `=` or a NUL would become another variable.
void addImageEnvironment(journal::Environment& env, const Pairs& image_env) {
  for (const auto& [name, value] : image_env) {
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) continue;
    set(env, name, withoutNul(value));
  }
}

void addOwnEnvironment(journal::Environment& env, const model::Build& build, const Change& change,
                       const PlanSettings& settings) {
  const std::string& branch = build.branch.empty() ? change.branch : build.branch;
  const std::string& author = build.author.empty() ? change.author : build.author;
  // The build keeps the first 4 KiB of the message, the change up to 64.
  const std::string& message = change.message.empty() ? build.message : change.message;
  const std::string number = std::to_string(build.number);
  const std::string short_commit = build.commit.substr(0, 7);
  const auto add = [&](const char* name, const std::string& value) { set(env, name, withoutNul(value)); };
  add("CI", "true");
  add("OCELOT", "true");
  add("OCELOT_BUILD_ID", build.id);
  add("OCELOT_BUILD_NUMBER", number);
  add("OCELOT_REPO", build.repo);
  add("OCELOT_BRANCH", branch);
  add("OCELOT_COMMIT", build.commit);
  add("OCELOT_COMMIT_SHORT", short_commit);
  add("OCELOT_AUTHOR", author);
  add("OCELOT_MESSAGE", message);
  add("OCELOT_TRIGGER", std::string(model::toString(build.trigger)));
  add("OCELOT_WORKSPACE", settings.working_dir);
  add("WORKSPACE", settings.working_dir);
  add("GIT_HASH", build.commit);
  add("GIT_HASH_SHORT", short_commit);
  add("GIT_BRANCH", branch);
  add("BUILD_ID", number);
  if (!settings.previous_passed_commit.empty()) add("GIT_PREVIOUS_SUCCESSFUL_COMMIT", settings.previous_passed_commit);
}

// Why the stage does not run; "" when it does.
std::string reasonToSkip(const Stage& stage, const Change& change) {
  if (!stage.branches.empty() && !matchesAnyPattern(stage.branches, change.branch)) {
    std::string patterns;
    for (const std::string& pattern : stage.branches) patterns += (patterns.empty() ? "" : ", ") + pattern;
    return "branch " + quoted(change.branch) + " is not among the stage's branches: " + printable(patterns);
  }
  if (stage.triggers.empty()) return "";
  for (const std::string& trigger : stage.triggers) {
    DirectiveFault fault;
    std::size_t cost = 0;
    const auto directive = parseDirective(trigger, fault, cost);
    if (directive && directive->holds(change)) return "";
  }
  return stage.triggers.size() == 1
             ? "its trigger does not hold for this change: " + printable(stage.triggers.front())
             : "none of its " + std::to_string(stage.triggers.size()) + " triggers holds for this change";
}

}  // namespace

journal::Plan planFor(const Pipeline& pipeline, const model::Build& build, const Change& change, const Image& image,
                      const PlanSettings& settings) {
  journal::Plan plan;
  plan.build_id = build.id;
  plan.attempt = static_cast<std::uint32_t>(std::max(build.attempt, 0));
  if (!pipeline.shell.empty()) plan.shell = pipeline.shell;
  plan.working_dir = settings.working_dir;
  plan.user = pipeline.user.empty() ? image.user : pipeline.user;
  plan.timeout_ms = pipeline.timeout_ms > 0 ? pipeline.timeout_ms : settings.default_timeout_ms;
  plan.grace_ms = settings.grace_ms;
  set(plan.env, "PATH", kDefaultPath);
  addImageEnvironment(plan.env, image.env);
  addOwnEnvironment(plan.env, build, change, settings);
  for (const auto& [name, value] : pipeline.env) set(plan.env, name, value);
  // What the stages are judged by: the build's branch is the truth when the change has lost its own.
  Change judged = change;
  if (judged.branch.empty()) judged.branch = build.branch;
  if (judged.message.empty()) judged.message = build.message;
  for (const Stage& stage : pipeline.stages) {
    journal::PlanStage planned;
    planned.name = stage.name;
    planned.script = stage.script;
    planned.env = stage.env;
    planned.user = stage.user;
    planned.timeout_ms = stage.timeout_ms;
    planned.skip_reason = reasonToSkip(stage, judged);
    planned.skip = !planned.skip_reason.empty();
    planned.always = stage.always;
    planned.secrets = pipeline.secrets;
    planned.secrets.insert(planned.secrets.end(), stage.secrets.begin(), stage.secrets.end());
    plan.stages.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace ocelot::pipeline
