// Images of a real engine, and of a real registry where OCELOT_TEST_REGISTRY names one.

#include <sys/stat.h>

#include <algorithm>

#include "tests/live/docker/live.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::docker::test {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

class LiveImagesTest : public LiveFixture {
  CPPUNIT_TEST_SUITE(LiveImagesTest);
  CPPUNIT_TEST(aFolderIsImportedWithOwnersAndModes);
  CPPUNIT_TEST(aCompressedTarIsImported);
  CPPUNIT_TEST(aDockerArchiveIsImportedUnderItsNewNameAlone);
  CPPUNIT_TEST(anOciArchiveIsImported);
  CPPUNIT_TEST(anArchiveOfTwoImagesIsRefused);
  CPPUNIT_TEST(anImageOfTheEnginesIsNamed);
  CPPUNIT_TEST(importingAgainLeavesNoNamelessImage);
  CPPUNIT_TEST(aDamagedTarMakesNoImage);
  CPPUNIT_TEST(imagesAreListedAndRemoved);
  CPPUNIT_TEST(anImageIsPulledFromARegistry);
  CPPUNIT_TEST(aClosedRegistryWantsTheRightPassword);
  CPPUNIT_TEST(anAbsentRegistryIsNamed);
  CPPUNIT_TEST_SUITE_END();

  std::string output(const std::string& image, const std::string& script) {
    ContainerSpec spec = shell("(" + script + ") > /control/out 2>&1");
    spec.image = image;
    spec.resources = {{Resource::Kind::folder, folder_->path(), "/control"}};
    CPPUNIT_ASSERT_EQUAL(0, run(spec).code);
    docker_->remove(call_, spec.name);
    return Folder::read(folder_->path("out"));
  }
  std::string named(const std::string& tag) const { return "ocelot.local/docker-test:" + tag; }
  void forget(const std::string& reference) {
    try {
      docker_->removeImage(call_, reference);
    } catch (const Error&) {
      // It was not there.
    }
  }
  // The engine's own words for an image, saved: a docker archive.
  std::string saved() {
    const std::string path = folder_->path("saved.tar");
    execute("curl -fsS --unix-socket " + socket_.substr(socket_.rfind("unix://", 0) == 0 ? 7 : 0) +
            " http://localhost/images/" + image_ + "/get > " + path);
    return path;
  }
  std::string pushed(const std::string& tag) {
    const std::string registry = variable("OCELOT_TEST_REGISTRY");
    if (registry.empty()) ocelot::test::skip("OCELOT_TEST_REGISTRY names no registry: scripts/engines start registry");
    if (!std::filesystem::exists("/usr/bin/skopeo")) ocelot::test::skip("skopeo is missing");
    execute("skopeo --insecure-policy copy -q --dest-tls-verify=false docker-archive:" + saved() + " docker://" +
            registry + "/ocelot/base:" + tag);
    return registry + "/ocelot/base:" + tag;
  }

 public:
  void aFolderIsImportedWithOwnersAndModes() {
    const std::string root = rootfs("owned");
    folder_->write("owned/srv/ä file", "content");
    CPPUNIT_ASSERT_EQUAL(0, ::chmod((root + "/srv/ä file").c_str(), 04750));
    std::vector<PullProgress> told;
    const Image image =
        docker_->importImage(call_, root, named("owned"), [&](const PullProgress& p) { told.push_back(p); });
    CPPUNIT_ASSERT_EQUAL(named("owned"), image.reference);
    contains(image.digest, "sha256:");
    CPPUNIT_ASSERT(!image.architecture.empty());
    CPPUNIT_ASSERT(!told.empty());
    contains(output(named("owned"), "ls -ln /srv; cat /srv/*"), "-rwsr-x---    1 0        0");
    contains(Folder::read(folder_->path("out")), "content");
    docker_->removeImage(call_, named("owned"));
  }

  void aCompressedTarIsImported() {
    for (const std::string how : {"gz", "xz", "bz2"}) {
      const std::string tar = folder_->path("rootfs.tar." + how);
      execute("tar -C " + rootfs() + " -caf " + tar + " .");
      docker_->importImage(call_, tar, named("packed"), {});
      CPPUNIT_ASSERT_EQUAL(std::string("fine\n"), output(named("packed"), "echo fine"));
      docker_->removeImage(call_, named("packed"));
    }
  }

  void aDockerArchiveIsImportedUnderItsNewNameAlone() {
    const std::string tar = saved();
    forget(image_);
    docker_->importImage(call_, tar, named("loaded"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("fine\n"), output(named("loaded"), "echo fine"));
    for (const StoredImage& image : docker_->listImages(call_)) CPPUNIT_ASSERT(image.reference != image_);
    docker_->removeImage(call_, named("loaded"));
  }

  void anOciArchiveIsImported() {
    if (!std::filesystem::exists("/usr/bin/skopeo")) ocelot::test::skip("skopeo is missing");
    const std::string tar = folder_->path("oci.tar");
    execute("skopeo --insecure-policy copy -q docker-archive:" + saved() + " oci-archive:" + tar + ":x");
    docker_->importImage(call_, tar, named("oci"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("fine\n"), output(named("oci"), "echo fine"));
    docker_->removeImage(call_, named("oci"));
  }

  void anArchiveOfTwoImagesIsRefused() {
    folder_->write("two/manifest.json", R"([{"Config":"a.json","Layers":[]},{"Config":"b.json","Layers":[]}])");
    execute("tar -C " + folder_->path("two") + " -cf " + folder_->path("two.tar") + " manifest.json");
    contains(refused(Status::invalid, [&] { docker_->importImage(call_, folder_->path("two.tar"), named("two"), {}); }),
             "holds 2 images");
  }

  void anImageOfTheEnginesIsNamed() {
    const Image image = docker_->importImage(call_, "docker:" + image_, named("alias"), {});
    CPPUNIT_ASSERT_EQUAL(docker_->pull(call_, {image_, false, "", ""}, {}).digest, image.digest);
    docker_->removeImage(call_, named("alias"));
    contains(
        refused(Status::not_found, [&] { docker_->importImage(call_, "docker:no-such-image", named("alias"), {}); }),
        "docker.io/library/no-such-image:latest");
  }

  void importingAgainLeavesNoNamelessImage() {
    const Image first = docker_->importImage(call_, rootfs("one"), named("again"), {});
    docker_->importImage(call_, "docker:" + named("again"), named("kept"), {});
    folder_->write("one/etc/changed", "x");
    const Image second = docker_->importImage(call_, folder_->path("one"), named("again"), {});
    CPPUNIT_ASSERT_EQUAL(first.digest, docker_->pull(call_, {named("kept"), false, "", ""}, {}).digest);
    folder_->write("one/etc/changed", "y");
    docker_->importImage(call_, folder_->path("one"), named("again"), {});
    ContainerSpec spec = shell("true");
    spec.digest = second.digest;
    refused(Status::not_found, [&] { docker_->start(call_, spec); });
    docker_->removeImage(call_, named("kept"));
    docker_->removeImage(call_, named("again"));
  }

  void aDamagedTarMakesNoImage() {
    const std::string tar = folder_->path("whole.tar.gz");
    execute("tar -C " + rootfs() + " -caf " + tar + " .");
    const std::string whole = Folder::read(tar);
    const std::string cut = folder_->write("cut.tar.gz", whole.substr(0, whole.size() / 2));
    contains(refused(Status::invalid, [&] { docker_->importImage(call_, cut, named("cut"), {}); }), "is damaged");
    refused(Status::not_found, [&] { docker_->pull(call_, {named("cut"), false, "", ""}, {}); });
  }

  void imagesAreListedAndRemoved() {
    const auto images = docker_->listImages(call_);
    const auto found =
        std::find_if(images.begin(), images.end(), [&](const StoredImage& i) { return i.reference == image_; });
    CPPUNIT_ASSERT(found != images.end() && found->size_bytes > 100000);
    docker_->importImage(call_, "docker:" + image_, named("listed"), {});
    docker_->removeImage(call_, named("listed"));
    refused(Status::not_found, [&] { docker_->removeImage(call_, named("listed")); });
    refused(Status::not_found, [&] { docker_->pull(call_, {named("listed"), false, "", ""}, {}); });
  }

  void anImageIsPulledFromARegistry() {
    const std::string reference = pushed("pulled");
    forget(reference);
    std::vector<PullProgress> told;
    const Image image =
        docker_->pull(call_, {reference, false, "", ""}, [&](const PullProgress& p) { told.push_back(p); });
    CPPUNIT_ASSERT_EQUAL(reference, image.reference);
    CPPUNIT_ASSERT(!told.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("fine\n"), output(reference, "echo fine"));
    CPPUNIT_ASSERT_EQUAL(image.digest, docker_->pull(call_, {reference, true, "", ""}, {}).digest);
    const std::string missing = reference.substr(0, reference.rfind(':')) + ":missing";
    contains(refused(Status::not_found,
                     [&] {
                       docker_->pull(call_, {missing, false, "", ""}, {});
                     }),
             "pulling " + missing + " from ");
    docker_->removeImage(call_, reference);
  }

  void aClosedRegistryWantsTheRightPassword() {
    const std::string open = pushed("closed");
    const std::string closed = variable("OCELOT_TEST_REGISTRY_CLOSED");
    if (closed.empty())
      ocelot::test::skip("OCELOT_TEST_REGISTRY_CLOSED names no registry: scripts/engines start registry");
    const std::string reference = closed + open.substr(open.find('/'));
    forget(reference);
    contains(refused(Status::unauthenticated,
                     [&] {
                       docker_->pull(call_, {reference, false, "", ""}, {});
                     }),
             "add a credential for " + closed);
    refused(Status::unauthenticated, [&] { docker_->pull(call_, {reference, false, "ocelot", "wrong"}, {}); });
    const Image image = docker_->pull(
        call_, {reference, false, variable("OCELOT_TEST_REGISTRY_USER"), variable("OCELOT_TEST_REGISTRY_PASSWORD")},
        {});
    CPPUNIT_ASSERT_EQUAL(reference, image.reference);
    docker_->removeImage(call_, reference);
  }

  void anAbsentRegistryIsNamed() {
    contains(refused(Status::unavailable,
                     [&] {
                       docker_->pull(call_, {"127.0.0.1:1/x", false, "", ""}, {});
                     }),
             "docker: pulling 127.0.0.1:1/x:latest from 127.0.0.1:1: ");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LiveImagesTest);

}  // namespace ocelot::docker::test
