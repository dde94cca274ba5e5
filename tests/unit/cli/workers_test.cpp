// Who runs builds, as a person sees it.

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include "host/http/server.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using test::contains;

namespace {

constexpr const char* kTwo =
    R"({"slots":6,"busy":2,"version":"2.0.0","workers":[
  {"id":"w-1","name":"alpha","tags":["gpu","big"],"slots":4,"version":"2.0.0","version_is":"same","note":"",
   "online":true,"drained_by":"","drained_at":0,"started_at":1,"seen_at":2,
   "builds":[{"number":12,"repo":"acme/app","branch":"main","started_at":1},
             {"number":13,"repo":"acme/lib\u001b[2J","branch":"dev","started_at":1}]},
  {"id":"w-2","name":"beta","tags":[],"slots":2,"version":"1.9.0","version_is":"older","note":"no space",
   "online":true,"drained_by":"ada","drained_at":5,"started_at":1,"seen_at":2,"builds":[]}]})";

// Answers one thing to everything below /v1/workers.
class Admin {
 public:
  explicit Admin(std::string answer) {
    http::Routes routes;
    const auto say = [this, answer = std::move(answer)](const http::Request& request) {
      std::lock_guard guard(mutex_);
      asked_.push_back(request.method + " " + request.path);
      return request.method == "DELETE" ? http::nothing() : http::json(answer);
    };
    routes.get("/v1/workers", http::Role::none, say);
    routes.post("/v1/workers/{id}/drain", http::Role::none, say);
    routes.del("/v1/workers/{id}/drain", http::Role::none, say);
    http::ServerSettings settings;
    settings.listen = "127.0.0.1:0";
    server_ = std::make_unique<http::Server>(settings, std::move(routes), nullptr);
    ::setenv("OCELOT_URL", server_->url().c_str(), 1);
    ::setenv("OCELOT_TOKEN", "oct_x", 1);
  }
  ~Admin() {
    ::unsetenv("OCELOT_URL");
    ::unsetenv("OCELOT_TOKEN");
  }
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  std::vector<std::string> asked() const {
    std::lock_guard guard(mutex_);
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::unique_ptr<http::Server> server_;
};

class WorkersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkersTest);
  CPPUNIT_TEST(eachBuildOfAWorkerHasALine);
  CPPUNIT_TEST(whatDiffersInVersionIsSaidNamingBoth);
  CPPUNIT_TEST(workersOfOneNameShowTheirIds);
  CPPUNIT_TEST(nobodyIsThere);
  CPPUNIT_TEST(aDrainIsAskedForAndUndone);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<test::Person> person_;

 public:
  void setUp() override { person_ = std::make_unique<test::Person>(); }
  void tearDown() override { person_.reset(); }

  void eachBuildOfAWorkerHasALine() {
    const Admin admin(kTwo);
    const auto ran = test::ocelot({"workers"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
    for (const char* part : {"2/4", "#12 acme/app main", "#13 acme/lib", "gpu,big", "0/2", "no space; asked by ada"})
      CPPUNIT_ASSERT_MESSAGE(ran.out, contains(ran.out, part));
    CPPUNIT_ASSERT_MESSAGE(ran.out, !contains(ran.out, "\x1b"));
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "2 workers, 2 of 6 slots in use\n"));
    const auto json = test::ocelot({"workers", "--json"});
    CPPUNIT_ASSERT_MESSAGE(json.out, contains(json.out, "\"version_is\""));
  }

  void whatDiffersInVersionIsSaidNamingBoth() {
    const Admin admin(kTwo);
    const auto ran = test::ocelot({"workers"});
    CPPUNIT_ASSERT_MESSAGE(ran.out, contains(ran.out, "1.9.0 (older)"));
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "! beta runs ocelot 1.9.0, ocelot-admin 2.0.0"));
    CPPUNIT_ASSERT_MESSAGE(ran.err, !contains(ran.err, "alpha runs"));
  }

  void workersOfOneNameShowTheirIds() {
    std::string same = kTwo;
    same.replace(same.find("beta"), 4, "alpha");
    const Admin admin(same);
    const auto ran = test::ocelot({"workers"});
    CPPUNIT_ASSERT_MESSAGE(ran.out, contains(ran.out, "alpha (w-1)") && contains(ran.out, "alpha (w-2)"));
  }

  void nobodyIsThere() {
    const Admin admin(R"({"workers":[],"slots":0,"busy":0,"version":"2.0.0"})");
    const auto ran = test::ocelot({"workers"});
    CPPUNIT_ASSERT_EQUAL(std::string("no worker is online\n"), ran.err);
    CPPUNIT_ASSERT_EQUAL(std::string(), ran.out);
  }

  void aDrainIsAskedForAndUndone() {
    const Admin admin(R"({"id":"w-1","name":"alpha","drained_by":"ada","drained_at":1})");
    const auto ran = test::ocelot({"drain", "alpha"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(ran.err, 0, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "alpha takes no new builds") && contains(ran.err, "by ada"));
    CPPUNIT_ASSERT_EQUAL(0, test::ocelot({"workers", "drain", "alpha", "--undo"}).status);
    const std::vector<std::string> wanted{"POST /v1/workers/alpha/drain", "DELETE /v1/workers/alpha/drain"};
    CPPUNIT_ASSERT(wanted == admin.asked());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkersTest);

}  // namespace
