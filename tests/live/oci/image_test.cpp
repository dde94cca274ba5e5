// The store beside real containers: what they need stays, what a crash left goes.

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include "plugins/runtime/oci/file.hpp"
#include "tests/unit/oci/fixture.hpp"

namespace ocelot::oci::test {

class LiveImageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LiveImageTest);
  CPPUNIT_TEST(keepsLayersOfAContainer);
  CPPUNIT_TEST(whatACrashLeftIsSwept);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    needContainers();
    folder_ = std::make_unique<Folder>();
    oci_ = std::make_unique<Oci>(settingsIn(*folder_));
  }

  void keepsLayersOfAContainer() {
    oci_->importImage(call_, makeRootfs(*folder_), "ocelot.local/busybox", {});
    ContainerSpec spec;
    spec.name = "ocelot-test-image-" + std::to_string(::getpid());
    spec.image = "ocelot.local/busybox";
    spec.network = "none";
    spec.command = {"/bin/sleep", "100"};
    oci_->start(call_, spec);
    oci_->removeImage(call_, "ocelot.local/busybox");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, layers());  // the image's, and the mount points below it
    oci_->remove(call_, spec.name);
    oci_->importImage(call_, *folder_ / "rootfs", "ocelot.local/other", {});
    oci_->removeImage(call_, "ocelot.local/other");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, layers());
  }

  void whatACrashLeftIsSwept() {
    oci_->importImage(call_, makeRootfs(*folder_), "ocelot.local/busybox", {});
    // A restart empties the state folder and leaves the store; a killed fetch leaves its staging folder.
    CPPUNIT_ASSERT_EQUAL(0, runShell("cd " + *folder_ / "store && mkdir -p containers/lost/upper staging/dead/x && "
                                                        "echo /nowhere/record.json > containers/lost/layers"));
    oci_->probe(call_);
    CPPUNIT_ASSERT(namesIn(*folder_ / "store/containers").empty());
    oci_->removeImage(call_, "ocelot.local/busybox");
    CPPUNIT_ASSERT(namesIn(*folder_ / "store/staging").empty());
  }

 private:
  std::size_t layers() const { return foldersIn(*folder_ / "store/layers").size(); }

  SimpleCall call_{std::chrono::minutes(10)};
  std::unique_ptr<Folder> folder_;
  std::unique_ptr<Oci> oci_;
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::LiveImageTest);
