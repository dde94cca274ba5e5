#include "tests/contract/support/contract.hpp"

#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/TestFactory.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <poll.h>

namespace ocelot::test {
namespace {

struct Entry {
  const char* name;
  void (*body)(Ground&);
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

class OnEngine : public CppUnit::TestCase {
 public:
  OnEngine(const std::string& name, std::unique_ptr<Engine> (*engine)(), void (*body)(Ground&))
      : TestCase(name), engine_(engine), body_(body) {}
  void runTest() override {
    Ground ground(engine_());
    body_(ground);
  }

 private:
  std::unique_ptr<Engine> (*engine_)();
  void (*body_)(Ground&);
};

class Factory : public CppUnit::TestFactory {
 public:
  CppUnit::Test* makeTest() override {
    auto* suite = new CppUnit::TestSuite("contract");
    for (const Entry& entry : entries()) {
      suite->addTest(new OnEngine(std::string("sqlite ") + entry.name, sqliteEngine, entry.body));
      suite->addTest(new OnEngine(std::string("postgres ") + entry.name, postgresEngine, entry.body));
    }
    return suite;
  }
};

}  // namespace

ContractTest::ContractTest(const char* name, void (*body)(Ground&)) {
  if (entries().empty()) {
    static Factory factory;
    CppUnit::TestFactoryRegistry::getRegistry().registerFactory(&factory);
  }
  entries().push_back({name, body});
}

Ground::Ground(std::unique_ptr<Engine> engine) : engine_(std::move(engine)), store_(store::open(engine_->settings())) {
  store_->migrate();
}

store::Build Ground::someBuild(const std::string& branch) {
  store::Build build;
  build.repo = "account/repo";
  build.branch = branch;
  build.commit = "0123456789abcdef0123456789abcdef01234567";
  build.author = "Ada <ada@example.org>";
  build.message = "mend the pump";
  build.trigger = model::Trigger::push;
  build.requested_by = "hook";
  build.pipeline = "image: debian:12\nstages: [{name: test, script: make test}]\n";
  build.change_json = "{}";
  return build;
}

store::ClaimedBuild Ground::running(std::int64_t lease_ms) {
  accept();
  auto claimed = store_->claim("worker-1", {}, lease_ms);
  CPPUNIT_ASSERT_MESSAGE("nothing to claim", claimed.has_value());
  return *claimed;
}

store::Finish Ground::ending(const store::Claim& claim, model::BuildState state) {
  store::Finish finish;
  finish.claim = claim;
  finish.outcome = {state, state == model::BuildState::passed ? "" : "stage_failed", "the end"};
  return finish;
}

std::string Ground::ended(model::BuildState state, const std::string& branch) {
  const auto accepted = accept(branch);
  const auto claimed = store_->claim("worker-1", {}, 30'000);
  CPPUNIT_ASSERT(claimed.has_value());
  CPPUNIT_ASSERT_EQUAL(accepted.id, claimed->claim.build_id);
  CPPUNIT_ASSERT(store_->finish(ending(claimed->claim, state)));
  return accepted.id;
}

void waitUntil(const std::string& what, const std::function<bool()>& holds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    CPPUNIT_ASSERT_MESSAGE("still not so after ten seconds: " + what, std::chrono::steady_clock::now() < give_up);
    ::poll(nullptr, 0, 2);
  }
}

}  // namespace ocelot::test
