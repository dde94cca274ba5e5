#include "plugins/runtime/oci/layer.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "plugins/runtime/oci/digest.hpp"
#include "plugins/runtime/oci/file.hpp"
#include "tests/support/skip.hpp"
#include "tests/unit/oci/fixture.hpp"
#include "tests/unit/oci/tar.hpp"

namespace ocelot::oci::test {

class LayerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LayerTest);
  CPPUNIT_TEST(keepsOwnersModesTimesLinksAndAttributes);
  CPPUNIT_TEST(readsEveryCompression);
  CPPUNIT_TEST(tellsTheDigestsOfFileAndContent);
  CPPUNIT_TEST(turnsWhiteoutsIntoOverlayMarks);
  CPPUNIT_TEST(aPlainArchiveHasNoWhiteouts);
  CPPUNIT_TEST(dotDotIsRefused);
  CPPUNIT_TEST(absolutePathsStayInside);
  CPPUNIT_TEST(linksThatLeadOutStayInside);
  CPPUNIT_TEST(hardLinksOutAreRefused);
  CPPUNIT_TEST(aLaterEntryReplacesAnEarlierOne);
  CPPUNIT_TEST(devicesAreLeftOut);
  CPPUNIT_TEST(overlayAttributesAreLeftOut);
  CPPUNIT_TEST(whiteoutsOfNothingAreRefused);
  CPPUNIT_TEST(tooManyEntriesAreRefused);
  CPPUNIT_TEST(tooManyBytesAreRefused);
  CPPUNIT_TEST(bombsAreRefused);
  CPPUNIT_TEST(truncatedArchivesAreRefused);
  CPPUNIT_TEST(rubbishIsRefused);
  CPPUNIT_TEST(namesOfAnyBytesAreKept);
  CPPUNIT_TEST(foldersAreCopiedWithTheirLinks);
  CPPUNIT_TEST(tellsASavedImageFromARootFileSystem);
  CPPUNIT_TEST_SUITE_END();

  using Type = TarEntry::Type;

 public:
  void setUp() override {
    if (::geteuid() != 0) ocelot::test::skip("needs root: owners and devices are part of a layer");
    folder_ = std::make_unique<Folder>();
    ::mkdir((*folder_ / "out").c_str(), 0755);
  }

  void keepsOwnersModesTimesLinksAndAttributes() {
    unpack({{Type::folder, "usr/", "", 0755, 3, 4, {}},
            {Type::file, "usr/tool", "content", 04711, 1, 2, {{"user.note", "value"}}},
            {Type::symlink, "tool", "usr/tool", 0777, 5, 6, {}},
            {Type::hardlink, "same", "usr/tool", 0644, 0, 0, {}},
            {Type::fifo, "pipe", "", 0640, 0, 0, {}}});
    const struct stat tool = status("usr/tool");
    CPPUNIT_ASSERT_EQUAL(04711u, tool.st_mode & 07777u);
    CPPUNIT_ASSERT_EQUAL(1u, tool.st_uid);
    CPPUNIT_ASSERT_EQUAL(2u, tool.st_gid);
    CPPUNIT_ASSERT_EQUAL(time_t{1000000000}, tool.st_mtime);
    CPPUNIT_ASSERT_EQUAL(time_t{1000000000}, status("usr").st_mtime);
    CPPUNIT_ASSERT_EQUAL(tool.st_ino, status("same").st_ino);
    CPPUNIT_ASSERT_EQUAL(5u, status("tool").st_uid);
    CPPUNIT_ASSERT(S_ISFIFO(status("pipe").st_mode));
    char value[16];
    CPPUNIT_ASSERT_EQUAL(ssize_t{5}, ::getxattr(out("usr/tool").c_str(), "user.note", value, sizeof value));
  }

  void readsEveryCompression() {
    std::string diff_id;
    for (const auto compression : {Compression::none, Compression::gzip, Compression::zstd, Compression::xz}) {
      removeTree(*folder_ / "out");
      ::mkdir((*folder_ / "out").c_str(), 0755);
      const Unpacked unpacked = unpack({{Type::file, "a", "content", 0644, 0, 0, {}}}, {}, compression);
      CPPUNIT_ASSERT_EQUAL(std::string("content"), readFile(out("a"), 100));
      if (!diff_id.empty()) CPPUNIT_ASSERT_EQUAL(diff_id, unpacked.diff_id);
      diff_id = unpacked.diff_id;
    }
  }

  void tellsTheDigestsOfFileAndContent() {
    const Unpacked plain = unpack({{Type::file, "a", "content", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT_EQUAL(digestOf(readFile(*folder_ / "tar", 1 << 20)), plain.diff_id);
    CPPUNIT_ASSERT_EQUAL(plain.diff_id, plain.blob_digest);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, plain.bytes);
    const Unpacked packed = unpack({{Type::file, "a", "content", 0644, 0, 0, {}}}, {}, Compression::gzip);
    CPPUNIT_ASSERT_EQUAL(digestOf(readFile(*folder_ / "tar", 1 << 20)), packed.blob_digest);
    CPPUNIT_ASSERT(packed.blob_digest != packed.diff_id);
  }

  void turnsWhiteoutsIntoOverlayMarks() {
    if (::setxattr((*folder_ / "out").c_str(), "trusted.ocelot", "", 0, 0) != 0)
      ocelot::test::skip("root here may not set trusted attributes, as in a container");
    unpack({{Type::folder, "d", "", 0755, 0, 0, {}},
            {Type::file, "d/.wh..wh..opq", "", 0644, 0, 0, {}},
            {Type::file, "d/.wh.gone", "", 0644, 0, 0, {}},
            {Type::file, "d/.wh..wh.aufs", "", 0644, 0, 0, {}},
            {Type::file, "both", "kept", 0644, 0, 0, {}},
            {Type::file, ".wh.both", "", 0644, 0, 0, {}}});
    const struct stat gone = status("d/gone");
    CPPUNIT_ASSERT(S_ISCHR(gone.st_mode));
    CPPUNIT_ASSERT_EQUAL(makedev(0, 0), gone.st_rdev);
    char value[4];
    CPPUNIT_ASSERT_EQUAL(ssize_t{1}, ::getxattr(out("d").c_str(), "trusted.overlay.opaque", value, sizeof value));
    CPPUNIT_ASSERT_EQUAL(std::string("kept"), readFile(out("both"), 100));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, namesIn(out("d")).size());
  }

  void aPlainArchiveHasNoWhiteouts() {
    UnpackRules rules;
    rules.whiteouts = false;
    unpack({{Type::file, ".wh.x", "content", 0644, 0, 0, {}}}, rules);
    CPPUNIT_ASSERT(present(out(".wh.x")));
  }

  void dotDotIsRefused() {
    refused({{Type::file, "../slipped", "x", 0644, 0, 0, {}}}, "\"..\"");
    refused({{Type::file, "a/../../slipped", "x", 0644, 0, 0, {}}}, "\"..\"");
    CPPUNIT_ASSERT(!present(*folder_ / "slipped"));
  }

  void absolutePathsStayInside() {
    unpack({{Type::file, "/etc/new", "x", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT(present(out("etc/new")));
    CPPUNIT_ASSERT(!present("/etc/new"));
  }

  void linksThatLeadOutStayInside() {
    const std::string outside = *folder_ / "outside";
    ::mkdir(outside.c_str(), 0755);
    unpack({{Type::symlink, "absolute", outside, 0777, 0, 0, {}},
            {Type::symlink, "relative", "../outside", 0777, 0, 0, {}},
            {Type::folder, "outside", "", 0755, 0, 0, {}},
            {Type::file, "relative/b", "x", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT(present(out("outside/b")));
    CPPUNIT_ASSERT(namesIn(outside).empty());
    // The link's target is not in the layer: there is no folder to write to, and none is made outside.
    refused({{Type::symlink, "absolute", outside, 0777, 0, 0, {}}, {Type::file, "absolute/a", "x", 0644, 0, 0, {}}},
            "");
    CPPUNIT_ASSERT(namesIn(outside).empty());
    writeFile(outside + "/victim", "before");
    unpack({{Type::symlink, "victim", outside + "/victim", 0777, 0, 0, {}},
            {Type::file, "victim", "after", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT_EQUAL(std::string("before"), readFile(outside + "/victim", 100));
    CPPUNIT_ASSERT_EQUAL(std::string("after"), readFile(out("victim"), 100));
  }

  void hardLinksOutAreRefused() {
    refused({{Type::hardlink, "a", "/etc/passwd", 0644, 0, 0, {}}}, "hard link");
    refused({{Type::hardlink, "a", "../../etc/passwd", 0644, 0, 0, {}}}, "\"..\"");
    refused({{Type::symlink, "s", "/etc", 0777, 0, 0, {}}, {Type::hardlink, "a", "s/passwd", 0644, 0, 0, {}}},
            "hard link");
  }

  void aLaterEntryReplacesAnEarlierOne() {
    unpack({{Type::folder, "a", "", 0755, 0, 0, {}},
            {Type::file, "a/old", "x", 0644, 0, 0, {}},
            {Type::file, "a", "file now", 0644, 0, 0, {}},
            {Type::symlink, "b", "a", 0777, 0, 0, {}},
            {Type::folder, "b", "", 0700, 0, 0, {}},
            {Type::file, "b/inner", "x", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT_EQUAL(std::string("file now"), readFile(out("a"), 100));
    CPPUNIT_ASSERT(S_ISDIR(status("b").st_mode));
    CPPUNIT_ASSERT(present(out("b/inner")));
  }

  void devicesAreLeftOut() {
    unpack({{Type::device, "disk", "", 0666, 0, 0, {}}, {Type::file, "a", "x", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT(!present(out("disk")));
    CPPUNIT_ASSERT(present(out("a")));
  }

  void overlayAttributesAreLeftOut() {
    unpack({{Type::folder,
             "d",
             "",
             0755,
             0,
             0,
             {{"trusted.overlay.redirect", "/etc"}, {"user.overlay.opaque", "y"}, {"user.kept", "1"}}}});
    char names[256];
    const ssize_t size = ::listxattr(out("d").c_str(), names, sizeof names);
    CPPUNIT_ASSERT_EQUAL(std::string("user.kept"),
                         std::string(names, size > 0 ? static_cast<std::size_t>(size) - 1 : 0));
  }

  void whiteoutsOfNothingAreRefused() {
    refused({{Type::file, ".wh.", "", 0644, 0, 0, {}}}, "whiteout");
    refused({{Type::file, "a/.wh...", "", 0644, 0, 0, {}}}, "whiteout");
  }

  void tooManyEntriesAreRefused() {
    UnpackRules rules;
    rules.max_entries = 2;
    refused({{Type::file, "a", "", 0644, 0, 0, {}},
             {Type::file, "b", "", 0644, 0, 0, {}},
             {Type::file, "c", "", 0644, 0, 0, {}}},
            "more than 2 entries", rules);
  }

  void tooManyBytesAreRefused() {
    UnpackRules rules;
    rules.max_bytes = 1000;
    refused({{Type::file, "a", std::string(600, 'a'), 0644, 0, 0, {}},
             {Type::file, "b", std::string(600, 'b'), 0644, 0, 0, {}}},
            "more than 1000 bytes", rules);
    refused({{Type::file, "a", std::string(2000, 'a'), 0644, 0, 0, {}}}, "too large", rules);
  }

  void bombsAreRefused() {
    // 24 MB of zeros in less than a kB.
    CPPUNIT_ASSERT_EQUAL(0,
                         runShell("cd " + folder_->path() +
                                  " && truncate -s 24M zeros && tar cf - zeros | gzip -1 | gzip -1 > tar && rm zeros"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a small one is only a file of zeros", std::string("not refused"), refusal({}, ""));
    UnpackRules rules;
    rules.ratio_from_bytes = 16u << 20;
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), refusal(rules, "times its size"));
  }

  void truncatedArchivesAreRefused() {
    writeTar(*folder_ / "tar", {{Type::file, "a", std::string(100000, 'a'), 0644, 0, 0, {}}}, Compression::gzip);
    const std::string whole = readFile(*folder_ / "tar", 1 << 20);
    for (const std::size_t size : {whole.size() / 2, whole.size() - 12, std::size_t{5}, std::size_t{0}}) {
      writeFile(*folder_ / "tar", whole.substr(0, size));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(size), std::string("yes"), refusal({}, ""));
    }
  }

  void rubbishIsRefused() {
    writeFile(*folder_ / "tar", std::string(5000, 'x'));
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), refusal({}, ""));
  }

  void namesOfAnyBytesAreKept() {
    unpack({{Type::file, "\xc3\xa4\xe6\xbc\xa2", "x", 0644, 0, 0, {}}, {Type::file, "a b\nc", "x", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT(present(out("\xc3\xa4\xe6\xbc\xa2")));
    CPPUNIT_ASSERT(present(out("a b\nc")));
  }

  void foldersAreCopiedWithTheirLinks() {
    const std::string from = *folder_ / "from";
    CPPUNIT_ASSERT_EQUAL(0, runShell("mkdir -p " + from + "/sub; cd " + from +
                                     "; echo x > sub/file; ln sub/file same; "
                                     "ln -s sub/file link; chown 1:2 sub/file; chmod 4750 sub/file"));
    SimpleCall call;
    const Unpacked first = copyFolder(call, from + "/", *folder_ / "out", UnpackRules{}, {});
    CPPUNIT_ASSERT_EQUAL(status("sub/file").st_ino, status("same").st_ino);
    CPPUNIT_ASSERT_EQUAL(04750u, status("sub/file").st_mode & 07777u);
    CPPUNIT_ASSERT_EQUAL(1u, status("sub/file").st_uid);
    CPPUNIT_ASSERT(S_ISLNK(status("link").st_mode));
    ::mkdir((*folder_ / "again").c_str(), 0755);
    CPPUNIT_ASSERT_EQUAL(first.diff_id, copyFolder(call, from, *folder_ / "again", UnpackRules{}, {}).diff_id);
    writeFile(from + "/sub/file", "y\n");
    ::mkdir((*folder_ / "changed").c_str(), 0755);
    CPPUNIT_ASSERT(first.diff_id != copyFolder(call, from, *folder_ / "changed", UnpackRules{}, {}).diff_id);
  }

  void tellsASavedImageFromARootFileSystem() {
    SimpleCall call;
    writeTar(*folder_ / "tar", {{Type::folder, "./", "", 0755, 0, 0, {}}, {Type::folder, "./etc", "", 0755, 0, 0, {}}});
    CPPUNIT_ASSERT(!holdsImage(call, *folder_ / "tar"));
    writeTar(*folder_ / "tar",
             {{Type::folder, "blobs/", "", 0755, 0, 0, {}}, {Type::file, "oci-layout", "{}", 0644, 0, 0, {}}});
    CPPUNIT_ASSERT(holdsImage(call, *folder_ / "tar"));
  }

 private:
  std::string out(const std::string& path) const { return *folder_ / "out/" + path; }
  struct stat status(const std::string& path) const {
    struct stat status {};
    CPPUNIT_ASSERT_MESSAGE(path, ::lstat(out(path).c_str(), &status) == 0);
    return status;
  }
  Unpacked unpack(const std::vector<TarEntry>& entries, const UnpackRules& rules = {},
                  Compression compression = Compression::none) {
    writeTar(*folder_ / "tar", entries, compression);
    SimpleCall call;
    return unpackArchive(call, *folder_ / "tar", *folder_ / "out", rules, {});
  }
  // "yes" when unpacking is refused as invalid with these words in the reason.
  std::string refusal(const UnpackRules& rules, const std::string& words) {
    removeTree(*folder_ / "out");
    ::mkdir((*folder_ / "out").c_str(), 0755);
    SimpleCall call;
    try {
      unpackArchive(call, *folder_ / "tar", *folder_ / "out", rules, {});
      return "not refused";
    } catch (const Error& e) {
      const bool fits = e.status() == Status::invalid && std::string(e.what()).find(words) != std::string::npos;
      return fits ? "yes" : e.what();
    }
  }
  void refused(const std::vector<TarEntry>& entries, const std::string& words, const UnpackRules& rules = {}) {
    writeTar(*folder_ / "tar", entries);
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), refusal(rules, words));
  }

  std::unique_ptr<Folder> folder_;
};

}  // namespace ocelot::oci::test

CPPUNIT_TEST_SUITE_REGISTRATION(ocelot::oci::test::LayerTest);
