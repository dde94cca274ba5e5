// init and validate: which file is meant.

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "components/cli/checkout.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using test::contains;

namespace {

constexpr const char* kSmall = "image: debian:12\nstages: [{name: test, script: make test}]\n";

}  // namespace

class FileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FileTest);
  CPPUNIT_TEST(theFileInTheCheckoutsRootIsMeant);
  CPPUNIT_TEST(whatCannotBeBuiltYetIsTold);
  CPPUNIT_TEST(eitherNameButNotBoth);
  CPPUNIT_TEST(whatIsNoFileIsToldAsSuch);
  CPPUNIT_TEST(whatInitWritesIsValid);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<test::Person> person_;

 public:
  void setUp() override { person_ = std::make_unique<test::Person>(); }
  void tearDown() override { person_.reset(); }

  void theFileInTheCheckoutsRootIsMeant() {
    CPPUNIT_ASSERT(cli::git(person_->folder(), {"init", "-q"}));
    person_->file("ocelot.yml", kSmall);
    std::filesystem::create_directories("deep/down");
    std::filesystem::current_path("deep/down");
    const auto valid = test::ocelot({"validate"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(valid.err, 0, valid.status);
    CPPUNIT_ASSERT_EQUAL(std::string("../../ocelot.yml is valid\n"), valid.err);
    const auto there = test::ocelot({"init"});
    CPPUNIT_ASSERT_EQUAL(2, there.status);
    CPPUNIT_ASSERT_MESSAGE(there.err, contains(there.err, "already an ../../ocelot.yml"));
    std::filesystem::remove("../../ocelot.yml");
    CPPUNIT_ASSERT_EQUAL(0, test::ocelot({"init"}).status);
    CPPUNIT_ASSERT(std::filesystem::exists("../../ocelot.yml") && !std::filesystem::exists("ocelot.yml"));
  }

  // Before any server is asked, or told of the repository.
  void whatCannotBeBuiltYetIsTold() {
    CPPUNIT_ASSERT(cli::git(person_->folder(), {"init", "-q", "-b", "main"}));
    ::setenv("OCELOT_URL", "http://127.0.0.1:9", 1);
    const auto empty = test::ocelot({"build"});
    CPPUNIT_ASSERT_EQUAL(2, empty.status);
    CPPUNIT_ASSERT_MESSAGE(empty.err, contains(empty.err, "branch main has no commit yet"));
    CPPUNIT_ASSERT(cli::git(person_->folder(), {"-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q",
                                                "--allow-empty", "-m", "one"}));
    CPPUNIT_ASSERT(cli::git(person_->folder(), {"remote", "add", "origin", "https://git.example/a/b"}));
    const auto unpushed = test::ocelot({"build"});
    CPPUNIT_ASSERT_EQUAL(2, unpushed.status);
    CPPUNIT_ASSERT_MESSAGE(unpushed.err, contains(unpushed.err, "branch main was never pushed"));
    ::unsetenv("OCELOT_URL");
  }

  void eitherNameButNotBoth() {
    person_->file("ocelot.yaml", kSmall);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.yaml is valid\n"), test::ocelot({"validate"}).err);
    person_->file("ocelot.yml", kSmall);
    const auto both = test::ocelot({"validate"});
    CPPUNIT_ASSERT_EQUAL(2, both.status);
    CPPUNIT_ASSERT_MESSAGE(both.err,
                           contains(both.err, "ocelot.yml and ocelot.yaml") && contains(both.err, "remove one"));
  }

  void whatIsNoFileIsToldAsSuch() {
    const auto folder = test::ocelot({"validate", "."});
    CPPUNIT_ASSERT_EQUAL(2, folder.status);
    CPPUNIT_ASSERT_MESSAGE(folder.err, contains(folder.err, "read .: Is a directory"));
    const auto none = test::ocelot({"validate"});
    CPPUNIT_ASSERT_EQUAL(2, none.status);
    CPPUNIT_ASSERT_MESSAGE(none.err, contains(none.err, "`ocelot init` writes one"));
  }

  void whatInitWritesIsValid() {
    CPPUNIT_ASSERT_EQUAL(0, test::ocelot({"init"}).status);
    CPPUNIT_ASSERT_EQUAL(0, test::ocelot({"validate"}).status);
    CPPUNIT_ASSERT_EQUAL(2, test::ocelot({"init"}).status);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FileTest);
