#include "host/journal/plan.hpp"

#include <stdexcept>

#include "host/journal/wire.hpp"

namespace ocelot::journal {

namespace {

constexpr std::string_view kMagic = "ocelot-plan\n";
constexpr std::size_t kMaxStages = 1000;
constexpr std::size_t kMaxEntries = 10000;        // environment entries of plan and stages together
constexpr std::size_t kMaxSecrets = 1000;         // of all stages together
constexpr std::size_t kMaxName = 4096;            // names, users, paths, reasons
constexpr std::size_t kMaxVariable = 128 * 1024;  // "NAME=value" and its NUL: the kernel's MAX_ARG_STRLEN
constexpr std::int64_t kMaxMillis = 366LL * 24 * 3600 * 1000;

using Reader = wire::Reader<std::runtime_error>;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw std::runtime_error(where + ": " + what);
}

void checkText(const std::string& where, std::string_view text, std::size_t most) {
  if (text.find('\0') != text.npos) refuse(where, "holds a NUL byte");
  if (text.size() > most) refuse(where, std::to_string(text.size()) + " bytes; at most " + std::to_string(most));
}

void checkPath(const std::string& where, std::string_view path) {
  checkText(where, path, kMaxName);
  if (path.empty() || path.front() != '/') refuse(where, "\"" + std::string(path) + "\" is not an absolute path");
}

void checkMillis(const std::string& where, std::int64_t millis) {
  if (millis < 0 || millis > kMaxMillis) refuse(where, std::to_string(millis) + " ms is not between 0 and a year");
}

void checkEnvironment(const std::string& where, const Environment& env) {
  for (const auto& [name, value] : env) {
    if (name.empty()) refuse(where, "a variable without a name");
    checkText(where + " " + name, name, kMaxName);
    checkText(where + " " + name, value, kMaxVariable);
    if (name.find('=') != name.npos) refuse(where + " " + name, "a name with '='");
    if (name.size() + value.size() + 2 > kMaxVariable)
      refuse(where + " " + name, "no program can be given a variable of more than 128 KiB");
  }
}

bool isSecretName(std::string_view name) {
  if (name.empty() || name.size() > 256 || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name)
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  return true;
}

std::string stageAt(std::size_t index) { return "plan: stage " + std::to_string(index + 1); }

// The same for writer and reader, so that the build process hears of a bad plan before there is a container.
void check(const Plan& plan) {
  if (plan.build_id.empty()) refuse("plan: build id", "is empty");
  checkText("plan: build id", plan.build_id, 128);
  checkPath("plan: shell", plan.shell);
  checkPath("plan: working directory", plan.working_dir);
  checkText("plan: user", plan.user, kMaxName);
  checkEnvironment("plan: env", plan.env);
  checkMillis("plan: timeout", plan.timeout_ms);
  checkMillis("plan: grace", plan.grace_ms);
  checkMillis("plan: alive timeout", plan.alive_timeout_ms);
  if (plan.stages.size() > kMaxStages) refuse("plan", std::to_string(plan.stages.size()) + " stages; at most 1000");
  std::size_t entries = plan.env.size();
  std::size_t secrets = 0;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const PlanStage& stage = plan.stages[i];
    const std::string where = stageAt(i);
    checkText(where + ": name", stage.name, kMaxName);
    checkText(where + ": script", stage.script, kMaxPlanBytes);
    checkEnvironment(where + ": env", stage.env);
    checkText(where + ": user", stage.user, kMaxName);
    checkMillis(where + ": timeout", stage.timeout_ms);
    checkText(where + ": skip reason", stage.skip_reason, kMaxName);
    for (const auto& name : stage.secrets)
      if (!isSecretName(name)) refuse(where + ": secrets", "a name is made of letters, digits and '_', at most 256");
    entries += stage.env.size();
    secrets += stage.secrets.size();
  }
  if (entries > kMaxEntries) refuse("plan", std::to_string(entries) + " environment entries; at most 10000");
  if (secrets > kMaxSecrets) refuse("plan", std::to_string(secrets) + " secrets; at most 1000");
}

void put(std::string& to, const Environment& env) {
  wire::put32(to, static_cast<std::uint32_t>(env.size()));
  for (const auto& [name, value] : env) {
    wire::putText(to, name);
    wire::putText(to, value);
  }
}

void putMillis(std::string& to, std::int64_t millis) { wire::put64(to, static_cast<std::uint64_t>(millis)); }

// Every element takes at least four bytes, so the plan's own size bounds what a count can make us allocate.
std::size_t takeCount(Reader& from, std::size_t most) {
  const std::size_t count = from.take32();
  if (count > most || count > from.left() / 4) from.fail("a count of " + std::to_string(count));
  return count;
}

Environment takeEnvironment(Reader& from) {
  Environment env(takeCount(from, kMaxEntries));
  for (auto& [name, value] : env) {
    name = from.takeText();
    value = from.takeText();
  }
  return env;
}

std::int64_t takeMillis(Reader& from) { return static_cast<std::int64_t>(from.take64()); }

PlanStage takeStage(Reader& from) {
  PlanStage stage;
  stage.name = from.takeText();
  stage.script = from.takeText();
  stage.env = takeEnvironment(from);
  stage.user = from.takeText();
  stage.timeout_ms = takeMillis(from);
  stage.skip = from.takeFlag();
  stage.skip_reason = from.takeText();
  stage.always = from.takeFlag();
  stage.secrets.resize(takeCount(from, kMaxSecrets));
  for (auto& name : stage.secrets) name = from.takeText();
  return stage;
}

}  // namespace

std::string encode(const Plan& plan) {
  check(plan);
  std::string to(kMagic);
  wire::put32(to, kPlanVersion);
  wire::putText(to, plan.build_id);
  wire::put32(to, plan.attempt);
  wire::putText(to, plan.shell);
  wire::putText(to, plan.working_dir);
  wire::putText(to, plan.user);
  put(to, plan.env);
  putMillis(to, plan.timeout_ms);
  putMillis(to, plan.grace_ms);
  putMillis(to, plan.alive_timeout_ms);
  wire::put64(to, plan.max_journal_backlog);
  wire::put32(to, static_cast<std::uint32_t>(plan.stages.size()));
  for (const auto& stage : plan.stages) {
    wire::putText(to, stage.name);
    wire::putText(to, stage.script);
    put(to, stage.env);
    wire::putText(to, stage.user);
    putMillis(to, stage.timeout_ms);
    wire::put8(to, stage.skip ? 1 : 0);
    wire::putText(to, stage.skip_reason);
    wire::put8(to, stage.always ? 1 : 0);
    wire::put32(to, static_cast<std::uint32_t>(stage.secrets.size()));
    for (const auto& name : stage.secrets) wire::putText(to, name);
  }
  if (to.size() > kMaxPlanBytes) refuse("plan", std::to_string(to.size()) + " bytes; at most 4 MiB");
  return to;
}

Plan decodePlan(std::string_view bytes) {
  if (bytes.size() > kMaxPlanBytes) refuse("plan", std::to_string(bytes.size()) + " bytes; at most 4 MiB");
  if (bytes.substr(0, kMagic.size()) != kMagic) refuse("plan", "does not begin as a plan does");
  Reader from(bytes.substr(kMagic.size()), "plan");
  const auto version = from.take32();
  if (version != kPlanVersion)
    from.fail("version " + std::to_string(version) + "; this guest reads version " + std::to_string(kPlanVersion));
  Plan plan;
  plan.build_id = from.takeText();
  plan.attempt = from.take32();
  plan.shell = from.takeText();
  plan.working_dir = from.takeText();
  plan.user = from.takeText();
  plan.env = takeEnvironment(from);
  plan.timeout_ms = takeMillis(from);
  plan.grace_ms = takeMillis(from);
  plan.alive_timeout_ms = takeMillis(from);
  plan.max_journal_backlog = from.take64();
  const auto stages = takeCount(from, kMaxStages);
  for (std::size_t i = 0; i < stages; ++i) {
    from.at(stageAt(i));
    plan.stages.push_back(takeStage(from));
  }
  if (from.left() > 0) refuse("plan", std::to_string(from.left()) + " bytes too many at its end");
  check(plan);
  return plan;
}

}  // namespace ocelot::journal
