// G1 and G2: what is refused before git ever sees it.

#include "host/git/words.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>

#include "ocelot/call.hpp"
#include "tests/support/git_hostile.hpp"
#include "tests/support/temp_folder.hpp"

using namespace ocelot::git;

namespace {

template <typename Check>
void assertRefused(const std::vector<std::string>& words, Check check) {
  for (const std::string& word : words) {
    try {
      check(word);
      CPPUNIT_FAIL("accepted: " + word);
    } catch (const ocelot::Error& error) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(word, static_cast<int>(ocelot::Status::invalid), static_cast<int>(error.status()));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(word, std::string::npos, std::string(error.what()).find("password@"));
    }
  }
}

}  // namespace

class WordsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WordsTest);
  CPPUNIT_TEST(hostileUrlsAreRefused);
  CPPUNIT_TEST(hostileBranchesAreRefused);
  CPPUNIT_TEST(namesThatOnlyAShellWouldObeyAreAccepted);
  CPPUNIT_TEST(hostileCommitsAndPathsAreRefused);
  CPPUNIT_TEST(ordinaryUrlsAreAccepted);
  CPPUNIT_TEST(localPathsOnlyBelowAllowedFolders);
  CPPUNIT_TEST(submoduleUrlsStayOnTheirHost);
  CPPUNIT_TEST_SUITE_END();

 public:
  void hostileUrlsAreRefused() {
    assertRefused(ocelot::test::hostileUrls("/tmp/canary"), [](const std::string& url) { checkUrl(url, {}); });
  }

  void hostileBranchesAreRefused() { assertRefused(ocelot::test::hostileBranches("canary"), checkBranch); }

  void namesThatOnlyAShellWouldObeyAreAccepted() {
    for (const std::string& name : ocelot::test::shellBranches("canary")) checkBranch(name);
    checkBranch("feature/x-1.2");
  }

  void hostileCommitsAndPathsAreRefused() {
    assertRefused(ocelot::test::hostileCommits("/tmp/canary"), checkCommit);
    assertRefused(ocelot::test::hostilePaths("/tmp/canary"), checkPath);
    checkCommit(std::string(40, 'a'));
    checkCommit(std::string(64, '0'));
    checkPath("a/b c/.ocelot.yml");
  }

  void ordinaryUrlsAreAccepted() {
    const auto host = [](const char* url, bool http = false) { return checkUrl(url, {http, {}}).host; };
    CPPUNIT_ASSERT_EQUAL(std::string("example.com"), host("https://Example.com/a/b.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("example.com"), host("https://example.com:8443/a/b%20c.git/"));
    CPPUNIT_ASSERT_EQUAL(std::string("::1"), host("https://[::1]:8443/a"));
    CPPUNIT_ASSERT_EQUAL(std::string("example.com"), host("http://example.com/a", true));
    CPPUNIT_ASSERT_EQUAL(std::string("example.com"), host("ssh://git@example.com:2222/~me/a.git"));
    CPPUNIT_ASSERT_EQUAL(std::string("example.com"), host("git@example.com:a/b.git"));
    CPPUNIT_ASSERT(checkUrl("git@example.com:a/b.git", {}).kind == Url::Kind::ssh);
  }

  void localPathsOnlyBelowAllowedFolders() {
    const ocelot::test::TempFolder temp;
    std::filesystem::create_directories(temp.path + "/repos/a");
    std::filesystem::create_directories(temp.path + "/repos-other/b");
    std::filesystem::create_directory_symlink(temp.path + "/repos-other", temp.path + "/repos/link");
    const UrlRules rules{false, {temp.path + "/repos"}};
    CPPUNIT_ASSERT(checkUrl(temp.path + "/repos/a", rules).kind == Url::Kind::local);
    CPPUNIT_ASSERT(checkUrl(temp.path + "/repos", rules).kind == Url::Kind::local);
    assertRefused(
        {temp.path + "/repos-other/b", temp.path + "/repos/link/b", temp.path + "/repos/a/../../repos-other/b", "/etc"},
        [&](const std::string& url) { checkUrl(url, rules); });
    CPPUNIT_ASSERT_THROW(checkUrl(temp.path + "/repos/missing", rules), ocelot::Error);
    assertRefused({temp.path + "/repos/a"}, [](const std::string& url) { checkUrl(url, {}); });
  }

  void submoduleUrlsStayOnTheirHost() {
    const Url https = checkUrl("https://example.com/a/b.git", {});
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.com/a/c.git"), checkSubmoduleUrl("../c.git", https, {}).text);
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.com/c/d.git"),
                         checkSubmoduleUrl("../../c/d.git", https, {}).text);
    CPPUNIT_ASSERT_EQUAL(std::string("https://other.example/x"),
                         checkSubmoduleUrl("https://other.example/x", https, {}).text);
    const Url scp = checkUrl("git@example.com:a/b.git", {});
    CPPUNIT_ASSERT_EQUAL(std::string("git@example.com:a/c.git"), checkSubmoduleUrl("../c.git", scp, {}).text);
    assertRefused(
        {"../../../evil.example/x", "../../../../x", "ext::sh", "-x", "../..", "file:///etc", "./a\nb", "../c.git\r"},
        [&](const std::string& url) { checkSubmoduleUrl(url, https, {}); });
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(WordsTest);
