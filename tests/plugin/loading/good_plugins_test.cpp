// Plugins that are right are loaded, used through the SDK's classes, and may fail in every way without harm.

#include <cppunit/extensions/HelperMacros.h>

#include <fstream>

#include "host/plugin/catalog.hpp"
#include "tests/plugin/loading/fake_host.hpp"
#include "tests/plugin/loading/plugin_box.hpp"

namespace {

using namespace ocelot;
using plugin::Catalog;
using plugin::Kind;
using plugin::PluginLibrary;

class GoodPlugins : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GoodPlugins);
  CPPUNIT_TEST(aPluginInCWritesItsLine);
  CPPUNIT_TEST(aPluginInCppUsesWhatTheHostLends);
  CPPUNIT_TEST(whatAPluginThrowsArrivesAsAStatusAndASentence);
  CPPUNIT_TEST(aConstructorThatThrowsMakesNoObject);
  CPPUNIT_TEST(aPluginOfAnotherKindIsNotTakenForOne);
  CPPUNIT_TEST(twoFilesAreTwoPluginsAndTheSameFileIsOne);
  CPPUNIT_TEST(theCatalogFindsByKindAndName);
  CPPUNIT_TEST(theCatalogKnowsWhatWasMeant);
  CPPUNIT_TEST(aNameThatLiesAboutTheKindIsRefused);
  CPPUNIT_TEST(theChildDescribesAsTheLoaderDoes);
  CPPUNIT_TEST_SUITE_END();

  test::PluginBox box_;
  test::FakeHost host_;
  SimpleCall call_{std::chrono::seconds(60)};

  Settings settings(std::map<std::string, std::string> values) {
    Settings made("here", host_);
    for (auto& [key, value] : values) made.set(key, {value});
    return made;
  }

  template <class Action>
  static void mustThrow(Status status, const std::string& words, Action action) {
    try {
      action();
      CPPUNIT_FAIL("nothing was thrown; expected: " + words);
    } catch (const Error& error) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(status), static_cast<int>(error.status()));
      CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(words) != std::string::npos);
    }
  }

 public:
  void aPluginInCWritesItsLine() {
    const PluginLibrary library = plugin::load(box_.put("notifier-file.so", "notifier-file.so"));
    CPPUNIT_ASSERT_EQUAL(std::string("org.ocelot.example.file"), library.description().id);
    const auto notifier = plugin::makeNotifier(library, settings({{"path", box_.path("lines")}}));
    BuildNotice notice;
    notice.number = 17;
    notice.repo = "acme/shop";
    notice.state = "passed";
    notifier->tell(call_, notice, "");
    std::ifstream lines(box_.path("lines"));
    std::string line;
    std::getline(lines, line);
    CPPUNIT_ASSERT_EQUAL(std::string("build 17 of acme/shop: passed"), line);
    mustThrow(Status::invalid, "path: an absolute path", [&] { plugin::makeNotifier(library, settings({})); });
    const auto lost = plugin::makeNotifier(library, settings({{"path", "/nonexistent/lines"}}));
    mustThrow(Status::unavailable, "/nonexistent/lines: No such file", [&] { lost->tell(call_, notice, ""); });
  }

  void aPluginInCppUsesWhatTheHostLends() {
    const PluginLibrary library = plugin::load(box_.put("vcs-plainforge.so", "vcs-plainforge.so"));
    const auto forge =
        plugin::makeVcs(library, settings({{"url", "https://forge.example"}, {"secret", "eight letters"}}));
    host_.answers = {{200, {}, "main 0123\nnext 4567\n", -1}, {404, {}, "", -1}, {503, {}, "", -1}};
    const Repo repo{"acme/shop", "https://forge.example/acme/shop.git"};
    const auto heads = forge->heads(call_, repo);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, heads.size());
    CPPUNIT_ASSERT_EQUAL(std::string("next"), heads[1].branch);
    CPPUNIT_ASSERT_EQUAL(std::string("https://forge.example/repos/acme/shop/branches"), host_.requests[0].url);
    mustThrow(Status::not_found, "404", [&] { forge->resolve(call_, repo, "gone"); });
    mustThrow(Status::unavailable, "503", [&] { forge->resolve(call_, repo, "main"); });
    mustThrow(Status::unavailable, "nobody there", [&] { forge->resolve(call_, repo, "main"); });

    Hook hook;
    hook.body = "acme/shop main 0123";
    mustThrow(Status::unauthenticated, "signature", [&] { forge->verifyHook(call_, hook); });
    std::string signature;
    for (int i = 0; i < 31; ++i) signature += "0d";  // the fake's digest: the key's length, then the body's
    hook.headers = {{"x-plainforge-signature", signature + "13"}};
    forge->verifyHook(call_, hook);
    host_.answers = {{200, {}, "https://forge.example/acme/shop.git\n", -1}};
    const auto changes = forge->parseHook(call_, hook);
    CPPUNIT_ASSERT_EQUAL(std::string("https://forge.example/acme/shop.git"), changes.at(0).repo.url);
    CPPUNIT_ASSERT(!changes[0].files_complete);
    hook.body = "acme/shop - 0123";
    mustThrow(Status::ignored, "branch was removed", [&] { forge->parseHook(call_, hook); });
  }

  void whatAPluginThrowsArrivesAsAStatusAndASentence() {
    const PluginLibrary library = plugin::load(box_.put("vcs-throwing.so", "vcs-throwing.so"));
    const auto vcs = plugin::makeVcs(library, settings({}));
    const Repo repo{"a/b", "u"};
    for (int twice = 0; twice < 2; ++twice) {
      mustThrow(Status::unauthenticated, "no signature", [&] { vcs->verifyHook(call_, {}); });
      mustThrow(Status::internal, "parse_hook: parser at its wits' end", [&] { vcs->parseHook(call_, {}); });
      mustThrow(Status::internal, "identify: something that is no std::exception", [&] { vcs->identify(call_, "x"); });
      mustThrow(Status::internal, "heads: something", [&] { vcs->heads(call_, repo); });
      mustThrow(Status::internal, "resolve: std::bad_alloc", [&] { vcs->resolve(call_, repo, "x"); });
      mustThrow(Status::internal, "read_file: basic_string::substr", [&] {
        vcs->readFile(call_, {repo, "1"}, "x", 1);
      });
      mustThrow(Status::internal, "says it is none", [&] { vcs->changes(call_, {repo, "1"}, ""); });
      mustThrow(Status::internal, "xxxxx", [&] { vcs->clone(call_, repo); });
    }
  }

  void aConstructorThatThrowsMakesNoObject() {
    const PluginLibrary library = plugin::load(box_.put("vcs-throwing.so", "vcs-throwing.so"));
    mustThrow(Status::invalid, "refuse: the settings will not do", [&] {
      plugin::makeVcs(library, settings({{"refuse", "error"}}));
    });
    mustThrow(Status::internal, "create: something", [&] { plugin::makeVcs(library, settings({{"refuse", "int"}})); });
  }

  void aPluginOfAnotherKindIsNotTakenForOne() {
    const PluginLibrary library = plugin::load(box_.put("notifier-file.so", "notifier-file.so"));
    mustThrow(Status::unsupported, "is no runtime plugin: it offers no ocelot.runtime/1",
              [&] { plugin::makeRuntime(library, settings({})); });
    mustThrow(Status::unsupported, "is no vcs plugin", [&] { plugin::makeVcs(library, settings({})); });
  }

  void twoFilesAreTwoPluginsAndTheSameFileIsOne() {
    const PluginLibrary file = plugin::load(box_.put("notifier-file.so", "a.so"));
    const PluginLibrary forge = plugin::load(box_.put("vcs-plainforge.so", "b.so"));
    const PluginLibrary again = plugin::load(box_.path("a.so"));
    CPPUNIT_ASSERT_EQUAL(std::string("org.ocelot.example.file"), file.description().id);
    CPPUNIT_ASSERT_EQUAL(std::string("org.ocelot.example.plainforge"), forge.description().id);
    CPPUNIT_ASSERT(&file.descriptor() == &again.descriptor());
  }

  void theCatalogFindsByKindAndName() {
    box_.put("notifier-file.so", "notifier-file.so");
    box_.put("vcs-plainforge.so", "vcs-plainforge.so");
    box_.write("README", "no plugin");
    box_.write("teapot-short.so", "no kind");
    box_.write("vcs-.so", "no name");
    Catalog catalog({"/nonexistent", box_.path()}, OCELOT_PLUGIN_CHECK);
    const auto all = catalog.list();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, all.size());
    CPPUNIT_ASSERT_EQUAL(std::string("plainforge"), all[0].name);
    CPPUNIT_ASSERT(all[1].kind == Kind::notifier);
    CPPUNIT_ASSERT_EQUAL(box_.path("notifier-file.so"), catalog.find(Kind::notifier, "file"));
    CPPUNIT_ASSERT(&catalog.library(Kind::vcs, "plainforge").descriptor() ==
                   &catalog.library(Kind::vcs, "plainforge").descriptor());
    std::filesystem::create_directory_symlink(box_.path(), box_.path("by-link"));
    CPPUNIT_ASSERT_EQUAL(box_.path("notifier-file.so"), Catalog({box_.path("by-link")}).find(Kind::notifier, "file"));
  }

  void theCatalogKnowsWhatWasMeant() {
    box_.put("vcs-plainforge.so", "vcs-plainforge.so");
    Catalog catalog({box_.path()}, OCELOT_PLUGIN_CHECK);
    mustThrow(Status::not_found, "did you mean \"plainforge\"?", [&] { catalog.find(Kind::vcs, "plainfroge"); });
    mustThrow(Status::not_found, "there are: plainforge", [&] { catalog.find(Kind::vcs, "gitea"); });
    mustThrow(Status::not_found, "no runtime plugin \"oci\" (runtime-oci.so) in " + box_.path(),
              [&] { catalog.find(Kind::runtime, "oci"); });
    mustThrow(Status::not_found, "no vcs plugin", [&] { catalog.find(Kind::vcs, "../vcs-plainforge"); });
  }

  void aNameThatLiesAboutTheKindIsRefused() {
    box_.put("vcs-plainforge.so", "runtime-plainforge.so");
    Catalog catalog({box_.path()}, OCELOT_PLUGIN_CHECK);
    mustThrow(Status::invalid, "is named as a runtime plugin, and offers none",
              [&] { catalog.library(Kind::runtime, "plainforge"); });
  }

  void theChildDescribesAsTheLoaderDoes() {
    const std::string path = box_.put("vcs-plainforge.so", "vcs-plainforge.so");
    const Catalog catalog({}, OCELOT_PLUGIN_CHECK);
    const plugin::Description described = catalog.describe(call_, path);
    const plugin::Description& loaded = plugin::load(path).description();
    CPPUNIT_ASSERT_EQUAL(loaded.id, described.id);
    CPPUNIT_ASSERT(loaded.interfaces == described.interfaces);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, described.options.size());
    CPPUNIT_ASSERT_EQUAL(std::string("secret"), described.options[1].key);
    CPPUNIT_ASSERT_EQUAL(unsigned{OCELOT_REQUIRED | OCELOT_SECRET}, described.options[1].flags);
    const Catalog without({}, "/nonexistent/ocelot-plugin-check");
    mustThrow(Status::not_found, "/nonexistent/ocelot-plugin-check", [&] { without.describe(call_, path); });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GoodPlugins);

}  // namespace
