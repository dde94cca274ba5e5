// The store: what is added, shared, found, imported in every form, and removed.

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/runtime/oci/digest.hpp"
#include "plugins/runtime/oci/file.hpp"
#include "plugins/runtime/oci/image_config.hpp"
#include "tests/support/skip.hpp"
#include "tests/unit/oci/fixture.hpp"
#include "tests/unit/oci/layout.hpp"

namespace ocelot::oci::test {

class ImageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ImageTest);
  CPPUNIT_TEST(importsARootFileSystem);
  CPPUNIT_TEST(importsALayoutAndItsArchive);
  CPPUNIT_TEST(importsWhatDockerSaved);
  CPPUNIT_TEST(sharesLayersAndRemovesThemWithTheLast);
  CPPUNIT_TEST(refusesAnotherArchitecture);
  CPPUNIT_TEST(refusesALayerThatIsNotWhatWasSaid);
  CPPUNIT_TEST(refusesDescriptionsThatAreNot);
  CPPUNIT_TEST(anImportedNameIsNeverAskedOfARegistry);
  CPPUNIT_TEST(choosesThisMachinesManifest);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    if (::geteuid() != 0) ocelot::test::skip("needs root: owners are part of a layer");
    folder_ = std::make_unique<Folder>();
    oci_ = std::make_unique<Oci>(settingsIn(*folder_));
  }

  void importsARootFileSystem() {
    writeTar(*folder_ / "root.tar",
             {{TarEntry::Type::folder, "./bin", "", 0755, 0, 0, {}},
              {TarEntry::Type::file, "./bin/sh", "x", 0755, 0, 0, {}}},
             Compression::zstd);
    const Image image = oci_->importImage(call_, *folder_ / "root.tar", "ocelot.local/base:1", {});
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.local/base:1"), image.reference);
    CPPUNIT_ASSERT(isDigest(image.digest));
    CPPUNIT_ASSERT_EQUAL(machineArchitecture(), image.architecture);
    const auto images = oci_->listImages(call_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, images.size());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, images[0].size_bytes);
    CPPUNIT_ASSERT(images[0].last_used_us > 1'500'000'000'000'000);
    CPPUNIT_ASSERT_EQUAL(image.digest, oci_->pull(call_, {"ocelot.local/base:1", false, "", ""}, {}).digest);
  }

  void importsALayoutAndItsArchive() {
    ImageLayout layout(*folder_ / "layout");
    layout.config_fields = R"("User":"app:app","WorkingDir":"/srv","Env":["A=1","B=x=y"])";
    layout.write(
        {{{TarEntry::Type::file, "a", "1", 0644, 0, 0, {}}}, {{TarEntry::Type::file, "b", "2", 0644, 0, 0, {}}}});
    const Image image = oci_->importImage(call_, *folder_ / "layout", "ocelot.local/a", {});
    CPPUNIT_ASSERT_EQUAL(std::string("app:app"), image.user);
    CPPUNIT_ASSERT_EQUAL(std::string("/srv"), image.working_dir);
    CPPUNIT_ASSERT(image.env == (Pairs{{"A", "1"}, {"B", "x=y"}}));
    CPPUNIT_ASSERT_EQUAL(layout.manifest_digest, image.digest);
    CPPUNIT_ASSERT_EQUAL(0, runShell("cd " + *folder_ / "layout && tar czf ../layout.tar.gz ."));
    CPPUNIT_ASSERT_EQUAL(image.digest,
                         oci_->importImage(call_, *folder_ / "layout.tar.gz", "ocelot.local/b", {}).digest);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, layers());
  }

  void importsWhatDockerSaved() {
    ImageLayout layout(*folder_ / "saved");
    layout.write({{{TarEntry::Type::file, "a", "1", 0644, 0, 0, {}}}});
    const std::string config = readFile(layout.blob(layout.config_digest), 1 << 20);
    CPPUNIT_ASSERT_EQUAL(0, runShell("cd " + *folder_ / "saved && mkdir ../out && cp blobs/sha256/" +
                                     hexOf(layout.layer_digests[0]) + " ../out/layer.tar"));
    writeFile(*folder_ / "out/config.json", config);
    writeFile(*folder_ / "out/manifest.json",
              R"([{"Config":"config.json","RepoTags":["x:1"],"Layers":["layer.tar"]}])");
    CPPUNIT_ASSERT_EQUAL(0, runShell("cd " + *folder_ / "out && tar cf ../saved.tar *"));
    CPPUNIT_ASSERT_EQUAL(digestOf(config),
                         oci_->importImage(call_, *folder_ / "saved.tar", "ocelot.local/s", {}).digest);
    writeFile(*folder_ / "out/manifest.json", R"([{"Config":"../../etc/passwd","Layers":[]}])");
    CPPUNIT_ASSERT_EQUAL(0, runShell("cd " + *folder_ / "out && tar cf ../saved.tar *"));
    refused([&] { oci_->importImage(call_, *folder_ / "saved.tar", "ocelot.local/s", {}); }, Status::invalid,
            "leads out");
  }

  void sharesLayersAndRemovesThemWithTheLast() {
    const std::vector<TarEntry> base = {{TarEntry::Type::file, "base", "1", 0644, 0, 0, {}}};
    ImageLayout first(*folder_ / "first"), second(*folder_ / "second");
    first.write({base});
    second.write({base, {{TarEntry::Type::file, "more", "2", 0644, 0, 0, {}}}});
    oci_->importImage(call_, *folder_ / "first", "ocelot.local/first", {});
    oci_->importImage(call_, *folder_ / "second", "ocelot.local/second", {});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, layers());
    oci_->removeImage(call_, "ocelot.local/first");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, layers());
    oci_->removeImage(call_, "ocelot.local/second");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, layers());
    CPPUNIT_ASSERT(namesIn(*folder_ / "store/manifests").empty());
    refused([&] { oci_->removeImage(call_, "ocelot.local/second"); }, Status::not_found, "ocelot.local/second");
  }

  void refusesAnotherArchitecture() {
    ImageLayout layout(*folder_ / "layout");
    layout.architecture = "s390x";
    layout.write({{{TarEntry::Type::file, "a", "1", 0644, 0, 0, {}}}});
    refused([&] { oci_->importImage(call_, *folder_ / "layout", "ocelot.local/a", {}); }, Status::invalid, "s390x");
  }

  void refusesALayerThatIsNotWhatWasSaid() {
    ImageLayout layout(*folder_ / "layout");
    layout.write({{{TarEntry::Type::file, "a", "1", 0644, 0, 0, {}}}});
    writeTar(layout.blob(layout.layer_digests[0]), {{TarEntry::Type::file, "a", "2", 0644, 0, 0, {}}});
    refused([&] { oci_->importImage(call_, *folder_ / "layout", "ocelot.local/a", {}); }, Status::unavailable,
            "damaged");
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, layers());
    CPPUNIT_ASSERT(oci_->listImages(call_).empty());
    CPPUNIT_ASSERT(namesIn(*folder_ / "store/staging").empty());
    writeFile(layout.blob(layout.config_digest), "{}");
    refused([&] { oci_->importImage(call_, *folder_ / "layout", "ocelot.local/a", {}); }, Status::invalid, "damaged");
  }

  void refusesDescriptionsThatAreNot() {
    const auto bad = [&](const std::string& text) {
      refused([&] { parseManifest(text, "x"); }, Status::invalid, "x");
      refused([&] { parseConfig(text, "x"); }, Status::invalid, "x");
      refused([&] { parseSaved(text, "x"); }, Status::invalid, "x");
      refused([&] { decodeStored(text, "x"); }, Status::invalid, "x");
    };
    for (const char* text :
         {"", "[]", "{", "null", "{}", "7", "\"\"", R"({"schemaVersion":1})", R"({"schemaVersion":2})",
          R"({"schemaVersion":2,"manifests":[]})", R"({"schemaVersion":2,"manifests":[7]})",
          R"({"schemaVersion":2,"config":{"digest":"sha256:../../x","size":1},"layers":[]})"})
      bad(text);
    bad(std::string(100000, '['));
    bad(std::string(5u << 20, ' '));
    refused([] { parseConfig(R"({"config":{"WorkingDir":"/proc/self/fd/7"},"rootfs":{"diff_ids":[]}})", "x"); },
            Status::invalid, "WORKDIR");
    refused([] { parseConfig(R"({"config":{"Env":["=x"]},"rootfs":{"diff_ids":[]}})", "x"); }, Status::invalid,
            "environment");
    refused([] { parseConfig(R"({"os":"windows","rootfs":{"diff_ids":[]}})", "x"); }, Status::invalid, "windows");
  }

  void anImportedNameIsNeverAskedOfARegistry() {
    refused(
        [&] {
          oci_->pull(call_, {"ocelot.local/nothing", true, "", ""}, {});
        },
        Status::not_found, "ocelot image import");
  }

  void choosesThisMachinesManifest() {
    const std::string mine = "sha256:" + std::string(64, 'a'), other = "sha256:" + std::string(64, 'b');
    const auto entry = [](const std::string& digest, const std::string& architecture) {
      return R"({"digest":")" + digest + R"(","size":1,"platform":{"os":"linux","architecture":")" + architecture +
             R"("}})";
    };
    const auto index = [](const std::string& entries) {
      return parseManifest(R"({"schemaVersion":2,"manifests":[)" + entries + "]}", "x");
    };
    CPPUNIT_ASSERT_EQUAL(mine,
                         chooseManifest(index(entry(other, "s390x") + "," + entry(mine, machineArchitecture())), "x"));
    refused([&] { chooseManifest(index(entry(other, "s390x")), "x"); }, Status::invalid, "linux/s390x");
  }

 private:
  std::size_t layers() const { return foldersIn(*folder_ / "store/layers").size(); }
  template <typename Try>
  static void refused(Try what, Status status, const std::string& words) {
    try {
      what();
      CPPUNIT_FAIL("not refused: " + words);
    } catch (const Error& e) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(e.what(), static_cast<int>(status), static_cast<int>(e.status()));
      CPPUNIT_ASSERT_MESSAGE(e.what(), std::string(e.what()).find(words) != std::string::npos);
    }
  }

  SimpleCall call_{std::chrono::minutes(10)};
  std::unique_ptr<Folder> folder_;
  std::unique_ptr<Oci> oci_;
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::ImageTest);
