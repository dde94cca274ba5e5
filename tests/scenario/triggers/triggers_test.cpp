// What makes a build without a person: a poll, a signed push.

#include <cppunit/extensions/HelperMacros.h>
#include <openssl/hmac.h>

#include <array>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

const char* const kYml = "image: ocelot.local/busybox\nstages:\n  - name: hello\n    script: cat word\n";

std::string sign(const std::string& secret, const std::string& body) {
  std::array<unsigned char, 32> raw{};
  unsigned int size = raw.size();
  const std::vector<unsigned char> bytes(body.begin(), body.end());
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes.data(), bytes.size(), raw.data(), &size);
  std::string hex = "sha256=";
  for (const unsigned char byte : raw) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

class TriggersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TriggersTest);
  CPPUNIT_TEST(aPollFindsANewCommitAndBuildsItOnce);
  CPPUNIT_TEST(aSignedPushMakesOneBuildAndAForgedOneNone);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aPollFindsANewCommitAndBuildsItOnce() {
    InstallationOptions options;
    options.poller = true;
    Installation here(options);
    const auto repo = here.makeRepo("polled", kYml, {{"word", "old\n"}});
    CPPUNIT_ASSERT_EQUAL(200, here.ask("PUT", "/v1/repos/test%2Fpolled/poll", "{\"seconds\":1}").status);
    const auto looks = [&] {
      return here.ask("GET", "/v1/repos/test%2Fpolled").body.find("\"polled_at\":0") == std::string::npos;
    };
    await("the poller has looked", looks);
    CPPUNIT_ASSERT_MESSAGE("what was there before is not news", here.builds().empty());
    repo.git.write("word", "new\n");
    const std::string commit = repo.git.commit("news");
    await("a build is made", [&] { return !here.builds().empty(); });
    const auto run = here.awaitEnd(here.builds().front().id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(commit, run.commit);
    CPPUNIT_ASSERT_EQUAL(std::string("poll"), run.trigger);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("new\n") != std::string::npos);
    // A later change that makes a second build shows that the first commit made only one.
    repo.git.write("word", "newer\n");
    repo.git.commit("more news");
    await("a second build is made", [&] { return here.builds().size() >= 2; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, here.builds().size());
    here.awaitEnd(here.builds().front().id);
  }

  void aSignedPushMakesOneBuildAndAForgedOneNone() {
    InstallationOptions options;
    options.hookhandler = true;
    Installation here(options);
    const auto repo = here.makeRepo("pushed", kYml, {{"word", "pushed\n"}});
    const std::string body = "{\"branch\":\"main\",\"commit\":\"" + repo.git.git("rev-parse HEAD") + "\"}";
    const std::string path = "/hooks/" + repo.id;
    const auto send = [&](const std::string& secret, const std::string& delivery) {
      return here.ask("POST", path, body,
                      {{"X-Ocelot-Signature-256", sign(secret, body)}, {"X-Ocelot-Delivery", delivery}}, "hookhandler");
    };
    CPPUNIT_ASSERT_EQUAL(401, send("not the secret", "1").status);
    CPPUNIT_ASSERT_EQUAL(401, here.ask("POST", path, body, {}, "hookhandler").status);
    CPPUNIT_ASSERT_EQUAL(401, here.ask("POST", "/hooks/" + std::string(36, 'a'), body,
                                       {{"X-Ocelot-Signature-256", sign(repo.hook_secret, body)}}, "hookhandler")
                                  .status);
    CPPUNIT_ASSERT(here.builds().empty());
    CPPUNIT_ASSERT_EQUAL(202, send(repo.hook_secret, "1").status);
    await("a build is made", [&] { return !here.builds().empty(); });
    const auto replay = send(repo.hook_secret, "1");
    CPPUNIT_ASSERT_EQUAL(200, replay.status);
    CPPUNIT_ASSERT_MESSAGE(replay.body, replay.body.find("duplicate") != std::string::npos);
    const auto run = here.awaitEnd(here.builds().front().id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_EQUAL(std::string("push"), run.trigger);
    // The same push delivered anew is the same change.
    CPPUNIT_ASSERT_EQUAL(202, send(repo.hook_secret, "2").status);
    await("the second delivery is read", [&] {
      const std::string log = here.log("hookhandler");
      const auto first = log.find("hook read");
      return first != std::string::npos && log.find("hook read", first + 1) != std::string::npos;
    });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, here.builds().size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TriggersTest);

}  // namespace
}  // namespace ocelot::test
