#include "host/trigger/trigger.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <vector>

#include "host/pipeline/pipeline.hpp"
#include "host/pipeline/values.hpp"
#include "host/trigger/change_json.hpp"
#include "host/trigger/clean_text.hpp"

namespace ocelot::trigger {

namespace {

using model::Trigger;

constexpr std::size_t kMaxBranchBytes = 800;  // with the rest of a dedupe key below the 1,024 that a store takes
constexpr std::size_t kMaxMessageBytes = 4096;
constexpr std::size_t kMaxShownProblems = 10;
constexpr std::array<std::string_view, 2> kSkipWords = {"[skip ci]", "[ci skip]"};

void check(const Request& request) {
  const std::string& commit = request.change.commit;
  const bool hex = std::all_of(commit.begin(), commit.end(),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hex || (commit.size() != 40 && commit.size() != 64)) {
    throw std::invalid_argument("accepting a build of " + request.repo.name + ": " + pipeline::quoted(commit) +
                                " is not a full commit id");
  }
  const std::string& branch = request.change.branch;
  if (branch.size() > kMaxBranchBytes || pipeline::printable(branch) != branch) {
    throw std::invalid_argument("accepting a build of " + request.repo.name + ": " + pipeline::quoted(branch) +
                                " is not the name of a branch");
  }
}

bool heedsSkipWords(Trigger trigger) {
  return trigger == Trigger::push || trigger == Trigger::poll || trigger == Trigger::tag ||
         trigger == Trigger::pull_request;
}

bool heedsBranches(const Request& request) {
  return !request.force && request.trigger != Trigger::rerun && request.trigger != Trigger::schedule;
}

// The skip word in the text, in whatever case; "" when there is none.
std::string_view skipWordIn(const std::string& message) {
  std::string lower;
  for (const char c : message) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view word : kSkipWords) {
    if (lower.find(word) != std::string::npos) return word;
  }
  return {};
}

model::Build buildOf(const Request& request) {
  model::Build build;
  build.id = model::newUuid();
  build.repo = request.repo.name;
  build.branch = request.change.branch;
  build.commit = request.change.commit;
  build.author = cleanText(request.change.author, 1024);
  build.message = cleanText(request.change.message, kMaxMessageBytes);
  build.trigger = request.trigger;
  build.requested_by = cleanText(request.requested_by, 1024);
  build.rerun_of = request.rerun_of;
  build.priority = request.priority;
  build.change_json = toJson(request.change);
  return build;
}

void reject(model::Build& build, std::string reason, std::string sentence) {
  build.state = model::BuildState::rejected;
  build.reason = std::move(reason);
  build.sentence = std::move(sentence);
}

// A line for each of the first problems.
std::string sentenceFor(const pipeline::ReadResult& result) {
  std::string out;
  std::size_t errors = 0;
  for (const pipeline::Problem& problem : result.problems) {
    if (problem.severity != pipeline::Severity::error || ++errors > kMaxShownProblems) continue;
    out += (out.empty() ? "" : "\n") + pipeline::toString(problem, result.file_name);
  }
  if (errors > kMaxShownProblems) out += "\nand " + std::to_string(errors - kMaxShownProblems) + " more problems";
  return out;
}

// Reads the file into the build, or rejects it. Returns the pipeline when there is one.
std::optional<pipeline::Pipeline> takePipeline(const Request& request, model::Build& build) {
  const PipelineFile& file = request.file;
  if (!file.fault.empty()) {
    reject(build, "bad_pipeline", cleanText(file.fault, kMaxMessageBytes));
  } else if (file.yml && file.yaml) {
    reject(build, "bad_pipeline",
           "ocelot.yml and ocelot.yaml are both at commit " + build.commit.substr(0, 12) + ": keep one of them");
  } else if (!file.yml && !file.yaml) {
    reject(build, "no_pipeline",
           "no ocelot.yml at commit " + build.commit.substr(0, 12) + ": add one, `ocelot init` writes a first one");
  } else {
    const std::string& bytes = file.yml ? *file.yml : *file.yaml;
    pipeline::ReadResult result = pipeline::read(bytes, file.yml ? "ocelot.yml" : "ocelot.yaml");
    // As much as a store takes, so that a rejected build still shows what was read.
    build.pipeline = cleanText(bytes, pipeline::kMaxFileBytes);
    if (result.pipeline) return std::move(result.pipeline);
    reject(build, "bad_pipeline", sentenceFor(result));
  }
  return std::nullopt;
}

Decision skipped(std::string reason, std::string sentence) {
  Decision decision;
  decision.verdict = Verdict::skipped;
  decision.reason = std::move(reason);
  decision.sentence = std::move(sentence);
  return decision;
}

std::string notAmongBranches(const std::string& branch, const pipeline::Pipeline& pipeline) {
  std::string patterns;
  for (const std::string& pattern : pipeline.branches) patterns += (patterns.empty() ? "" : ", ") + pattern;
  return "branch " + pipeline::quoted(branch) +
         " is not among the branches of ocelot.yml: " + pipeline::printable(patterns);
}

}  // namespace

std::string_view toString(Verdict verdict) {
  switch (verdict) {
    case Verdict::queued:
      return "queued";
    case Verdict::rejected:
      return "rejected";
    case Verdict::skipped:
      return "skipped";
    case Verdict::duplicate:
      return "duplicate";
  }
  return "";
}

PipelineFile readPipelineFile(Vcs& vcs, Call& call, const Commit& commit) {
  PipelineFile file;
  const auto read = [&](const char* name) -> std::optional<std::string> {
    try {
      return vcs.readFile(call, commit, name, pipeline::kMaxFileBytes);
    } catch (const Error& error) {
      if (error.status() == Status::not_found) return std::nullopt;
      if (error.status() != Status::invalid) throw;
      if (!file.fault.empty()) return std::nullopt;
      file.fault = "reading " + std::string(name) + " at commit " + commit.id.substr(0, 12) + ": " + error.what() +
                   ": it has to be a regular file of at most " + std::to_string(pipeline::kMaxFileBytes >> 10) + " KiB";
      return std::nullopt;
    }
  };
  file.yml = read("ocelot.yml");
  file.yaml = read("ocelot.yaml");
  return file;
}

std::string dedupeKey(const Request& request) {
  std::string kind;
  switch (request.trigger) {
    case Trigger::push:
    case Trigger::poll:  // a hook and a poll may both see the same push
      kind = "push";
      break;
    case Trigger::pull_request:
      kind = "pull_request";
      break;
    case Trigger::tag:
      kind = "tag";
      break;
    case Trigger::manual:
    case Trigger::schedule:
    case Trigger::rerun:
      return "";
  }
  return kind + ":" + request.repo.id + ":" + request.change.commit + ":" + request.change.branch;
}

Decision submit(store::Store& store, queue::Queue& queue, const Request& request) {
  check(request);
  if (!request.force && heedsSkipWords(request.trigger)) {
    const std::string_view word = skipWordIn(request.change.message);
    if (!word.empty())
      return skipped("skip_word",
                     "the message of commit " + request.change.commit.substr(0, 12) + " says " + std::string(word));
  }
  model::Build build = buildOf(request);
  if (const auto pipeline = takePipeline(request, build)) {
    if (heedsBranches(request) && !pipeline::buildsBranch(*pipeline, build.branch))
      return skipped("branch", notAmongBranches(build.branch, *pipeline));
    build.machine_tag = pipeline->machine_tag;
    for (const pipeline::Stage& stage : pipeline->stages) {
      model::Stage row;
      row.index = static_cast<int>(build.stages.size());
      row.name = stage.name;
      row.line = stage.line;
      build.stages.push_back(std::move(row));
    }
  }
  const store::Accepted accepted = store.accept(build, dedupeKey(request));

  Decision decision;
  decision.build_id = accepted.id;
  decision.number = accepted.number;
  if (accepted.duplicate) {
    decision.verdict = Verdict::duplicate;
    decision.reason = "duplicate";
    decision.sentence = "commit " + build.commit.substr(0, 12) + " of branch " + pipeline::quoted(build.branch) +
                        " is build " + std::to_string(accepted.number) + " already";
    return decision;
  }
  if (build.state == model::BuildState::rejected) {
    decision.verdict = Verdict::rejected;
    decision.reason = build.reason;
    decision.sentence = build.sentence;
    return decision;
  }
  decision.verdict = Verdict::queued;
  decision.sentence = "build " + std::to_string(accepted.number) + " is queued";
  try {
    publishOutbox(store, queue);
  } catch (const std::exception& error) {
    // The build is accepted; who takes it is the reconciler's care from here on.
    decision.unwoken = error.what();
  }
  return decision;
}

int publishOutbox(store::Store& store, queue::Queue& queue, int limit) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::int64_t>> waiting;
  for (const store::OutboxItem& item : store.outbox(limit)) {
    auto& ids = waiting[item.topic];
    if (ids.empty()) order.push_back(item.topic);
    ids.push_back(item.id);
  }
  // One publication a topic, which says how many; a row is kept until that has been taken.
  int all = 0;
  for (const auto& topic : order) {
    const auto& ids = waiting[topic];
    queue.publish(topic, static_cast<int>(ids.size()));
    store.published(ids);
    all += static_cast<int>(ids.size());
  }
  return all;
}

}  // namespace ocelot::trigger
