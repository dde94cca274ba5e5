// What an image says of itself holds for the stages: its USER, its ENV.

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>

#include "tests/support/installation.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

const char* const kStages =
    "stages:\n  - name: who\n    script: |\n      echo \"uid=$(id -u) gid=$(id -g) home=$HOME colour=$COLOUR\"\n"
    "      touch mine && rm mine && echo can write\n";

class ImageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ImageTest);
  CPPUNIT_TEST(theUserAndTheVariablesOfAnImageAreItsStages);
  CPPUNIT_TEST(aRegistryThatDoesNotAnswerEndsTheBuild);
  CPPUNIT_TEST(aRepositoryThatIsGoneEndsTheBuild);
  CPPUNIT_TEST_SUITE_END();

 public:
  // It is no reason to take the worker's runtime for broken, nor to ask again for ever.
  void aRegistryThatDoesNotAnswerEndsTheBuild() {
    Installation here;
    const auto run =
        here.runBuild(here.makeRepo("away", "image: 127.0.0.1:1/team/tool:1\nstages:\n  - {name: a, script: b}\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("error"), run.state);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("unavailable"), run.reason);
    for (const char* part : {"127.0.0.1:1/team/tool:1", "connection refused"})
      CPPUNIT_ASSERT_MESSAGE(run.text(), run.sentence.find(part) != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE("of what skopeo logs, the message: " + run.sentence,
                           run.sentence.find("level=") == std::string::npos);
    here.awaitClean();
  }

  void aRepositoryThatIsGoneEndsTheBuild() {
    Installation here;
    const auto repo = here.makeRepo("gone", std::string("image: ocelot.local/busybox\n") + kStages);
    here.kill("worker");
    const auto id = here.build(repo);
    const std::string place = here.folder() + "/repos/gone";
    std::filesystem::rename(place, place + ".away");
    here.start("worker");
    const auto run = here.awaitEnd(id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("error"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.text(), run.sentence.find("gone") != std::string::npos);
    here.awaitClean();
  }

  void theUserAndTheVariablesOfAnImageAreItsStages() {
    Installation here;
    if (std::system("command -v umoci >/dev/null") != 0) skip("umoci makes the images (apt install umoci)");
    const struct {
      const char *user, *says;
    } cases[] = {{"root", "uid=0 gid=0 home=/root colour=blue\n"},
                 {"1000", "uid=1000 gid=1000 home=/workspace colour=blue\n"},
                 {"builder", "uid=1000 gid=1000 home=/workspace colour=blue\n"},
                 {"4242", "uid=4242 gid=0 home=/workspace colour=blue\n"},
                 {"4242:17", "uid=4242 gid=17 home=/workspace colour=blue\n"}};
    int number = 0;
    for (const auto& [user, says] : cases) {
      const std::string layout = here.folder() + "/layout" + std::to_string(++number), image = layout + ":latest";
      here.run({"umoci", "init", "--layout", layout});
      here.run({"umoci", "new", "--image", image});
      here.run({"umoci", "insert", "--image", image, here.folder() + "/rootfs", "/"});
      here.run({"umoci", "config", "--image", image, "--config.user", user, "--config.env", "COLOUR=blue"});
      const std::string name = "user" + std::to_string(number);
      here.importImage(layout, "ocelot.local/" + name);
      const auto run = here.runBuild(here.makeRepo(name, "image: ocelot.local/" + name + "\n" + kStages));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(user + ("\n" + run.text()) + run.log, std::string("passed"), run.state);
      CPPUNIT_ASSERT_MESSAGE(user + ("\n" + run.log), run.log.find(says) != std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("can write") != std::string::npos);
    }
    here.awaitClean();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ImageTest);

}  // namespace
}  // namespace ocelot::test
