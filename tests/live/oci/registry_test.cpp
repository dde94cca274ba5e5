#include "plugins/runtime/oci/registry.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include <algorithm>

#include "plugins/runtime/oci/tool.hpp"
#include "tests/live/oci/registry_server.hpp"
#include "tests/support/skip.hpp"
#include "tests/unit/oci/fixture.hpp"

namespace ocelot::oci::test {

class RegistryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RegistryTest);
  CPPUNIT_TEST(fetchesOnceAndThenAsksNobody);
  CPPUNIT_TEST(refreshFetchesOnlyWhatIsNew);
  CPPUNIT_TEST(aPinnedDigestIsWhatIsFetched);
  CPPUNIT_TEST(aFailureThatPassesIsRetried);
  CPPUNIT_TEST(aMissingImageIsToldAsSuch);
  CPPUNIT_TEST(aCredentialOpensAPrivateImage);
  CPPUNIT_TEST(damageIsNoticedAndLeavesNothing);
  CPPUNIT_TEST(aRegistryThatIsAwayIsUnavailable);
  CPPUNIT_TEST(theMirrorIsAskedFirst);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    if (::geteuid() != 0) ocelot::test::skip("needs root: owners are part of a layer");
    if (findProgram("skopeo").empty()) ocelot::test::skip("skopeo is not installed");
    folder_ = std::make_unique<Folder>();
    oci_ = std::make_unique<Oci>(settingsIn(*folder_));
    layout_ = std::make_unique<ImageLayout>(*folder_ / "layout");
    layout_->config_fields = R"("User":"1000")";
    layout_->write({{{TarEntry::Type::file, "a", std::string(200000, 'a'), 0644, 0, 0, {}}}});
    server_ = std::make_unique<RegistryServer>(*layout_);
  }
  void tearDown() override {
    server_.reset();
    oci_.reset();
    folder_.reset();
  }

  void fetchesOnceAndThenAsksNobody() {
    std::vector<PullProgress> told;
    const Image image =
        oci_->pull(call_, {image_(), false, "", ""}, [&](const PullProgress& one) { told.push_back(one); });
    CPPUNIT_ASSERT_EQUAL(layout_->manifest_digest, image.digest);
    CPPUNIT_ASSERT_EQUAL(server_->name() + "/team/app:1", image.reference);
    CPPUNIT_ASSERT_EQUAL(std::string("1000"), image.user);
    CPPUNIT_ASSERT(!told.empty());
    CPPUNIT_ASSERT(std::any_of(told.begin(), told.end(), [](const auto& one) {
      return one.total_bytes > 200000 && one.done_bytes == one.total_bytes;
    }));
    const auto asked = server_->requests().size();
    CPPUNIT_ASSERT_EQUAL(image.digest, oci_->pull(call_, {image_(), false, "", ""}, {}).digest);
    CPPUNIT_ASSERT_EQUAL(asked, server_->requests().size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, foldersIn(*folder_ / "store/layers").size());
    CPPUNIT_ASSERT(foldersIn(*folder_ / "store/staging").empty());
  }

  void refreshFetchesOnlyWhatIsNew() {
    oci_->pull(call_, {image_(), false, "", ""}, {});
    const auto before = blobsAsked();
    oci_->pull(call_, {image_(), true, "", ""}, {});
    CPPUNIT_ASSERT_EQUAL(before, blobsAsked());
    ImageLayout newer(*folder_ / "layout");
    newer.write({{{TarEntry::Type::file, "b", "new", 0644, 0, 0, {}}}});
    layout_->manifest_digest = newer.manifest_digest;
    CPPUNIT_ASSERT_EQUAL(newer.manifest_digest, oci_->pull(call_, {image_(), true, "", ""}, {}).digest);
  }

  void aPinnedDigestIsWhatIsFetched() {
    const std::string name = server_->name() + "/team/app@" + layout_->manifest_digest;
    CPPUNIT_ASSERT_EQUAL(layout_->manifest_digest, oci_->pull(call_, {name, false, "", ""}, {}).digest);
    fails({server_->name() + "/team/app@sha256:" + std::string(64, '0'), false, "", ""}, Status::not_found,
          "no such image");
  }

  void aFailureThatPassesIsRetried() {
    server_->failures = 2;
    CPPUNIT_ASSERT_EQUAL(layout_->manifest_digest, oci_->pull(call_, {image_(), false, "", ""}, {}).digest);
  }

  void aMissingImageIsToldAsSuch() {
    server_->missing = true;
    fails({image_(), false, "", ""}, Status::not_found, server_->name() + "/team/app:1 from " + server_->name());
    CPPUNIT_ASSERT(foldersIn(*folder_ / "store/staging").empty());
  }

  void aCredentialOpensAPrivateImage() {
    server_->credential = "YW5uYTpzM2NyZXQ=";  // anna:s3cret
    fails({image_(), false, "", ""}, Status::unauthenticated, "wants a credential");
    fails({image_(), false, "anna", "wrong-s3cret"}, Status::unauthenticated, "refused the credential");
    CPPUNIT_ASSERT_EQUAL(layout_->manifest_digest, oci_->pull(call_, {image_(), false, "anna", "s3cret"}, {}).digest);
    CPPUNIT_ASSERT_EQUAL(std::string(), outputOf("grep -rl 'YW5uYTpzM2NyZXQ' " + *folder_ / "store"));
  }

  void damageIsNoticedAndLeavesNothing() {
    server_->damaged = true;
    fails({image_(), false, "", ""}, Status::unavailable, server_->name());
    CPPUNIT_ASSERT(namesIn(*folder_ / "store/layers").empty());
    CPPUNIT_ASSERT(foldersIn(*folder_ / "store/staging").empty());
  }

  void aRegistryThatIsAwayIsUnavailable() {
    const std::string name = image_();
    server_.reset();
    fails({name, false, "", ""}, Status::unavailable, name);
  }

  void theMirrorIsAskedFirst() {
    Settings settings = settingsIn(*folder_);
    settings.set("registry_mirror", {server_->name()});
    Oci mirrored(settings);
    const Image image = mirrored.pull(call_, {"debian:12", false, "", ""}, {});
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/debian:12"), image.reference);
    const auto asked = server_->requests();
    CPPUNIT_ASSERT(std::any_of(asked.begin(), asked.end(),
                               [](const auto& line) { return line == "GET /v2/library/debian/manifests/12"; }));
  }

 private:
  std::string image_() const { return server_->name() + "/team/app:1"; }
  std::size_t blobsAsked() const {
    const auto asked = server_->requests();
    return static_cast<std::size_t>(std::count_if(
        asked.begin(), asked.end(), [](const auto& line) { return line.find("/blobs/") != std::string::npos; }));
  }
  void fails(const ImageRequest& request, Status status, const std::string& words) {
    try {
      oci_->pull(call_, request, {});
      CPPUNIT_FAIL("fetched: " + request.reference);
    } catch (const Error& e) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(e.what(), static_cast<int>(status), static_cast<int>(e.status()));
      CPPUNIT_ASSERT_MESSAGE(e.what(), std::string(e.what()).find(words) != std::string::npos);
      if (!request.password.empty()) CPPUNIT_ASSERT(std::string(e.what()).find(request.password) == std::string::npos);
    }
  }

  SimpleCall call_{std::chrono::minutes(10)};
  std::unique_ptr<Folder> folder_;
  std::unique_ptr<ImageLayout> layout_;
  std::unique_ptr<RegistryServer> server_;
  std::unique_ptr<Oci> oci_;
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::RegistryTest);
