// Which server is meant, and who may read its token.

#include "components/cli/context.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "tests/unit/cli/ran.hpp"

using namespace ocelot::cli;
using ocelot::test::contains;

namespace {

Contexts two() {
  Contexts contexts;
  contexts.all["near"] = {"near", "http://127.0.0.1:7700", "oct_near", "", false};
  contexts.all["far"] = {"far", "http://ci.example.org:7700", "oct_far", "/ca.pem", true};
  contexts.current = "near";
  return contexts;
}

}  // namespace

class ContextTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContextTest);
  CPPUNIT_TEST(theyAreKeptForTheirOwnerAlone);
  CPPUNIT_TEST(aFileThatOthersMayReadIsRefused);
  CPPUNIT_TEST(aFileThatIsNoneIsTold);
  CPPUNIT_TEST(theEnvironmentWins);
  CPPUNIT_TEST(withoutAnyTheRemedyIsNamed);
  CPPUNIT_TEST(aTokenCrossesNoNetworkInTheClear);
  CPPUNIT_TEST(theyAreListedSwitchedAndForgotten);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { person_ = std::make_unique<ocelot::test::Person>(); }
  void tearDown() override { person_.reset(); }

  void theyAreKeptForTheirOwnerAlone() {
    writeContexts(two());
    struct stat file {};
    CPPUNIT_ASSERT_EQUAL(0, ::stat(contextsPath().c_str(), &file));
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, static_cast<mode_t>(file.st_mode & 0777));
    const Contexts read = readContexts();
    CPPUNIT_ASSERT_EQUAL(std::string("near"), read.current);
    CPPUNIT_ASSERT_EQUAL(std::string("oct_far"), read.all.at("far").token);
    CPPUNIT_ASSERT_EQUAL(std::string("/ca.pem"), read.all.at("far").ca_file);
    CPPUNIT_ASSERT(read.all.at("far").insecure && !read.all.at("near").insecure);
  }

  void aFileThatOthersMayReadIsRefused() {
    writeContexts(two());
    ::chmod(contextsPath().c_str(), 0640);
    try {
      readContexts();
      CPPUNIT_FAIL("it was read");
    } catch (const Failure& failure) {
      CPPUNIT_ASSERT_EQUAL("chmod 600 " + contextsPath(), failure.hint);
    }
  }

  void aFileThatIsNoneIsTold() {
    writeContexts(two());
    for (const char* text : {"", "[]", "{\"contexts\":{\"a\":3}}", "{\"current\":\"a\"}"}) {
      person_->file(".config/ocelot/contexts.json", text);
      CPPUNIT_ASSERT_THROW_MESSAGE(text, readContexts(), Failure);
    }
  }

  void theEnvironmentWins() {
    writeContexts(two());
    ::setenv("OCELOT_TOKEN", "oct_env", 1);
    CPPUNIT_ASSERT_EQUAL(std::string("oct_env"), chosen({}).token);
    CPPUNIT_ASSERT_EQUAL(std::string("http://127.0.0.1:7700"), chosen({}).url);
    ::setenv("OCELOT_URL", "https://elsewhere.example.org", 1);
    CPPUNIT_ASSERT_EQUAL(std::string("https://elsewhere.example.org"), chosen({}).url);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("what the command line names wins over both",
                                 std::string("http://ci.example.org:7700"), chosen({"--context", "far"}).url);
  }

  void withoutAnyTheRemedyIsNamed() {
    try {
      chosen({});
      CPPUNIT_FAIL("there is none");
    } catch (const NoContext& none) {
      CPPUNIT_ASSERT(contains(none.hint, "`ocelot up`") && contains(none.hint, "`ocelot login URL`"));
    }
    CPPUNIT_ASSERT_THROW(chosen({"--context", "nowhere"}), Failure);
    CPPUNIT_ASSERT_EQUAL(2, ocelot::test::ocelot({"list"}).status);
  }

  void aTokenCrossesNoNetworkInTheClear() {
    for (const char* url : {"https://ci.example.org", "http://localhost:7700", "http://127.0.0.1:7700",
                            "http://127.9.9.9", "http://[::1]:7700", "unix:/run/ocelot/admin.sock"})
      CPPUNIT_ASSERT_NO_THROW_MESSAGE(url, refuseClearText(url, false));
    for (const char* url :
         {"http://ci.example.org", "http://127.0.0.1.example.org", "http://127.evil.example.org", "http://10.0.0.1",
          "http://localhost.example.org", "http://127.0.0.1@ci.example.org", "ftp://localhost", "nonsense"})
      CPPUNIT_ASSERT_THROW_MESSAGE(url, refuseClearText(url, false), Failure);
    CPPUNIT_ASSERT_NO_THROW(refuseClearText("http://ci.example.org", true));
    CPPUNIT_ASSERT_THROW(refuseClearText("ftp://ci.example.org", true), Failure);
    const auto refused = ocelot::test::ocelot({"login", "http://ci.example.org:7700"});
    CPPUNIT_ASSERT_EQUAL(2, refused.status);
    CPPUNIT_ASSERT(contains(refused.err, "--insecure"));
  }

  void theyAreListedSwitchedAndForgotten() {
    writeContexts(two());
    CPPUNIT_ASSERT(contains(ocelot::test::ocelot({"context", "list"}).out, "*  near"));
    CPPUNIT_ASSERT(!contains(ocelot::test::ocelot({"context", "list", "--json"}).out, "oct_"));
    CPPUNIT_ASSERT_EQUAL(0, ocelot::test::ocelot({"context", "use", "far"}).status);
    CPPUNIT_ASSERT_EQUAL(std::string("far"), readContexts().current);
    CPPUNIT_ASSERT_EQUAL(2, ocelot::test::ocelot({"context", "use", "nowhere"}).status);
    CPPUNIT_ASSERT_EQUAL(0, ocelot::test::ocelot({"context", "remove", "far"}).status);
    CPPUNIT_ASSERT_EQUAL(std::string("near"), readContexts().current);
  }

 private:
  static Context chosen(const std::vector<std::string>& words) {
    return chooseContext(parse(findCommand({"list"}), words));
  }
  std::unique_ptr<ocelot::test::Person> person_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ContextTest);
