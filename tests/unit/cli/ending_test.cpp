// What a red build ends with.

#include <cppunit/extensions/HelperMacros.h>

#include "components/cli/build_view.hpp"
#include "tests/unit/cli/fake_admin.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using test::contains;

namespace {

constexpr const char* kRed =
    R"({"id":"b","number":12,"repo":"acme/app","branch":"main","commit":"3f2a1c9d77","state":"failed",
  "sentence":"stage `test` (ocelot.yml:9) failed with exit code 7","started_at":1000000,"finished_at":5200000,
  "stages":[{"index":0,"name":"build","state":"passed","exit_code":0,"line":5,"command":"make\n"},
            {"index":1,"name":"test\u001b]0;x","state":"failed","exit_code":7,"line":9,"command":"cd tests\n./run all\n"},
            {"index":2,"name":"late","state":"skipped","exit_code":-1,"line":12,"command":"echo\n"}]})";

constexpr const char* kGreen =
    R"({"id":"b","number":12,"repo":"acme/app","branch":"main","commit":"3f2a1c9d77","state":"passed",
  "started_at":1000000,"finished_at":5200000,"stages":[]})";

}  // namespace

class EndingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EndingTest);
  CPPUNIT_TEST(aRedBuildSaysWhereToLook);
  CPPUNIT_TEST(aGreenBuildTakesOneLine);
  CPPUNIT_TEST(aGreenBuildSaysWhatItSkipped);
  CPPUNIT_TEST(aBuildThatNeverRanSaysWhy);
  CPPUNIT_TEST(aStageThatSaidNothingLeavesNoGap);
  CPPUNIT_TEST(aLogThatCannotBeReadDoesNotHideTheRest);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aRedBuildSaysWhereToLook() {
    admin_.builds = {kRed};
    admin_.log_answers = {test::FakeAdmin::sends("line 1\n\x1b[2Jline 2\nassertion failed\n")};
    auto server = admin_.client();
    const std::string text = cli::ending(server, server.get("/v1/builds/b"), 100);
    CPPUNIT_ASSERT_MESSAGE(text, contains(text, "failed  #12 acme/app main 3f2a1c9  in 4.2 s\n"));
    for (const char* part :
         {"  stage     test^[]0;x\n", "  at        ocelot.yml:9\n", "  command   cd tests\n            ./run all\n",
          "  exit code 7\n", "  why       stage `test`", "  │ assertion failed\n", "ocelot logs 12", "ocelot rerun 12"})
      CPPUNIT_ASSERT_MESSAGE(std::string(part) + " is missing in\n" + text, contains(text, part));
    CPPUNIT_ASSERT_MESSAGE("the build's escape sequences are shown, not obeyed", !contains(text, "\x1b"));
    CPPUNIT_ASSERT_EQUAL(std::string("offset=0&via=admin&stage=1&tail=20"), admin_.logQueries().at(0));
  }

  void aGreenBuildTakesOneLine() {
    admin_.builds = {kGreen};
    auto server = admin_.client();
    CPPUNIT_ASSERT_EQUAL(std::string("passed  #12 acme/app main 3f2a1c9  in 4.2 s\n"),
                         cli::ending(server, server.get("/v1/builds/b"), 100));
  }

  void aGreenBuildSaysWhatItSkipped() {
    admin_.builds = {R"({"id":"b","number":12,"repo":"acme/app","state":"passed","stages":[
        {"index":0,"name":"test","state":"passed","sentence":""},
        {"index":1,"name":"deploy","state":"skipped","sentence":"none of its 2 triggers holds for this change"}]})"};
    auto server = admin_.client();
    CPPUNIT_ASSERT_EQUAL(
        std::string("passed  #12 acme/app\n  skipped   deploy: none of its 2 triggers holds for this change\n"),
        cli::ending(server, server.get("/v1/builds/b"), 100));
  }

  void aBuildThatNeverRanSaysWhy() {
    admin_.builds = {
        R"({"id":"b","number":3,"repo":"acme/app","state":"rejected",
            "sentence":"ocelot.yml:2:1: unknown key `imgae`\nocelot.yml:3:1: unknown key `stagse`"})"};
    auto server = admin_.client();
    const std::string text = cli::ending(server, server.get("/v1/builds/b"), 100);
    CPPUNIT_ASSERT_MESSAGE(text, contains(text,
                                          "rejected  #3 acme/app\n  why       ocelot.yml:2:1: unknown key `imgae`\n"
                                          "            ocelot.yml:3:1: unknown key `stagse`\n"));
    CPPUNIT_ASSERT_MESSAGE(
        "there is no log, and no sense in building it again: " + text,
        !contains(text, "ocelot logs") && !contains(text, "ocelot rerun") && contains(text, "validate"));
  }

  void aStageThatSaidNothingLeavesNoGap() {
    admin_.builds = {kRed};
    admin_.log_answers = {test::FakeAdmin::sends("")};
    auto server = admin_.client();
    const std::string text = cli::ending(server, server.get("/v1/builds/b"), 100);
    CPPUNIT_ASSERT_MESSAGE(text, !contains(text, "\n\n\n") && contains(text, "\n\n  whole log"));
  }

  void aLogThatCannotBeReadDoesNotHideTheRest() {
    admin_.builds = {kRed};
    admin_.log_answers = {[](const http::Request&) { return http::failure(404, "gone", "the log was removed"); }};
    auto server = admin_.client();
    const std::string text = cli::ending(server, server.get("/v1/builds/b"), 100);
    CPPUNIT_ASSERT_MESSAGE(text, contains(text, "ocelot.yml:9") && contains(text, "the log was removed"));
  }

 private:
  test::FakeAdmin admin_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(EndingTest);
