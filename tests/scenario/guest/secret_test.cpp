// Secrets come from the broker, go to the stage that lists them, and are never silently empty.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

#include <memory>

#include "tests/scenario/guest/fake_broker.hpp"
#include "tests/scenario/guest/guest_box.hpp"

namespace {

using namespace ocelot::test;
using ocelot::journal::Ending;
using ocelot::journal::FrameKind;

class GuestSecretTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GuestSecretTest);
  CPPUNIT_TEST(setsAListedSecretAsAVariable);
  CPPUNIT_TEST(takesSecretsOf64KiB);
  CPPUNIT_TEST(failsTheStageWithTheBrokersSentence);
  CPPUNIT_TEST(refusesAnswersThatAreNone);
  CPPUNIT_TEST(refusesANulInAVariable);
  CPPUNIT_TEST(waitsForABrokerThatRestarts);
  CPPUNIT_TEST(canBeCanceledWhileItWaits);
  CPPUNIT_TEST(givesASecretToAScript);
  CPPUNIT_TEST(givesASecretToAScriptOfAnotherUser);
  CPPUNIT_TEST(refusesASecretThatTheStageDoesNotList);
  CPPUNIT_TEST(refusesProcessesOfOtherStages);
  CPPUNIT_TEST(keepsTheBrokerFromOtherUsers);
  CPPUNIT_TEST(saysThatThereAreNoSecrets);
  CPPUNIT_TEST_SUITE_END();

  static std::string get(const GuestBox& box, const std::string& name) {
    return "OCELOT_CONTROL=" + box.control() + " " + box.guest() + " secret get " + name;
  }

 public:
  void setsAListedSecretAsAVariable() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"TOKEN", FakeBroker::ok("s3 cr'et\n")}, {"OTHER", FakeBroker::ok("")}});
    box.plan.env.push_back({"TOKEN", "from the plan"});
    box.stage("echo hello");
    box.stage("printf '%s|%s' \"$TOKEN\" \"${OTHER-unset}\"").secrets = {"TOKEN", "OTHER"};
    box.stage("printf %s \"$TOKEN\"");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("s3 cr'et\n|"), box.output(1));
    CPPUNIT_ASSERT_EQUAL(std::string("from the plan"), box.output(2));
    CPPUNIT_ASSERT((broker.asked() == std::vector<std::string>{"GET 1 TOKEN", "GET 1 OTHER"}));
  }

  void takesSecretsOf64KiB() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"KEY", FakeBroker::ok(std::string(65536, 'k'))},
                                            {"MORE", FakeBroker::ok(std::string(65537, 'k'))}});
    box.stage("printf %s \"$KEY\" | wc -c").secrets = {"KEY"};
    box.stage("echo no").secrets = {"MORE"};
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("65536\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(std::string("secret MORE: the worker's broker answered what cannot be understood"),
                         box.finished(1).bytes);
  }

  void failsTheStageWithTheBrokersSentence() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"TOKEN", "ERR not found; add it with `ocelot creds add`\n"}});
    box.stage("echo no").secrets = {"TOKEN"};
    box.stage("echo cleanup").always = true;
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::failed);
    CPPUNIT_ASSERT_EQUAL(std::string("secret TOKEN: not found; add it with `ocelot creds add`"), box.finished(0).bytes);
    CPPUNIT_ASSERT_EQUAL(std::string(), box.output(0));
    CPPUNIT_ASSERT_EQUAL(std::string("cleanup\n"), box.output(1));
    GuestBox named;
    const FakeBroker naming(named.control(), {{"TOKEN", "ERR secret TOKEN is not there\n"}});
    named.stage("echo no").secrets = {"TOKEN"};
    CPPUNIT_ASSERT_EQUAL(1, named.run());
    CPPUNIT_ASSERT_EQUAL(std::string("secret TOKEN is not there"), named.finished(0).bytes);
  }

  void refusesAnswersThatAreNone() {
    for (const char* answer : {"\n", "OK\n", "OK \n", "OK x\n", "OK -1\n", "OK 99999999999999999999\n", "OK 65537\n",
                               "ERR \n", "OK 1\nab", "HTTP/1.1 200 OK\r\n\r\n"}) {
      GuestBox box;
      const FakeBroker broker(box.control(), {{"TOKEN", answer}});
      box.stage("echo no").secrets = {"TOKEN"};
      CPPUNIT_ASSERT_EQUAL(1, box.run());
      CPPUNIT_ASSERT_EQUAL(std::string("secret TOKEN: the worker's broker answered what cannot be understood"),
                           box.finished(0).bytes);
    }
  }

  void refusesANulInAVariable() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"KEY", FakeBroker::ok(std::string("a\0b", 3))}});
    box.stage("echo no").secrets = {"KEY"};
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT(box.finished(0).bytes.find("holds a NUL byte") != std::string::npos);
  }

  void waitsForABrokerThatRestarts() {
    GuestBox box;
    auto broker = std::make_unique<FakeBroker>(box.control(), std::map<std::string, std::string>{});  // hangs up
    box.stage("echo $TOKEN").secrets = {"TOKEN"};
    box.start();
    await("two questions", [&] { return broker->asked().size() >= 2; });
    broker.reset();
    broker = std::make_unique<FakeBroker>(box.control(),
                                          std::map<std::string, std::string>{{"TOKEN", "OK 9\nha"}});  // dies midway
    await("another question", [&] { return !broker->asked().empty(); });
    broker.reset();
    const FakeBroker healthy(box.control(), {{"TOKEN", FakeBroker::ok("value")}});
    CPPUNIT_ASSERT_EQUAL(0, box.wait());
    CPPUNIT_ASSERT_EQUAL(std::string("value\n"), box.output(0));
  }

  void canBeCanceledWhileItWaits() {
    GuestBox box;
    const FakeBroker broker(box.control(), {});
    box.stage("echo no").secrets = {"TOKEN"};
    box.start();
    await("a question", [&] { return !broker.asked().empty(); });
    box.signal(SIGTERM);
    CPPUNIT_ASSERT_EQUAL(3, box.wait());
    CPPUNIT_ASSERT(box.finished(0).ending == Ending::canceled);
  }

  void givesASecretToAScript() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"TOKEN", FakeBroker::ok("two\nlines")}});
    box.stage("(" + get(box, "TOKEN") + "); sh -c '" + get(box, "TOKEN") + "; echo'").secrets = {"TOKEN"};
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("two\nlinestwo\nlines\n"), box.output(0));
  }

  void givesASecretToAScriptOfAnotherUser() {
    GuestBox box(Place::jail);
    const FakeBroker broker(box.control(), {{"TOKEN", FakeBroker::ok("value")}});
    auto& stage = box.stage("/ocelot/guest secret get TOKEN");
    stage.secrets = {"TOKEN"};
    stage.user = "1000";
    // There is no /proc here, so the guest cannot tell who asks and hands out nothing.
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT(box.output(0, 2).find("only processes started by the running stage may ask") != std::string::npos);

    GuestBox other(Place::container);
    const FakeBroker second(other.control(), {{"TOKEN", FakeBroker::ok("value")}});
    auto& dropped = other.stage(get(other, "TOKEN"));
    dropped.secrets = {"TOKEN"};
    dropped.user = "1000";
    CPPUNIT_ASSERT_EQUAL(0, other.run());
    CPPUNIT_ASSERT_EQUAL(std::string("value"), other.output(0));
  }

  void refusesASecretThatTheStageDoesNotList() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"TOKEN", FakeBroker::ok("value")}, {"OTHER", FakeBroker::ok("other")}});
    box.stage(get(box, "OTHER") + " || echo refused").secrets = {"TOKEN"};
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("refused\n"), box.output(0));
    CPPUNIT_ASSERT_EQUAL(
        std::string("ocelot-guest: secret OTHER: this stage does not list it; add it to the stage's `secrets`\n"),
        box.output(0, 2));
    CPPUNIT_ASSERT((broker.asked() == std::vector<std::string>{"GET 0 TOKEN"}));
  }

  void refusesProcessesOfOtherStages() {
    GuestBox box;
    const FakeBroker broker(box.control(), {{"TOKEN", FakeBroker::ok("value")}});
    box.stage("(while [ ! -e second ]; do sleep 0.01; done; " + get(box, "TOKEN") +
              " > stolen 2> why || touch tried) >/dev/null 2>&1 &");
    box.stage("touch second; while [ ! -e tried ]; do sleep 0.01; done; cat stolen why").secrets = {"TOKEN"};
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(
        std::string("ocelot-guest: secret TOKEN: only processes started by the running stage may ask\n"),
        box.output(1));
  }

  void keepsTheBrokerFromOtherUsers() {
    GuestBox box(Place::container);
    const FakeBroker broker(box.control(), {{"TOKEN", FakeBroker::ok("value")}});
    auto& stage = box.stage("ls " + box.control() + "/broker || ls " + box.control() + " || echo closed");
    stage.secrets = {"TOKEN"};
    stage.user = "1000";
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("closed\n"), box.output(0));
  }

  void saysThatThereAreNoSecrets() {
    GuestBox box;
    box.stage(get(box, "TOKEN") + " || echo none");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT_EQUAL(std::string("none\n"), box.output(0));
    CPPUNIT_ASSERT(box.output(0, 2).find("secrets are there for a stage that lists them") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuestSecretTest);

}  // namespace
