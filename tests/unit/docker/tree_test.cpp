#include "plugins/runtime/docker/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/docker/fixture.hpp"

namespace ocelot::docker::test {

class TreeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TreeTest);
  CPPUNIT_TEST(whatABuildLeftIsGone);
  CPPUNIT_TEST(linksAreNotFollowed);
  CPPUNIT_TEST(aVeryDeepTreeNeedsFewDescriptors);
  CPPUNIT_TEST(aFolderThatIsNotThereIsEmpty);
  CPPUNIT_TEST_SUITE_END();

 public:
  void whatABuildLeftIsGone() {
    const Folder folder;
    folder.write("w/a/b/c", "x");
    folder.write("w/.hidden", "x");
    folder.write("w/.ocelot-1", "x");
    folder.write("w/shut/inner", "x");
    ::chmod(folder.path("w/shut").c_str(), 0);
    ::mkfifo(folder.path("w/fifo").c_str(), 0600);
    CPPUNIT_ASSERT(emptyFolder(folder.path("w")));
    CPPUNIT_ASSERT(std::filesystem::is_empty(folder.path("w")));
  }
  void linksAreNotFollowed() {
    const Folder folder;
    folder.write("kept/file", "x");
    std::filesystem::create_directories(folder.path("w"));
    std::filesystem::create_directory_symlink(folder.path("kept"), folder.path("w/link"));
    CPPUNIT_ASSERT(emptyFolder(folder.path("w")));
    CPPUNIT_ASSERT(std::filesystem::exists(folder.path("kept/file")));
    std::filesystem::create_directory_symlink(folder.path("kept"), folder.path("top"));
    CPPUNIT_ASSERT(!emptyFolder(folder.path("top")));
    CPPUNIT_ASSERT(std::filesystem::exists(folder.path("kept/file")));
  }
  void aVeryDeepTreeNeedsFewDescriptors() {
    const Folder folder;
    std::filesystem::create_directories(folder.path("w"));
    int at = ::open(folder.path("w").c_str(), O_RDONLY | O_DIRECTORY);
    for (int depth = 0; depth < 1500; ++depth) {
      CPPUNIT_ASSERT_EQUAL(0, ::mkdirat(at, "d", 0755));
      const int next = ::openat(at, "d", O_RDONLY | O_DIRECTORY);
      ::close(at);
      at = next;
    }
    ::close(at);
    CPPUNIT_ASSERT(emptyFolder(folder.path("w")));
    CPPUNIT_ASSERT(std::filesystem::is_empty(folder.path("w")));
  }
  void aFolderThatIsNotThereIsEmpty() { CPPUNIT_ASSERT(emptyFolder("/nonexistent/folder")); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TreeTest);

}  // namespace ocelot::docker::test
