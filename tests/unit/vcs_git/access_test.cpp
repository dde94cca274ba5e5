// Which URLs are taken, what they are called, and how credentials reach git.

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include <fstream>

#include "plugins/vcs/git/environment.hpp"
#include "plugins/vcs/git/program.hpp"
#include "plugins/vcs/git/words.hpp"
#include "tests/support/fails.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/unit/vcs_git/scene.hpp"

using namespace ocelot;
using test::assertFails;
using test::GitRepo;
namespace fs = std::filesystem;

namespace {

class VcsGitAccessTest : public vcs_git::test::Scene {
  CPPUNIT_TEST_SUITE(VcsGitAccessTest);
  CPPUNIT_TEST(urlsAreIdentifiedAndNamed);
  CPPUNIT_TEST(localPathsOnlyBelowTheListedFolders);
  CPPUNIT_TEST(cloneHandsOutTheCredentials);
  CPPUNIT_TEST(credentialsGoByEnvironmentAlone);
  CPPUNIT_TEST(aCacheOfSomebodyElseIsRefused);
  CPPUNIT_TEST(programsEndWithTheirCall);
  CPPUNIT_TEST_SUITE_END();

 public:
  void urlsAreIdentifiedAndNamed() {
    const auto name = [&](const char* url) { return git_.identify(call_, url).name; };
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("https://example.com/a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("https://example.com:8443/group/a/b/"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("ssh://git@example.com:22/a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), name("git@example.com:a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("b"), name("git@example.com:b"));
    CPPUNIT_ASSERT_EQUAL(std::string("~me/b"), name("ssh://example.com/~me/b"));
    assertFails(Status::not_found, "give its URL", [&] { git_.identify(call_, "a/b"); });
    const GitRepo repo(temp_.path + "/repo");
    CPPUNIT_ASSERT_EQUAL(fs::path(temp_.path).filename().string() + "/repo",
                         git_.identify(call_, repo.path + "/").name);
    CPPUNIT_ASSERT_EQUAL(fs::path(temp_.path).filename().string() + "/repo",
                         git_.identify(call_, repo.path + "/.git").name);
  }

  void localPathsOnlyBelowTheListedFolders() {
    fs::create_directories(temp_.path + "/repos/a");
    fs::create_directories(temp_.path + "/repos-other");
    fs::create_directory_symlink(temp_.path + "/repos-other", temp_.path + "/repos/link");
    CPPUNIT_ASSERT_EQUAL(std::string("file"),
                         vcs_git::checkUrl(temp_.path + "/repos/a", false, {temp_.path + "/repos"}).protocol);
    for (const char* path : {"/repos-other", "/repos/link", "/repos/a/../../repos-other"}) {
      assertFails(Status::invalid, "", [&] { vcs_git::checkUrl(temp_.path + path, false, {temp_.path + "/repos"}); });
    }
    assertFails(Status::invalid, "local_repos", [&] { vcs_git::checkUrl(temp_.path, false, {}); });
    assertFails(Status::invalid, "allow_http", [&] { vcs_git::checkUrl("http://example.com/a", false, {}); });
    CPPUNIT_ASSERT_EQUAL(std::string("http"), vcs_git::checkUrl("http://example.com/a", true, {}).protocol);
  }

  void cloneHandsOutTheCredentials() {
    Settings own = settings();
    own.set("username", {"me"});
    own.set("password", {"hunter22"});
    const CloneAccess access = vcs_git::Git(own).clone(call_, {"a/b", "https://example.com/a/b.git/"});
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.com/a/b.git"), access.url);
    CPPUNIT_ASSERT_EQUAL(std::string("me"), access.username);
    CPPUNIT_ASSERT_EQUAL(std::string("hunter22"), access.password);
  }

  void credentialsGoByEnvironmentAlone() {
    const CloneAccess access{"", "me", "hunter22", "", ""};
    const vcs_git::Url url{"https://example.com/a/b", "https"};
    const std::string configuration = vcs_git::configurationFor(url, access);
    CPPUNIT_ASSERT(configuration.find("[credential \"https://example.com\"]") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string::npos, configuration.find("hunter22"));
    // Asked as git asks, the helper answers for its host and for no other.
    std::ofstream(temp_.path + "/config") << configuration;
    const auto fill = [&](const std::string& host) {
      vcs_git::Program program{{"sh", "-c", "printf 'protocol=https\\nhost=" + host + "\\n\\n' | git credential fill"},
                               vcs_git::plainEnvironment(url),
                               1000};
      program.environment["GIT_CONFIG_GLOBAL"] = temp_.path + "/config";
      for (const auto& [name, value] : vcs_git::credentialEnvironment(url, access, "", ""))
        program.environment[name] = value;
      return vcs_git::runProgram(call_, program).out;
    };
    CPPUNIT_ASSERT(fill("example.com").find("username=me\npassword=hunter22\n") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), fill("evil.example"));
  }

  void aCacheOfSomebodyElseIsRefused() {
    if (::geteuid() == 0) {
      fs::create_directories(temp_.path + "/theirs");
      CPPUNIT_ASSERT_EQUAL(0, ::chown((temp_.path + "/theirs").c_str(), 65534, 65534));
      Settings own = settings();
      own.set("cache", {temp_.path + "/theirs"});
      assertFails(Status::invalid, "belongs to another user", [&] { vcs_git::Git git(own); });
    }
    std::ofstream(temp_.path + "/file") << "x";
    Settings own = settings();
    own.set("cache", {temp_.path + "/file"});
    assertFails(Status::invalid, "is no folder", [&] { vcs_git::Git git(own); });
  }

  void programsEndWithTheirCall() {
    vcs_git::Program program{{"sh", "-c", "sleep 1000 & echo $!; wait"}, {{"PATH", "/usr/bin:/bin"}}, 1000};
    SimpleCall brief(std::chrono::milliseconds(100));
    assertFails(Status::cancelled, "longer than allowed", [&] { vcs_git::runProgram(brief, program); });
    program.command = {"sh", "-c", "head -c 5000 /dev/zero; ls /proc/self/fd | wc -l >&2; exit 3"};
    const vcs_git::Ended ended = vcs_git::runProgram(call_, program);
    CPPUNIT_ASSERT_EQUAL(3, ended.exit_code);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, ended.out.size());
    CPPUNIT_ASSERT(ended.truncated);
    CPPUNIT_ASSERT_EQUAL(std::string("4\n"), ended.err);  // 0, 1, 2 and ls's own
    program.command = {"no-such-program"};
    assertFails(Status::internal, "no-such-program", [&] { vcs_git::runProgram(call_, program); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VcsGitAccessTest);

}  // namespace
