#include "components/poller/poll.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <set>
#include <sstream>

#include "host/daemon/log.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::poller {
namespace {

using daemon::log;

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

int pollOnce(Call& call, engines::Engines& engines, const Lend& lend, const model::Repo& repo) {
  Heads now;
  lend([&](Vcs& vcs) {
    for (const auto& head : vcs.heads(call, {repo.name, repo.url})) now[head.branch] = head.commit;
  });
  now = wanted(now, repo.poll_branches);
  const bool first = repo.heads_json.empty();
  const Heads seen = headsFromJson(repo.heads_json);
  int accepted = 0;
  for (auto& [branch, commit] : now) {
    const auto known = seen.find(branch);
    const std::string before = known == seen.end() ? "" : known->second;
    if (first || before == commit) continue;
    try {
      const auto decision =
          trigger::submit(*engines.store, *engines.queue, requestFor(call, lend, repo, branch, commit, before));
      if (decision.verdict == trigger::Verdict::queued) ++accepted;
      log(LogLevel::info, "branch moved",
          {{"repo", repo.name}, {"branch", branch}, {"outcome", trigger::toString(decision.verdict)}});
    } catch (const std::exception& error) {
      log(LogLevel::warning, "a moved branch could not be built; the next look tries again",
          {{"repo", repo.name}, {"branch", branch}, {"why", error.what()}});
      commit = before;
    }
  }
  std::erase_if(now, [](const auto& head) { return head.second.empty(); });
  engines.store->updateRepoPoll(repo.id, toJson(now));
  return accepted;
}

}  // namespace ocelot::poller
