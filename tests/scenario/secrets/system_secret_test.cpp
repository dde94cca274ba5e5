// What server.yaml writes as `!secret NAME`: set by the command that the error names, found by a daemon that starts.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include <mutex>

#include "host/digest/digest.hpp"
#include "host/http/server.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

// A receiver of webhooks: the signature of each, and the one that the key makes of its body.
class Receiver {
 public:
  explicit Receiver(std::string key) : key_(std::move(key)) {
    http::Routes routes;
    routes.add({"POST", "/told", http::Role::none, [this](const http::Request& request) {
                  std::lock_guard guard(mutex_);
                  seen_.push_back(request.header("x-ocelot-signature-256"));
                  wanted_.push_back("sha256=" + digest::hmacSha256Hex(key_, request.body));
                  return http::nothing();
                }});
    server_ = std::make_unique<http::Server>(http::ServerSettings{}, std::move(routes), nullptr);
  }
  std::string url() const { return server_->url() + "/told"; }
  std::size_t count() {
    std::lock_guard guard(mutex_);
    return seen_.size();
  }
  bool allSigned() {
    std::lock_guard guard(mutex_);
    return seen_ == wanted_;
  }

 private:
  const std::string key_;
  std::mutex mutex_;
  std::vector<std::string> seen_, wanted_;
  std::unique_ptr<http::Server> server_;
};

class SystemSecretTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SystemSecretTest);
  CPPUNIT_TEST(aDaemonFindsWhatTheCommandOfTheErrorHasSet);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aDaemonFindsWhatTheCommandOfTheErrorHasSet() {
    const std::string key = "a-key-of-the-operators-0451";
    Receiver receiver(key);
    Installation here;
    const auto repo = here.makeRepo("told",
                                    "image: ocelot.local/busybox\nnotify: [{via: chat}]\nstages:\n"
                                    "  - name: work\n    script: echo done\n");
    here.kill("admin", SIGTERM);
    here.configure({"plugins.notifiers.chat.plugin=webhook", "plugins.notifiers.chat.url=" + receiver.url(),
                    "plugins.notifiers.chat.secret=!secret chat-key"});
    here.start("admin");
    here.runBuild(repo);
    const std::string command = "ocelot secret set --system chat-key";
    await("the log names the command", [&] { return here.log("admin").find(command) != std::string::npos; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, receiver.count());

    here.kill("admin", SIGTERM);  // no server is needed
    const std::string tail = " --config " + here.folder() + "/server.yaml";
    const std::string program = Installation::program("ocelot");
    here.run({"/bin/sh", "-c", "printf '%s\\n' '" + key + "' | " + program + command.substr(6) + tail});
    CPPUNIT_ASSERT_EQUAL(std::string("chat-key\n"),
                         here.run({"/bin/sh", "-c", program + " secret list --system" + tail}));
    here.start("admin");
    here.runBuild(repo);
    await("the receiver is told", [&] { return receiver.count() > 0; });
    CPPUNIT_ASSERT(receiver.allSigned());
    CPPUNIT_ASSERT(here.log("admin").find(key) == std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SystemSecretTest);

}  // namespace
}  // namespace ocelot::test
