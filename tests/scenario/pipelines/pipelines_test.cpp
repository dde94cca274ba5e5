// Each NN_name.yml of this folder is one repository's ocelot.yml, and NN_name.expect.json says how its build must end:
//
//   {"branch": "main", "files": {"path": "content"}, "secrets": {"NAME": "value"}, "settings": ["worker.key=value"],
//    "state": "failed", "reason": "stage_failed", "sentence": ["part", …],
//    "stages": [{"name": "a", "state": "failed", "exit_code": 3, "line": 4, "sentence": "part"}, …],
//    "log": ["part", …], "not_in_log": ["part", …]}
//
// What is not named is not looked at; the order of "log" is the order in the log.

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;
namespace fs = std::filesystem;

Installation& installation() {
  static Installation one;
  return one;
}

std::vector<std::string> texts(const Array::Ptr& array) {
  std::vector<std::string> out;
  if (array)
    for (const auto& item : *array) out.push_back(item.convert<std::string>());
  return out;
}

void mustHold(const std::string& text, const std::string& part, const std::string& where, const BuildRun& run) {
  CPPUNIT_ASSERT_MESSAGE(where + " should have \"" + part + "\", and is:\n" + text + "\n" + run.text(),
                         text.find(part) != std::string::npos);
}

void compare(const Object::Ptr& expected, const BuildRun& run) {
  const auto same = [&](const char* key, const std::string& seen) {
    if (!expected->has(key)) return;
    CPPUNIT_ASSERT_EQUAL_MESSAGE(key + ("\n" + run.text() + "\n" + run.log), expected->getValue<std::string>(key),
                                 seen);
  };
  same("state", run.state);
  same("reason", run.reason);
  for (const auto& part : texts(expected->getArray("sentence"))) mustHold(run.sentence, part, "the sentence", run);
  if (const auto stages = expected->getArray("stages")) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), stages->size(), run.stages.size());
    for (unsigned i = 0; i < stages->size(); ++i) {
      const auto stage = stages->getObject(i);
      const auto& seen = run.stages[i];
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), stage->getValue<std::string>("name"), seen.name);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + "\n" + run.log, stage->getValue<std::string>("state"), seen.state);
      if (stage->has("exit_code"))
        CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), stage->getValue<int>("exit_code"), seen.exit_code);
      if (stage->has("line")) CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), stage->getValue<int>("line"), seen.line);
      if (stage->has("sentence"))
        mustHold(seen.sentence, stage->getValue<std::string>("sentence"), "stage " + seen.name, run);
    }
  }
  std::size_t from = 0;
  for (const auto& part : texts(expected->getArray("log"))) {
    const std::size_t at = run.log.find(part, from);
    CPPUNIT_ASSERT_MESSAGE("the log should have \"" + part + "\" (in this order), and is:\n" + run.log,
                           at != std::string::npos);
    from = at + part.size();
  }
  for (const auto& part : texts(expected->getArray("not_in_log")))
    CPPUNIT_ASSERT_MESSAGE("the log should not have \"" + part + "\":\n" + run.log,
                           run.log.find(part) == std::string::npos);
  if (run.state != "rejected") {
    CPPUNIT_ASSERT_EQUAL(run.log_bytes, static_cast<std::int64_t>(run.log.size()));
    CPPUNIT_ASSERT_EQUAL(run.log_sha256, sha256Hex(run.log));
  }
}

class PipelineTest : public CppUnit::TestCase {
 public:
  explicit PipelineTest(const fs::path& yml) : TestCase(yml.stem().string()), yml_(yml) {}

  void runTest() override {
    const auto expected =
        Poco::JSON::Parser().parse(readFile(yml_.parent_path() / (getName() + ".expect.json"))).extract<Object::Ptr>();
    std::map<std::string, std::string> files;
    if (const auto given = expected->getObject("files"))
      for (const auto& name : given->getNames()) files[name] = given->getValue<std::string>(name);
    Installation& here = installation();
    const TestRepo repo = here.makeRepo(getName(), readFile(yml_), files);
    if (const auto secrets = expected->getObject("secrets"))
      for (const auto& name : secrets->getNames()) here.setSecret(repo, name, secrets->getValue<std::string>(name));
    const std::string branch = expected->optValue<std::string>("branch", "main");
    if (branch != "main") repo.git.git("branch -q " + branch);
    compare(expected, here.runBuild(repo, branch));
    here.awaitClean();
  }

 private:
  fs::path yml_;
};

class Pipelines : public CppUnit::TestFactory {
 public:
  CppUnit::Test* makeTest() override {
    auto* suite = new CppUnit::TestSuite("pipelines");
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(OCELOT_SCENARIOS))
      if (entry.path().extension() == ".yml") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) suite->addTest(new PipelineTest(file));
    return suite;
  }
};

const bool registered = [] {
  CppUnit::TestFactoryRegistry::getRegistry().registerFactory(new Pipelines);
  return true;
}();

}  // namespace
}  // namespace ocelot::test
