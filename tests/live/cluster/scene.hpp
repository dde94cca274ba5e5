#pragma once
// A cluster under load, and the verbs of what befalls it.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/live/cluster/cluster.hpp"
#include "tests/live/cluster/load.hpp"
#include "tests/live/cluster/witness.hpp"

namespace ocelot::test {

class Scene {
 public:
  Scene(Cluster& cluster, std::string secret, int builds, int faults);

  Cluster& cluster() { return cluster_; }
  Load& load() { return load_; }
  Witness& witness() { return witness_; }
  const std::string& secret() const { return secret_; }

  // More builds come in, some of them run, somebody follows them; then it happens, and in the end all is well again.
  void befalls(const std::string& what, const std::function<void()>& happens);
  // The same, with builds that take longer than what happens.
  void befallsLongBuilds(const std::string& what, const std::function<void()>& happens);

  // ── what faults look at ──
  std::vector<BuildSeen> running(const std::string& worker = "");
  std::vector<BuildSeen> queued() { return seen("state=queued"); }
  // The worker that runs the most builds, once one does.
  std::string busiest();
  int ended();  // builds that have ended so far
  // As many more builds end: whatever is away, work goes on.
  void awaitProgress(int builds = 3);
  // Ids of what this worker holds; the store itself is asked, which no fault of an admin delays.
  std::vector<std::string> held(const std::string& worker);
  // What this worker, which cannot be heard, holds by now: only such builds may be begun again.
  void mayBeBegunAgain(const std::string& worker);
  const std::set<std::string>& begunAgain() const { return begun_again_; }
  void awaitDown(const std::vector<std::string>& daemons, const std::string& what);
  std::vector<std::unique_ptr<Follower>>& followers() { return followers_; }

  // More than lease and fault take together, in eight lines.
  static constexpr int kLongPause = 2000;

 private:
  void befalls(const std::string& what, int pause_ms, const std::function<void()>& happens);
  std::vector<BuildSeen> seen(const std::string& query);  // asks until an admin answers
  void follow();

  Cluster& cluster_;
  const std::string secret_;
  const int builds_, faults_;
  int happened_ = 0, released_ = 0;
  std::set<std::string> begun_again_, followed_;
  Witness witness_;
  Load load_;
  std::vector<std::unique_ptr<Follower>> followers_;
};

// What can befall every cluster, and what only one with all the engines.
void faultsOfDaemons(Scene& scene);
void faultsOfPostgres(Scene& scene);
void faultsOfEngines(Scene& scene);
constexpr int kFaultsOfDaemons = 10, kFaultsOfPostgres = 4, kFaultsOfEngines = 9;

// Nothing lost, nothing twice, logs byte for byte, secrets nowhere, nothing left behind.
void checkInvariants(Scene& scene);

}  // namespace ocelot::test
