// What must hold of all builds once everything is well again: the reference's invariants I1 to I7 and I11, as far as
// they are not looked at while the faults happen.

#include <cppunit/TestAssert.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "host/http/json_view.hpp"
#include "tests/live/cluster/hosts.hpp"
#include "tests/live/cluster/scene.hpp"
#include "tests/live/cluster/world.hpp"
#include "tests/support/api.hpp"

namespace ocelot::test {
namespace {

using std::chrono::seconds;

const std::string kFetching = "[ocelot: fetching ";

void awaitAllEnded(Scene& scene) {
  std::size_t ended = 0;
  std::string waits;
  const auto all = [&] {
    ended = 0;
    for (const auto& one : scene.cluster().builds()) {
      if (one.final()) {
        ++ended;
      } else {
        waits = one.text();
      }
    }
    return ended == scene.load().commissions().size();
  };
  try {
    await("every build has ended", all, seconds(180));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "; " + std::to_string(ended) + " of " +
                             std::to_string(scene.load().commissions().size()) + " have, and there is " + waits);
  }
}

// I1: each that was accepted is there once, and has ended. I2: as often begun as the faults allow.
std::map<std::string, BuildSeen> eachOnce(Scene& scene) {
  std::map<std::string, BuildSeen> by_branch;
  for (const auto& one : scene.cluster().builds()) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(one.repo + " " + one.branch + ": " + one.text(), std::string("passed"), one.state);
    CPPUNIT_ASSERT_MESSAGE("two builds of " + one.branch, by_branch.emplace(one.branch, one).second);
    const bool more = scene.begunAgain().count(one.id) != 0;
    CPPUNIT_ASSERT_MESSAGE("build " + one.id + " of " + one.branch + " was begun again without need: " + one.text(),
                           one.attempt == 1 || (more && one.attempt <= 3));
  }
  for (const auto& wanted : scene.load().commissions()) {
    CPPUNIT_ASSERT_MESSAGE(wanted.repo + " " + wanted.branch + " is lost", by_branch.count(wanted.branch));
    CPPUNIT_ASSERT_EQUAL(wanted.commit, by_branch.at(wanted.branch).commit);
  }
  CPPUNIT_ASSERT_EQUAL(scene.load().commissions().size(), by_branch.size());
  return by_branch;
}

// A log without what is said in it while a secret store is away.
std::string withoutWaiting(const std::string& log) {
  std::string out;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const bool ours = line.compare(0, 9, "[ocelot: ") == 0 && line.find("secret TOKEN") != std::string::npos;
    if (!ours) out += line + "\n";
  }
  return out;
}

// I4, in the store and for whoever followed.
void logsAreWhole(Scene& scene, const std::map<std::string, BuildSeen>& by_branch) {
  std::map<std::string, std::string> wanted_of;
  for (const auto& wanted : scene.load().commissions()) {
    const BuildSeen& one = by_branch.at(wanted.branch);
    const std::string stored = scene.cluster().storedLog(one.id);
    // Ocelot's own first line is there where the worker had to fetch the commit.
    const std::string own =
        stored.compare(0, kFetching.size(), kFetching) == 0 ? stored.substr(0, stored.find('\n') + 1) : "";
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the log of " + wanted.branch + ", attempt " + std::to_string(one.attempt),
                                 own + wanted.log(), withoutWaiting(stored));
    CPPUNIT_ASSERT_EQUAL(one.log_sha256, sha256Hex(stored));
    wanted_of[one.id] = stored;
  }
  for (auto& follower : scene.followers())
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a follower of " + follower->id(), wanted_of.at(follower->id()), follower->awaitEnd());
}

// I2, I3: the store has kept count of what became of each.
void eachEndedOnce(Scene& scene) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE("builds that have ended more or less than once", std::string(),
                               scene.cluster().sql("SELECT build_id, count(*) FROM test_ends GROUP BY build_id HAVING "
                                                   "count(*) <> 1"));
  CPPUNIT_ASSERT_EQUAL(std::to_string(scene.load().commissions().size()) + "\n",
                       scene.cluster().sql("SELECT count(*) FROM test_ends"));
}

// I5. Everything that anybody has written lies below the installation's folder, or in the engines.
void secretIsNowhere(Scene& scene) {
  auto& cluster = scene.cluster();
  std::string everywhere = cluster.dump();
  if (cluster.form() == Form::engines)
    for (const auto& pair : http::JsonView::parse(cluster.toConsul("GET", "kv/?recurse=true").body).value().items())
      everywhere += http::fromBase64(pair["Value"].text().value_or("")).value_or("");
  for (const auto& one : cluster.builds()) everywhere += cluster.ask("GET", "/v1/builds/" + one.id).body;
  everywhere += cluster.ask("GET", "/v1/audit").body;
  const TempFolder elsewhere;
  const std::string pattern = elsewhere.path + "/pattern", canary = cluster.folder() + "/canary";
  const auto files = [&](const std::string& form) {
    std::ofstream(pattern, std::ios::trunc) << form;
    return runHere({"sh", "-c", "grep -rlaF -f \"$0\" \"$1\" || test $? = 1", pattern, cluster.folder()});
  };
  for (const auto& form : formsOf(scene.secret())) {
    CPPUNIT_ASSERT_MESSAGE("the secret is in the store, in Consul or in an answer",
                           everywhere.find(form) == std::string::npos);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("files that show the secret", std::string(), files(form));
  }
  // Whoever seeks like this finds.
  std::ofstream(canary) << "x" << scene.secret() << "y";
  CPPUNIT_ASSERT_EQUAL(canary + "\n", files(scene.secret()));
}

}  // namespace

void checkInvariants(Scene& scene) {
  scene.load().awaitAccepted();
  awaitAllEnded(scene);
  note("every build has ended");
  const auto by_branch = eachOnce(scene);
  eachEndedOnce(scene);
  logsAreWhole(scene, by_branch);
  std::set<std::string> ids;
  for (const auto& [branch, one] : by_branch) ids.insert(one.id);
  std::vector<std::string> left;
  try {
    await(
        "nothing is left behind", [&] { return (left = scene.cluster().leftovers(ids)).empty(); }, seconds(45));
  } catch (const std::runtime_error&) {
    std::string text = "left behind:";
    for (const auto& one : left) text += "\n  " + one;
    throw std::runtime_error(text);
  }
  secretIsNowhere(scene);
  std::string complaints;
  for (const auto& one : scene.witness().complaints()) complaints += one + "\n";
  CPPUNIT_ASSERT_EQUAL_MESSAGE("what the witness saw", std::string(), complaints);
  CPPUNIT_ASSERT_MESSAGE("the witness saw no build at all", scene.witness().guestsSeen() > 0);
  note(std::to_string(by_branch.size()) + " builds, " + std::to_string(scene.followers().size()) +
       " of them followed, " + std::to_string(scene.begunAgain().size()) + " could be begun again, " +
       std::to_string(scene.witness().looks()) + " looks");
}

}  // namespace ocelot::test
