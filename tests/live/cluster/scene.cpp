#include "tests/live/cluster/scene.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tests/live/cluster/world.hpp"

namespace ocelot::test {

Scene::Scene(Cluster& cluster, std::string secret, int builds, int faults)
    : cluster_(cluster),
      secret_(std::move(secret)),
      builds_(builds),
      faults_(faults),
      witness_(secret_),
      load_(cluster_, secret_) {}

void Scene::befalls(const std::string& what, const std::function<void()>& happens) { befalls(what, 0, happens); }
void Scene::befallsLongBuilds(const std::string& what, const std::function<void()>& happens) {
  befalls(what, kLongPause, happens);
}

void Scene::befalls(const std::string& what, int pause_ms, const std::function<void()>& happens) {
  ++happened_;
  const int share = builds_ * happened_ / faults_ - released_;
  released_ += share;
  load_.release(share, pause_ms);
  busiest();
  follow();
  note(what);
  try {
    happens();
    cluster_.awaitWell();
  } catch (const std::exception& error) {
    throw std::runtime_error("while " + what + ": " + error.what());
  }
}

std::vector<BuildSeen> Scene::seen(const std::string& query) {
  std::vector<BuildSeen> out;
  await("an admin lists " + query, [&] {
    try {
      out = cluster_.builds(query);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  });
  return out;
}

std::vector<BuildSeen> Scene::running(const std::string& worker) {
  auto out = seen("state=running");
  if (!worker.empty())
    std::erase_if(out, [id = cluster_.workerId(worker)](const auto& one) { return one.worker != id; });
  return out;
}

std::string Scene::busiest() {
  std::string most;
  await("a worker runs a build", [&] {
    std::map<std::string, int> count;
    for (const auto& one : running()) ++count[one.worker];
    for (const auto& worker : cluster_.daemons("worker")) {
      const int here = count[cluster_.workerId(worker)];
      if (here > 0 && (most.empty() || here > count[cluster_.workerId(most)])) most = worker;
    }
    return !most.empty();
  });
  return most;
}

int Scene::ended() {
  const auto all = seen("");
  return static_cast<int>(std::count_if(all.begin(), all.end(), [](const auto& one) { return one.final(); }));
}

void Scene::awaitProgress(int builds) {
  const int before = ended();
  const int possible = static_cast<int>(seen("").size()) - before;
  await(
      "more builds end", [&] { return ended() >= before + std::min(builds, possible); }, std::chrono::seconds(60));
}

std::vector<std::string> Scene::held(const std::string& worker) {
  std::vector<std::string> ids;
  std::istringstream lines(
      cluster_.sql("SELECT id FROM builds WHERE state = 'running' AND worker = '" + cluster_.workerId(worker) + "'"));
  for (std::string id; std::getline(lines, id);) ids.push_back(id);
  return ids;
}

void Scene::mayBeBegunAgain(const std::string& worker) {
  for (const auto& id : held(worker)) begun_again_.insert(id);
}

void Scene::awaitDown(const std::vector<std::string>& daemons, const std::string& what) {
  for (const auto& daemon : daemons)
    await(
        daemon + " says that " + what + " is away", [&] { return cluster_.saysDown(daemon, what); },
        std::chrono::seconds(20));
}

// Two of those that run, as people do.
void Scene::follow() {
  int more = 2;
  for (const auto& one : running())
    if (more > 0 && followed_.insert(one.id).second) {
      followers_.push_back(std::make_unique<Follower>(cluster_, one.id));
      --more;
    }
}

}  // namespace ocelot::test
