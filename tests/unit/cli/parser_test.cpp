// How the command line is read.

#include <cppunit/extensions/HelperMacros.h>

#include "components/cli/command.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot::cli;
using ocelot::test::contains;

namespace {

Command sample() {
  return {"try",
          "[THING]",
          0,
          1,
          "try a thing",
          "",
          {{"-b, --branch", "BRANCH", "on"}, {"--tail", "N", "lines"}, {"--force", "", "all the same"}},
          nullptr,
          {}};
}

std::string complaint(const std::vector<std::string>& words) {
  try {
    parse(sample(), words);
  } catch (const Usage& usage) {
    return usage.what();
  }
  return "";
}

}  // namespace

class ParserTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ParserTest);
  CPPUNIT_TEST(anOptionIsKnownByEachOfItsForms);
  CPPUNIT_TEST(theFirstOcelotsSingleDashIsUnderstood);
  CPPUNIT_TEST(twoDashesEndTheOptions);
  CPPUNIT_TEST(aRepeatedOptionKeepsAllItsValues);
  CPPUNIT_TEST(mistakesAreTold);
  CPPUNIT_TEST(theLongestNameWins);
  CPPUNIT_TEST(everyAliasLeadsToItsCommand);
  CPPUNIT_TEST(noTwoCommandsShareAName);
  CPPUNIT_TEST(badUseEndsWithTwo);
  CPPUNIT_TEST(whatEveryCommandTakesMayStandBeforeIt);
  CPPUNIT_TEST(aNounAskedForHelpShowsItsVerbs);
  CPPUNIT_TEST_SUITE_END();

 public:
  void anOptionIsKnownByEachOfItsForms() {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"--branch", "main"}, {"--branch=main"}, {"-b", "main"}, {"-b=main"}})
      CPPUNIT_ASSERT_EQUAL(std::string("main"), parse(sample(), words).text("branch"));
    CPPUNIT_ASSERT(parse(sample(), {"--force"}).has("force"));
    CPPUNIT_ASSERT(!parse(sample(), {}).has("force"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, parse(sample(), {"--tail", "7"}).number("tail", 20));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{20}, parse(sample(), {}).number("tail", 20));
  }

  void theFirstOcelotsSingleDashIsUnderstood() {
    CPPUNIT_ASSERT_EQUAL(std::string("main"), parse(sample(), {"-branch", "main"}).text("branch"));
  }

  void twoDashesEndTheOptions() {
    CPPUNIT_ASSERT_EQUAL(std::string("--force"), parse(sample(), {"--", "--force"}).word(0));
    CPPUNIT_ASSERT_EQUAL(std::string("-"), parse(sample(), {"-"}).word(0));
  }

  void aRepeatedOptionKeepsAllItsValues() {
    const Arguments arguments = parse(sample(), {"-b", "a", "--branch", "b"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, arguments.all("branch").size());
    CPPUNIT_ASSERT_EQUAL(std::string("b"), arguments.text("branch"));
  }

  void mistakesAreTold() {
    CPPUNIT_ASSERT_EQUAL(std::string("`ocelot try` has no option --brnch; did you mean --branch?"),
                         complaint({"--brnch", "x"}));
    CPPUNIT_ASSERT_EQUAL(std::string("--branch wants a value: BRANCH"), complaint({"--branch"}));
    CPPUNIT_ASSERT_EQUAL(std::string("--force takes no value"), complaint({"--force=yes"}));
    CPPUNIT_ASSERT(contains(complaint({"one", "two"}), "`two` is one too many"));
    CPPUNIT_ASSERT_THROW(parse(sample(), {"--tail", "many"}).number("tail", 1), Usage);
    CPPUNIT_ASSERT_THROW(parse(sample(), {"--tail", "0"}).number("tail", 1, 1), Usage);
  }

  void theLongestNameWins() {
    std::size_t used = 0;
    CPPUNIT_ASSERT_EQUAL(std::string("repos add"), findCommand({"repos", "add", "x"}, &used).name);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, used);
    CPPUNIT_ASSERT_EQUAL(std::string("repos list"), findCommand({"repos"}, &used).name);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, used);
  }

  void everyAliasLeadsToItsCommand() {
    for (const auto& command : commands())
      for (const auto& alias : command.aliases) {
        std::vector<std::string> words;
        std::istringstream parts(alias);
        for (std::string part; parts >> part;) words.push_back(part);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(alias, command.name, findCommand(words).name);
      }
    const std::vector<std::vector<std::string>> old{{"summary"},      {"watch"},          {"poll"},
                                                    {"poll", "list"}, {"poll", "delete"}, {"repos"}};
    for (const auto& words : old) CPPUNIT_ASSERT_NO_THROW_MESSAGE(words.back(), findCommand(words));
  }

  void noTwoCommandsShareAName() {
    std::map<std::string, std::string> owners;
    for (const auto& command : commands()) {
      std::vector<std::string> names = command.aliases;
      names.push_back(command.name);
      for (const auto& name : names)
        CPPUNIT_ASSERT_MESSAGE(
            name + " is both " + owners[name] + " and " + command.name,
            owners.emplace(name, command.name).first->second.empty() || owners[name] == command.name);
    }
  }

  void badUseEndsWithTwo() {
    const auto unknown = ocelot::test::ocelot({"biuld"});
    CPPUNIT_ASSERT_EQUAL(2, unknown.status);
    CPPUNIT_ASSERT(contains(unknown.err, "there is no command `biuld`; did you mean `ocelot build`?"));
    CPPUNIT_ASSERT(contains(unknown.err, "hint:"));
    const auto half = ocelot::test::ocelot({"token"});
    CPPUNIT_ASSERT_EQUAL(2, half.status);
    CPPUNIT_ASSERT(contains(half.err, "`ocelot token add`"));
    CPPUNIT_ASSERT_EQUAL(2, ocelot::test::ocelot({"login"}).status);
    CPPUNIT_ASSERT_EQUAL(2, ocelot::test::ocelot({}).status);
    CPPUNIT_ASSERT_EQUAL(0, ocelot::test::ocelot({"--help"}).status);
    CPPUNIT_ASSERT_EQUAL(0, ocelot::test::ocelot({"build", "--help"}).status);
    CPPUNIT_ASSERT_EQUAL(0, ocelot::test::ocelot({"--version"}).status);
    const auto nonsense = ocelot::test::ocelot({"help", "nonsense"});
    CPPUNIT_ASSERT(nonsense.status == 2 && contains(nonsense.err, "`ocelot --help` lists the commands"));
  }

  void whatEveryCommandTakesMayStandBeforeIt() {
    const ocelot::test::Person person;
    CPPUNIT_ASSERT(contains(ocelot::test::ocelot({"--json", "context", "list"}).out, "\"contexts\":[]"));
    CPPUNIT_ASSERT(contains(ocelot::test::ocelot({"--context", "far", "list"}).err, "there is no context `far`"));
    CPPUNIT_ASSERT(contains(ocelot::test::ocelot({"--context=far", "list"}).err, "there is no context `far`"));
    CPPUNIT_ASSERT(
        contains(ocelot::test::ocelot({"--json", "validate", "--", "--no-such-file"}).err, "--no-such-file"));
    CPPUNIT_ASSERT_EQUAL(2, ocelot::test::ocelot({"--context"}).status);
  }

  void aNounAskedForHelpShowsItsVerbs() {
    const auto help = ocelot::test::ocelot({"repos", "--help"});
    CPPUNIT_ASSERT_EQUAL(0, help.status);
    for (const char* part : {"ocelot repos add URL", "ocelot repos remove REPO", "Options:"})
      CPPUNIT_ASSERT_MESSAGE(help.out, contains(help.out, part));
    CPPUNIT_ASSERT(!contains(ocelot::test::ocelot({"repos", "list", "--help"}).out, "ocelot repos add"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ParserTest);
