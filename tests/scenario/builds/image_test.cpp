// What an image says of itself holds for the stages: its USER, its ENV.

#include <cppunit/extensions/HelperMacros.h>

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
  CPPUNIT_TEST_SUITE_END();

 public:
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
