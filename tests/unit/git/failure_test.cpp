// What git says when it fails, understood.

#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "host/git/session.hpp"

using namespace ocelot::git;

namespace {

class GitFailureTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GitFailureTest);
  CPPUNIT_TEST(failuresSayWhatTheyMean);
  CPPUNIT_TEST_SUITE_END();

 public:
  void failuresSayWhatTheyMean() {
    const Settings own{"/nonexistent/mirrors", {}, false, std::chrono::minutes(1), "git"};
    const Session session(own, {"https://example.com/x", "me", "hunter22", "", ""},
                          checkUrl("https://example.com/x", {}));
    GitCommand git;
    git.network = true;
    git.doing = "fetch";
    const auto status = [&](const char* err) {
      ocelot::process::Result result;
      result.exit_code = 128;
      result.err = err;
      const ocelot::Error error = session.failure(git, result);
      CPPUNIT_ASSERT_EQUAL(std::string::npos, std::string(error.what()).find("hunter22"));
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, std::string(error.what()).find("fetch https://example.com/x: "));
      return error.status();
    };
    CPPUNIT_ASSERT(status("fatal: Authentication failed for 'https://me:hunter22@example.com/x'") ==
                   ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("fatal: could not read Username for 'https://example.com': terminal prompts disabled") ==
                   ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.") ==
                   ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("Host key verification failed.") == ocelot::Status::unauthenticated);
    CPPUNIT_ASSERT(status("remote: Repository not found.\nfatal: repository 'https://example.com/x/' not found") ==
                   ocelot::Status::not_found);
    CPPUNIT_ASSERT(status("fatal: unable to access 'https://example.com/x/': Could not resolve host: example.com") ==
                   ocelot::Status::unavailable);
    CPPUNIT_ASSERT(status("error: RPC failed; HTTP 502") == ocelot::Status::unavailable);
    CPPUNIT_ASSERT(status("") == ocelot::Status::unavailable);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitFailureTest);

}  // namespace
