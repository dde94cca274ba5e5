#include "components/poller/poll.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "host/daemon/log.hpp"
#include "host/trigger/clean_text.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::poller {
namespace {

using daemon::log;

constexpr std::chrono::seconds kFirstPause{30};
constexpr std::chrono::seconds kMostPause{3600};
constexpr int kMaxLines = 10;  // of a repo's trouble
constexpr std::size_t kMaxLineBytes = 700;

trigger::Request requestFor(Call& call, const Lend& lend, const model::Repo& repo, const std::string& branch,
                            const std::string& commit, const std::string& before) {
  trigger::Request request;
  request.repo = repo;
  request.trigger = model::Trigger::poll;
  request.requested_by = "poller";
  lend([&](Vcs& vcs) {
    const Repo at{repo.name, repo.url};
    request.change = vcs.changes(call, Commit{at, commit}, before);
    request.change.kind = Change::Kind::poll;
    request.change.repo = at;
    request.change.branch = branch;
    request.change.commit = commit;
    request.change.before = before;
    request.file = trigger::readPipelineFile(vcs, call, Commit{at, commit});
  });
  return request;
}

// A line for each of the first branches.
std::string troubleOf(const UnbuiltBranches& unbuilt) {
  std::string text;
  int lines = 0;
  for (const auto& [branch, one] : unbuilt) {
    if (++lines > kMaxLines) {
      text += "\nand " + std::to_string(unbuilt.size() - kMaxLines) + " more branches";
      break;
    }
    text += (text.empty() ? "" : "\n") +
            trigger::cleanText("branch " + branch + " cannot be read: " + one.why, kMaxLineBytes);
  }
  return text;
}

}  // namespace

Heads headsFromJson(const std::string& json) {
  Heads heads;
  try {
    const auto from = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
    for (const auto& branch : from->getNames()) heads[branch] = from->getValue<std::string>(branch);
  } catch (const Poco::Exception&) {
    heads.clear();
  }
  return heads;
}

std::string toJson(const Heads& heads) {
  Poco::JSON::Object out;
  for (const auto& [branch, commit] : heads) out.set(branch, commit);
  std::ostringstream text;
  out.stringify(text);
  return text.str();
}

Heads wanted(const Heads& heads, const std::string& branches) {
  if (branches.empty() || branches == "ALL") return heads;
  std::set<std::string> names;
  std::istringstream list(branches);
  for (std::string name; std::getline(list, name, ',');) {
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    if (!name.empty()) names.insert(name);
  }
  Heads out;
  for (const auto& [branch, commit] : heads)
    if (names.count(branch)) out[branch] = commit;
  return out;
}

void Failures::add(Clock::time_point now) {
  ++count;
  std::chrono::seconds pause{0};
  if (count > 1) pause = std::min<std::chrono::seconds>(kFirstPause * (1 << std::min(count - 2, 10)), kMostPause);
  again = now + pause;
}

int pollOnce(Call& call, engines::Engines& engines, const Lend& lend, const model::Repo& repo,
             UnbuiltBranches& unbuilt) {
  Heads now;
  lend([&](Vcs& vcs) {
    for (const auto& head : vcs.heads(call, {repo.name, repo.url})) now[head.branch] = head.commit;
  });
  now = wanted(now, repo.poll_branches);
  const bool first = repo.heads_json.empty();
  const Heads seen = headsFromJson(repo.heads_json);
  // One that moved on, or is gone, is another matter.
  std::erase_if(unbuilt, [&](const auto& one) {
    const auto head = now.find(one.first);
    return head == now.end() || head->second != one.second.commit;
  });
  int accepted = 0;
  for (auto& [branch, commit] : now) {
    const auto known = seen.find(branch);
    const std::string before = known == seen.end() ? "" : known->second;
    if (first || before == commit) continue;
    const auto failed = unbuilt.find(branch);
    if (failed != unbuilt.end() && Failures::Clock::now() < failed->second.again) {
      commit = before;
      continue;
    }
    try {
      const auto decision =
          trigger::submit(*engines.store, *engines.queue, requestFor(call, lend, repo, branch, commit, before));
      if (decision.verdict == trigger::Verdict::queued) ++accepted;
      if (failed != unbuilt.end()) unbuilt.erase(failed);
      log(LogLevel::info, "branch moved",
          {{"repo", repo.name}, {"branch", branch}, {"outcome", trigger::toString(decision.verdict)}});
    } catch (const std::exception& error) {
      // An engine that is away says nothing about the branch, and is tried again at every look.
      if (dynamic_cast<const Error*>(&error)) {
        auto& one = unbuilt[branch];
        one.commit = commit;
        one.why = error.what();
        one.add();
      }
      log(LogLevel::warning, "a moved branch could not be built; a later look tries again",
          {{"repo", repo.name}, {"branch", branch}, {"why", error.what()}});
      commit = before;
    }
  }
  std::erase_if(now, [](const auto& head) { return head.second.empty(); });
  engines.store->updateRepoPoll(repo.id, toJson(now));
  const std::string trouble = troubleOf(unbuilt);
  if (trouble != repo.trouble) engines.store->setRepoTrouble(repo.id, trouble);
  return accepted;
}

}  // namespace ocelot::poller
