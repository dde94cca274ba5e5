// What is left in memory of an installation whose data folder was removed.

#include "components/cli/up/run_folders.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "components/cli/command.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

using namespace ocelot;
namespace fs = std::filesystem;

class RunFoldersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RunFoldersTest);
  CPPUNIT_TEST(theRunFolderOfARemovedDataFolderGoes);
  CPPUNIT_TEST(oneThatIsHeldStays);
  CPPUNIT_TEST(whatSaysNotWhoseItIsStays);
  CPPUNIT_TEST(oneWithAMountStays);
  CPPUNIT_TEST(aFolderIsForOneInstallation);
  CPPUNIT_TEST_SUITE_END();

  test::TempFolder base_;

  std::string made(const std::string& name) const {
    const std::string folder = base_.path + "/" + name;
    fs::create_directories(folder + "/builds/b");
    std::ofstream(folder + "/builds/b/journal") << "unmasked";
    return folder;
  }
  std::vector<std::string> swept() const { return cli::sweepRunFolders(base_.path); }

 public:
  void theRunFolderOfARemovedDataFolderGoes() {
    const std::string data = base_.path + "/data", gone = made("ocelot-1"), kept = made("ocelot-2");
    fs::create_directory(data);
    cli::holdRunFolder(gone, base_.path + "/removed");
    cli::holdRunFolder(kept, data);
    CPPUNIT_ASSERT(swept() == std::vector<std::string>{gone});
    CPPUNIT_ASSERT(!fs::exists(gone) && fs::exists(kept + "/builds/b/journal"));
    fs::remove(data);
    CPPUNIT_ASSERT(swept() == std::vector<std::string>{kept});
    CPPUNIT_ASSERT(swept().empty());
  }

  void oneThatIsHeldStays() {
    const std::string folder = made("ocelot-1");
    std::optional<builddir::Lock> lock(cli::holdRunFolder(folder, base_.path + "/removed"));
    CPPUNIT_ASSERT(swept().empty());
    CPPUNIT_ASSERT(fs::exists(folder + "/builds/b/journal"));
    lock.reset();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, swept().size());
  }

  void whatSaysNotWhoseItIsStays() {
    const std::string unmarked = made("ocelot-1"), named = made("ocelot"), other = made("ocelot-x1"),
                      relative = made("ocelot-2"), elsewhere = made("elsewhere");
    for (const auto& folder : {named, other, elsewhere}) cli::holdRunFolder(folder, base_.path + "/removed");
    std::ofstream(relative + "/data-dir") << "removed\n";
    fs::create_directory_symlink(elsewhere, base_.path + "/ocelot-3");
    CPPUNIT_ASSERT(swept().empty());
    for (const auto& folder : {unmarked, named, other, relative, elsewhere})
      CPPUNIT_ASSERT_MESSAGE(folder, fs::exists(folder + "/builds/b/journal"));
    CPPUNIT_ASSERT(cli::sweepRunFolders(base_.path + "/nothing").empty());
  }

  void oneWithAMountStays() {
    const std::string folder = made("ocelot-1"), mounted = folder + "/builds/b";
    cli::holdRunFolder(folder, base_.path + "/removed");
    if (::mount("none", mounted.c_str(), "tmpfs", 0, "size=4k") != 0) return;  // not without rights
    const auto while_mounted = swept();
    ::umount2(mounted.c_str(), MNT_DETACH);
    CPPUNIT_ASSERT(while_mounted.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, swept().size());
  }

  void aFolderIsForOneInstallation() {
    const std::string folder = made("ocelot-1");
    const auto lock = cli::holdRunFolder(folder, base_.path + "/a");
    CPPUNIT_ASSERT_THROW(cli::holdRunFolder(folder, base_.path + "/b"), cli::Failure);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RunFoldersTest);

}  // namespace
