// Every plugin of the zoo is refused with the sentence that its source expects.

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "host/plugin/catalog.hpp"
#include "tests/plugin/loading/plugin_box.hpp"
#include "tests/support/skip.hpp"

namespace {

namespace fs = std::filesystem;
using ocelot::Error;
using ocelot::SimpleCall;
using ocelot::plugin::Catalog;
using ocelot::test::PluginBox;

// The name of each source of a folder, and what it expects.
std::map<std::string, std::string> expectations(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".c" && entry.path().extension() != ".cpp") continue;
    std::ifstream source(entry.path());
    for (std::string line; std::getline(source, line);) {
      const std::string mark = "// expect: ";
      if (line.rfind(mark, 0) == 0) all[entry.path().stem().string()] = line.substr(mark.size());
    }
  }
  return all;
}

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(it was accepted)";
}

void mustSay(const std::string& name, const std::string& expected, const std::string& said) {
  CPPUNIT_ASSERT_MESSAGE(name + ": expected \"" + expected + "\", was told \"" + said + "\"",
                         said.find(expected) != std::string::npos);
}

class BadPlugins : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BadPlugins);
  CPPUNIT_TEST(eachIsRefusedWithItsSentence);
  CPPUNIT_TEST(eachIsRefusedWithItsSentenceByTheChildToo);
  CPPUNIT_TEST(oneThatCrashesOnLoadingHurtsOnlyTheChild);
  CPPUNIT_TEST(allFaultsAreToldAtOnce);
  CPPUNIT_TEST(aFileCutOffAnywhereIsRefusedAndKillsNobody);
  CPPUNIT_TEST(filesThatAreNoPluginsAreToldApart);
  CPPUNIT_TEST(aFileThatOthersCanWriteIsRefused);
  CPPUNIT_TEST(aFileOfAnotherUserIsRefused);
  CPPUNIT_TEST(aPathThatLeadsElsewhereIsRefused);
  CPPUNIT_TEST_SUITE_END();

  PluginBox box_;

 public:
  void eachIsRefusedWithItsSentence() {
    const auto all = expectations(OCELOT_BAD_SOURCES);
    CPPUNIT_ASSERT(all.size() >= 25);
    for (const auto& [name, expected] : all) {
      const std::string path = box_.put("bad/" + name + ".so", name + ".so");
      mustSay(name, expected, refusal([&] { ocelot::plugin::load(path); }));
    }
  }

  void eachIsRefusedWithItsSentenceByTheChildToo() {
    const Catalog catalog({}, OCELOT_PLUGIN_CHECK);
    for (const auto& [name, expected] : expectations(OCELOT_BAD_SOURCES)) {
      const std::string path = box_.put("bad/" + name + ".so", name + ".so");
      SimpleCall call{std::chrono::seconds(60)};
      mustSay(name, expected, refusal([&] { catalog.describe(call, path); }));
    }
  }

  void oneThatCrashesOnLoadingHurtsOnlyTheChild() {
    const Catalog catalog({}, OCELOT_PLUGIN_CHECK);
    const auto all = expectations(std::string(OCELOT_BAD_SOURCES) + "/crashing");
    CPPUNIT_ASSERT(all.size() >= 4);
    for (const auto& [name, expected] : all) {
      const std::string path = box_.put("crashing/" + name + ".so", name + ".so");
      SimpleCall call{std::chrono::seconds(60)};
      mustSay(name, expected, refusal([&] { catalog.describe(call, path); }));
    }
  }

  void allFaultsAreToldAtOnce() {
    const std::string path = box_.put("bad/query_says_yes.so", "a.so");
    const std::string said = refusal([&] { ocelot::plugin::load(path); });
    for (const char* kind : {"ocelot.runtime/1: required", "ocelot.vcs/1: required"}) mustSay("both", kind, said);
  }

  void aFileCutOffAnywhereIsRefusedAndKillsNobody() {
    const std::string whole = PluginBox::bytesOf("notifier-file.so");
    for (std::size_t part = 1; part < 40; ++part) {
      const std::size_t size = whole.size() * part / 40;
      const std::string path = box_.write("cut-" + std::to_string(part) + ".so", whole.substr(0, size));
      mustSay("cut off at " + std::to_string(size), "the file is cut off",
              refusal([&] { ocelot::plugin::load(path); }));
    }
    const std::string path = box_.write("cut.so", whole.substr(0, whole.size() - 1));
    mustSay("one byte short", "the file is cut off", refusal([&] { ocelot::plugin::load(path); }));
  }

  void filesThatAreNoPluginsAreToldApart() {
    const std::string whole = PluginBox::bytesOf("notifier-file.so");
    std::string narrow = whole, foreign = whole, object = whole;
    narrow[4] = 1;         // EI_CLASS: 32-bit
    foreign[18] = '\x28';  // e_machine: ARM
    foreign[19] = 0;
    object[16] = 1;  // e_type: relocatable
    const std::map<std::string, std::string> files{
        {box_.write("empty.so", ""), "the file is empty"},
        {box_.write("text.so", "#!/bin/sh\necho not a plugin at all\n"), "no ELF mark"},
        {box_.write("short.so", "\177ELF"), "no ELF mark"},
        {box_.write("narrow.so", narrow), "built for a 32-bit machine"},
        {box_.write("foreign.so", foreign), "it is built for 32-bit ARM, and this machine is"},
        {box_.write("object.so", object), "it is not a shared object (link it with -shared)"},
        {box_.path("missing.so"), "there is no " + box_.path("missing.so")}};
    for (const auto& [path, expected] : files) mustSay(path, expected, refusal([&] { ocelot::plugin::load(path); }));
    fs::copy_file(OCELOT_PLUGIN_CHECK, box_.path("program.so"));
    ::chmod(box_.path("program.so").c_str(), 0755);
    mustSay("program", "it is a program", refusal([&] { ocelot::plugin::load(box_.path("program.so")); }));
    CPPUNIT_ASSERT_EQUAL(0, ::mkfifo(box_.path("pipe.so").c_str(), 0600));
    mustSay("pipe", "it is not a regular file", refusal([&] { ocelot::plugin::load(box_.path("pipe.so")); }));
    fs::create_directory(box_.path("folder.so"));
    mustSay("folder", "it is a folder", refusal([&] { ocelot::plugin::load(box_.path("folder.so")); }));
  }

  void aFileThatOthersCanWriteIsRefused() {
    const std::string path = box_.put("notifier-file.so", "a.so");
    ::chmod(path.c_str(), 0775);
    mustSay("group", "can be written by its group; chmod go-w " + path, refusal([&] { ocelot::plugin::load(path); }));
    ::chmod(path.c_str(), 0757);
    mustSay("everyone", "can be written by everyone", refusal([&] { ocelot::plugin::load(path); }));
    ::chmod(path.c_str(), 0755);
    ::chmod(box_.path().c_str(), 0777);
    mustSay("folder", box_.path() + " can be written by everyone", refusal([&] { ocelot::plugin::load(path); }));
    ::chmod(box_.path().c_str(), 01777);
    ocelot::plugin::load(path);  // a sticky folder is fine: nobody can rename another's file in it
    ::chmod(box_.path().c_str(), 0700);
  }

  void aFileOfAnotherUserIsRefused() {
    if (::geteuid() != 0) ocelot::test::skip("only root can give a file away");
    const std::string path = box_.put("notifier-file.so", "a.so");
    CPPUNIT_ASSERT_EQUAL(0, ::chown(path.c_str(), 65533, 65533));
    mustSay("owner", "belongs to uid 65533", refusal([&] { ocelot::plugin::load(path); }));
    CPPUNIT_ASSERT_EQUAL(0, ::chown(path.c_str(), 0, 0));
    CPPUNIT_ASSERT_EQUAL(0, ::chown(box_.path().c_str(), 65533, 65533));
    mustSay("folder's owner", box_.path() + " belongs to uid 65533", refusal([&] { ocelot::plugin::load(path); }));
    CPPUNIT_ASSERT_EQUAL(0, ::chown(box_.path().c_str(), 0, 0));
  }

  void aPathThatLeadsElsewhereIsRefused() {
    const std::string path = box_.put("notifier-file.so", "a.so");
    fs::create_symlink(path, box_.path("link.so"));
    fs::create_directory_symlink(box_.path(), box_.path("folder"));
    mustSay("link", "link.so is a symbolic link", refusal([&] { ocelot::plugin::load(box_.path("link.so")); }));
    mustSay("folder", "folder is a symbolic link", refusal([&] { ocelot::plugin::load(box_.path("folder/a.so")); }));
    mustSay("relative", "the path is not absolute", refusal([&] { ocelot::plugin::load("a.so"); }));
    mustSay("dots", "through \"..\"", refusal([&] { ocelot::plugin::load(box_.path("x/../a.so")); }));
    mustSay("file as folder", "a.so is not a folder", refusal([&] { ocelot::plugin::load(path + "/b.so"); }));
    mustSay("NUL", "that is no path", refusal([&] { ocelot::plugin::load(path + std::string(1, '\0') + ".so"); }));
    mustSay("endless", "that is no path", refusal([&] { ocelot::plugin::load("/" + std::string(9000, 'a')); }));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BadPlugins);

}  // namespace
