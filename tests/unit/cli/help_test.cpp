// Help, handbook page and completions, which come from the same rows as the commands.

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "components/cli/command.hpp"
#include "components/cli/completion.hpp"
#include "host/process/process.hpp"
#include "tests/support/skip.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot::cli;
using ocelot::test::contains;
using ocelot::test::readText;

namespace {

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The generated file in etc/, which OCELOT_WRITE_DOCS=1 writes anew.
void isAsGenerated(const std::string& name, const std::string& text) {
  const std::string path = ocelot::test::sourceTree() + "/etc/" + name;
  if (std::getenv("OCELOT_WRITE_DOCS")) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  CPPUNIT_ASSERT_MESSAGE("etc/" + name + " is behind the commands: run this test with OCELOT_WRITE_DOCS=1",
                         readText(path) == text);
}

ocelot::process::Result sh(const std::string& program, const std::string& script) {
  ocelot::process::Command command;
  command.program = program;
  command.arguments = {"-c", script};
  command.environment = ocelot::process::plainEnvironment();
  ocelot::SimpleCall call(std::chrono::seconds(20));
  return ocelot::process::run(call, command);
}

// What bash would offer for the last word.
std::string offered(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += " '" + word + "'";
  const auto result =
      sh("bash", "source " + ocelot::test::sourceTree() + "/etc/completions/ocelot.bash\nCOMP_WORDS=(" + line +
                     ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_ocelot 2>/dev/null\necho \" ${COMPREPLY[*]} \"");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(result.err, 0, result.exit_code);
  return result.out;
}

}  // namespace

class HelpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HelpTest);
  CPPUNIT_TEST(allOfItFitsOneScreen);
  CPPUNIT_TEST(everyCommandIsExplained);
  CPPUNIT_TEST(aNounShowsItsVerbs);
  CPPUNIT_TEST(theGuidePageIsMadeFromTheCommands);
  CPPUNIT_TEST(theCompletionsAreMadeFromTheCommands);
  CPPUNIT_TEST(bashCompletesCommandsVerbsAndOptions);
  CPPUNIT_TEST(zshAndFishReadTheirs);
  CPPUNIT_TEST(anotherShellIsBadUse);
  CPPUNIT_TEST_SUITE_END();

 public:
  void allOfItFitsOneScreen() {
    const auto lines = linesOf(helpAll());
    CPPUNIT_ASSERT_MESSAGE(helpAll(), lines.size() <= 23);  // and the next prompt
    for (const auto& line : lines) CPPUNIT_ASSERT_MESSAGE(line, line.size() < 80);
    for (const char* word : {"build", "run", "logs", "status", "list", "kill", "rerun", "login", "up", "down", "doctor",
                             "init", "validate"})
      CPPUNIT_ASSERT_MESSAGE(word, contains(helpAll(), "\n  " + std::string(word) + " "));
    for (const char* noun : {"repos", "poll", "secret", "image", "token", "backup", "completion", "context"})
      CPPUNIT_ASSERT_MESSAGE(noun, contains(helpAll(), noun));
  }

  void everyCommandIsExplained() {
    for (const auto& command : commands()) {
      const std::string help = helpFor(command);
      CPPUNIT_ASSERT_MESSAGE(command.name, contains(help, command.summary));
      CPPUNIT_ASSERT_MESSAGE(command.name, !command.summary.empty() && command.summary.back() != '.');
      for (const auto& option : command.options)
        CPPUNIT_ASSERT_MESSAGE(option.name, contains(help, option.name) && !option.help.empty());
      std::vector<std::string> words;
      std::istringstream parts(command.name);
      for (std::string part; parts >> part;) words.push_back(part);
      CPPUNIT_ASSERT_EQUAL(help, helpAbout(words));
    }
  }

  void aNounShowsItsVerbs() {
    const std::string help = helpAbout({"repos"});
    for (const char* verb : {"ocelot repos add URL", "ocelot repos list", "ocelot repos remove REPO"})
      CPPUNIT_ASSERT_MESSAGE(help, contains(help, verb));
    CPPUNIT_ASSERT_THROW(helpAbout({"nonsense"}), Usage);
    CPPUNIT_ASSERT_MESSAGE("an alias is explained as its command", contains(helpAbout({"why"}), "ocelot status"));
  }

  void theGuidePageIsMadeFromTheCommands() { isAsGenerated("guide/cli.md", guidePage()); }

  void theCompletionsAreMadeFromTheCommands() {
    const std::pair<const char*, const char*> files[] = {
        {"bash", "ocelot.bash"}, {"zsh", "_ocelot"}, {"fish", "ocelot.fish"}};
    for (const auto& [shell, file] : files) {
      const std::string completion = completionFor(shell);
      isAsGenerated(std::string("completions/") + file, completion);
      for (const auto& command : commands())
        for (const auto& option : command.options)
          CPPUNIT_ASSERT_MESSAGE(std::string(shell) + " " + option.name,
                                 contains(completion, option.name.substr(option.name.find("--") + 2)));
    }
  }

  void bashCompletesCommandsVerbsAndOptions() {
    CPPUNIT_ASSERT_EQUAL(std::string(" build \n"), offered({"ocelot", "bui"}));
    CPPUNIT_ASSERT(contains(offered({"ocelot", ""}), " rerun "));
    CPPUNIT_ASSERT_EQUAL(std::string(" add list show remove \n"), offered({"ocelot", "repos", ""}));
    CPPUNIT_ASSERT_EQUAL(std::string(" --branch \n"), offered({"ocelot", "build", "--br"}));
    CPPUNIT_ASSERT_EQUAL(std::string(" --name \n"), offered({"ocelot", "repos", "add", "https://x/y", "--na"}));
    CPPUNIT_ASSERT_EQUAL(std::string(" admin operator viewer \n"),
                         offered({"ocelot", "token", "add", "me", "--role", ""}));
    CPPUNIT_ASSERT_EQUAL(std::string(" bash zsh fish \n"), offered({"ocelot", "completion", ""}));
    CPPUNIT_ASSERT(contains(offered({"ocelot", "list", "--state", ""}), " timed_out "));
    CPPUNIT_ASSERT(contains(offered({"ocelot", "workers", "--c"}), " --context "));
    CPPUNIT_ASSERT(contains(offered({"ocelot", "workers", ""}), " drain "));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a noun alone has no options", std::string("  \n"),
                                 offered({"ocelot", "repos", "--c"}));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("files, by bash itself", std::string("  \n"),
                                 offered({"ocelot", "validate", "--config", ""}));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a branch is not ours to guess", std::string("  \n"),
                                 offered({"ocelot", "build", "--branch", ""}));
  }

  void zshAndFishReadTheirs() {
    int tried = 0;
    for (const auto& [shell, script] :
         {std::pair<std::string, std::string>{"zsh", "zsh -n _ocelot"}, {"fish", "fish -n ocelot.fish"}}) {
      if (sh("sh", "command -v " + shell).exit_code != 0) continue;
      ++tried;
      const auto result = sh("sh", "cd " + ocelot::test::sourceTree() + "/etc/completions && " + script);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(result.err, 0, result.exit_code);
    }
    if (tried == 0) ocelot::test::skip("neither zsh nor fish is installed");
  }

  void anotherShellIsBadUse() { CPPUNIT_ASSERT_EQUAL(2, ocelot::test::ocelot({"completion", "csh"}).status); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HelpTest);
