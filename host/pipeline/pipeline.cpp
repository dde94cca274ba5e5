#include "host/pipeline/pipeline.hpp"

#include <algorithm>
#include <tuple>

#include "host/pipeline/patterns.hpp"
#include "host/pipeline/reader.hpp"
#include "host/pipeline/text_check.hpp"
#include "host/pipeline/values.hpp"
#include "host/pipeline/yaml.hpp"

namespace ocelot::pipeline {

namespace {

constexpr std::size_t kMaxProblems = 100;
constexpr const char* kSmallest = "a whole file is `image: debian:12` and `stages: [{name: test, script: make test}]`";

bool anyError(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Severity::error; });
}

void putInOrder(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  // An anchored value is read wherever its alias stands, and is wrong but once.
  const auto same = [](const Problem& a, const Problem& b) {
    return a.line == b.line && a.column == b.column && a.message == b.message && a.severity == b.severity;
  };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
  if (problems.size() <= kMaxProblems) return;
  const std::size_t more = problems.size() - kMaxProblems + 1;
  // Errors first, so that none but errors stand for "more".
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.severity < b.severity; });
  problems.resize(kMaxProblems - 1);
  const Problem last = problems.back();
  problems.push_back({last.line, last.column, "and " + std::to_string(more) + " more problems", "", last.severity});
}

}  // namespace

bool Notification::tells(model::BuildState state) const {
  switch (state) {
    case model::BuildState::passed:
      return on_pass;
    case model::BuildState::failed:
    case model::BuildState::timed_out:
    case model::BuildState::error:
    case model::BuildState::rejected:
      return on_fail;
    case model::BuildState::queued:
    case model::BuildState::running:
    case model::BuildState::canceled:
      return false;
  }
  return false;
}

std::string toString(const Problem& problem, const std::string& file_name) {
  std::string out = file_name;
  if (problem.line > 0) out += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  out += ": " + std::string(problem.severity == Severity::warning ? "warning: " : "") + problem.message;
  if (!problem.hint.empty()) out += "; " + problem.hint;
  return printable(out);
}

ReadResult read(std::string_view bytes, const std::string& file_name) {
  ReadResult result;
  result.file_name = file_name;
  std::vector<Problem>& problems = result.problems;
  bytes = withoutByteOrderMark(bytes);
  if (!checkText(bytes, problems)) return result;
  const yaml::NodePtr root = yaml::parse(bytes, problems);
  if (root && root->kind != yaml::Node::Kind::null) {
    Pipeline pipeline = Reader(problems).read(*root);
    if (!anyError(problems)) result.pipeline = std::move(pipeline);
  } else if (!anyError(problems)) {
    problems.push_back({0, 0, "the file is empty", kSmallest});
  }
  putInOrder(problems);
  return result;
}

std::string describeErrors(const ReadResult& result) {
  std::string out;
  for (const Problem& problem : result.problems) {
    if (problem.severity != Severity::error) continue;
    if (!out.empty()) out += '\n';
    out += toString(problem, result.file_name);
  }
  return out;
}

bool buildsBranch(const Pipeline& pipeline, std::string_view branch) {
  return pipeline.branches.empty() || matchesAnyPattern(pipeline.branches, branch);
}

}  // namespace ocelot::pipeline
