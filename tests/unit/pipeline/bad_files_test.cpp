// Every file of bad/ is refused with exactly the lines of bad/expected.txt: what a person with that mistake reads.

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "host/pipeline/pipeline.hpp"

namespace {

using namespace ocelot;
namespace fs = std::filesystem;

const fs::path kFolder = fs::path(__FILE__).parent_path() / "bad";

std::string contentOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  CPPUNIT_ASSERT_MESSAGE("cannot read " + path.string(), in.good());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::set<fs::path> badFiles() {
  std::set<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yml") out.insert(entry.path());
  }
  return out;
}

class BadFilesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BadFilesTest);
  CPPUNIT_TEST(each_is_refused_with_the_expected_lines);
  CPPUNIT_TEST(there_are_more_than_a_hundred_of_them);
  CPPUNIT_TEST_SUITE_END();

  void each_is_refused_with_the_expected_lines() {
    std::string actual;
    for (const fs::path& path : badFiles()) {
      const std::string name = path.filename().string();
      const auto result = pipeline::read(contentOf(path), name);
      CPPUNIT_ASSERT_MESSAGE(name + " was accepted", !result.pipeline);
      for (const auto& problem : result.problems) actual += pipeline::toString(problem, name) + "\n";
    }
    CPPUNIT_ASSERT_EQUAL(contentOf(kFolder / "expected.txt"), actual);
  }

  void there_are_more_than_a_hundred_of_them() { CPPUNIT_ASSERT(badFiles().size() > 100); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BadFilesTest);

}  // namespace
