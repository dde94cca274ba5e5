#pragma once
// How a contract's tests are written: CONTRACT(aSentenceInCamelCase) { … ground.store() … }. Each becomes two tests,
// "sqlite aSentence…" and "postgres aSentence…".

#include <cppunit/TestAssert.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/contract/support/engine.hpp"

namespace ocelot::test {

// What a test stands on: an engine with an empty, migrated store, and the verbs of a scene.
class Ground {
 public:
  explicit Ground(std::unique_ptr<Engine> engine);
  Engine& engine() { return *engine_; }
  store::Store& store() { return *store_; }
  // Another view of the same database, as another process would have it.
  std::unique_ptr<store::Store> openAnother() const { return store::open(engine_->settings()); }

  // A build of account/repo, main, as a push makes it.
  static store::Build someBuild(const std::string& branch = "main");
  store::Accepted accept(const std::string& branch = "main") { return store_->accept(someBuild(branch), ""); }
  // Accepts one and claims it; only for a queue that is empty.
  store::ClaimedBuild running(std::int64_t lease_ms = 30'000);
  static store::Finish ending(const store::Claim& claim, model::BuildState state = model::BuildState::passed);
  // Accepts, claims and finishes one. Returns its id.
  std::string ended(model::BuildState state, const std::string& branch = "main");

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<store::Store> store_;
};

// Asks again until the condition holds. Fails the test when it has not after ten seconds.
void waitUntil(const std::string& what, const std::function<bool()>& holds);

struct ContractTest {
  ContractTest(const char* name, void (*body)(Ground&));
};

}  // namespace ocelot::test

#define CONTRACT(name)                                                    \
  static void name(ocelot::test::Ground& ground);                         \
  static const ocelot::test::ContractTest name##_registered(#name, name); \
  static void name([[maybe_unused]] ocelot::test::Ground& ground)
