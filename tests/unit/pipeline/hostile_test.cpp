// Files made to cost: each is judged within 100 ms, whatever it holds. The most costly ones, a quarter of a mebibyte of
// brackets, take 80 ms, nearly all of it in yaml-cpp's scanner.

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <ctime>
#include <functional>

#include "host/pipeline/pipeline.hpp"

namespace {

using namespace ocelot;

// Twice as much is allowed as is meant, because a processor that is shared with other work counts more time for the
// same. Sanitizers and a build without optimisation slow everything down, and it is not them that serve hooks.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kAllowedMs = 2000;
#elif !defined(__OPTIMIZE__)
constexpr double kAllowedMs = 400;
#else
constexpr double kAllowedMs = 200;
#endif

double processorMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string counted(int times, const std::function<std::string(int)>& make) {
  std::string out;
  for (int i = 0; i < times; ++i) out += make(i);
  return out;
}

// The first problem's line. The best of three runs counts: in the others the processor was shared.
std::string judge(const std::string& bytes) {
  double best = 1e9;
  pipeline::ReadResult result;
  for (int i = 0; i < 3 && best > kAllowedMs; ++i) {
    const double before = processorMs();
    result = pipeline::read(bytes, "ocelot.yml");
    best = std::min(best, processorMs() - before);
  }
  CPPUNIT_ASSERT_MESSAGE("took " + std::to_string(best) + " ms", best <= kAllowedMs);
  CPPUNIT_ASSERT(!result.problems.empty());
  CPPUNIT_ASSERT(!result.pipeline);
  CPPUNIT_ASSERT(result.problems.size() <= 100);
  return pipeline::toString(result.problems.front(), "ocelot.yml");
}

void refuses(const std::string& part_of_line, const std::string& bytes) {
  const std::string line = judge(bytes);
  CPPUNIT_ASSERT_MESSAGE(line, line.find(part_of_line) != std::string::npos);
}

class HostileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HostileTest);
  CPPUNIT_TEST(an_alias_bomb);
  CPPUNIT_TEST(an_alias_bomb_of_text);
  CPPUNIT_TEST(an_alias_bomb_of_merges);
  CPPUNIT_TEST(a_hundred_and_one_aliases);
  CPPUNIT_TEST(an_anchor_that_contains_itself);
  CPPUNIT_TEST(deep_nesting);
  CPPUNIT_TEST(large_files);
  CPPUNIT_TEST(many_values);
  CPPUNIT_TEST(long_texts);
  CPPUNIT_TEST(one_character_again_and_again);
  CPPUNIT_TEST(patterns_that_are_costly_to_compile);
  CPPUNIT_TEST(many_problems);
  CPPUNIT_TEST_SUITE_END();

  void an_alias_bomb() {
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i <= 9; ++i) {
      const std::string n = std::to_string(i), alias = "*a" + std::to_string(i - 1);
      bomb += "a" + n + ": &a" + n + " [" + alias + repeated("," + alias, 8) + "]\n";
    }
    refuses("aliases expand to more than 50000 values", bomb);
  }
  void an_alias_bomb_of_text() {
    refuses("aliases expand to more than 1048576 bytes",
            "a: &a " + std::string(60000, 'x') + "\nb: [*a" + repeated(", *a", 50) + "]\n");
  }
  void an_alias_bomb_of_merges() {
    const std::string base =
        "x-a: &a {" + counted(4000, [](int i) { return "k" + std::to_string(i) + ": 1,"; }) + "}\n";
    refuses("aliases expand to more than 50000 values", base + "env: {<<: [*a" + repeated(", *a", 98) + "]}\n");
  }
  void a_hundred_and_one_aliases() {
    refuses("more than 100 aliases", "a: &a x\nb: [*a" + repeated(", *a", 100) + "]\n");
  }
  void an_anchor_that_contains_itself() {
    refuses("1:8: an alias inside the value that it stands for", "a: &a [*a]");
    refuses("1:9: an alias inside the value that it stands for", "&a [x, [*a, *a]]");
  }

  void deep_nesting() {
    refuses("more than 50 levels", "a: " + std::string(60, '[') + std::string(60, ']'));
    refuses("more than 50 levels", repeated("- ", 100000));
    refuses("more than 50 levels",
            counted(600, [](int i) { return std::string(static_cast<std::size_t>(i), ' ') + "a:\n"; }));
    judge(std::string(250000, '['));
    judge(std::string(250000, '{'));
    judge(repeated("{a: ", 60000));
    judge(repeated("? ", 120000));
  }

  void large_files() {
    refuses("the file has 307200 bytes; at most 262144", std::string(300 << 10, '#'));
    refuses("at most 262144", counted(1000000, [](int i) { return "k" + std::to_string(i) + ": v\n"; }));
    refuses("at most 262144", "a: '" + std::string(20 << 20, 'x') + "'");
  }

  void many_values() {
    refuses("more than 10000 values", counted(20000, [](int i) { return "k" + std::to_string(i) + ": v\n"; }));
    refuses("more than 10000 values", "a: [" + repeated("x,", 120000) + "]");
    refuses("more than 10000 values",
            "a: [" + counted(20000, [](int i) { return "&a" + std::to_string(i) + " x,"; }) + "]");
    // In one line of characters of several bytes, whose columns are counted.
    refuses("more than 10000 values", "a: [" + repeated("äöü, ", 30000) + "]");
    refuses("unknown key", counted(4900, [](int i) { return "k" + std::to_string(i / 2) + ": v\n"; }));
  }

  void long_texts() {
    refuses("a text of 250000 bytes", "a: " + std::string(250000, 'x'));
    refuses("a text of 120001 bytes", "a: b\n" + repeated("  c\n", 60000));
    refuses("a text of 160000 bytes", "a: |\n" + repeated(" x\n", 80000));
    refuses("the tag", "a: !" + std::string(250000, 'x'));
    refuses("a quote that is never closed", "a: \"" + repeated("x 'y ", 40000));
  }

  void one_character_again_and_again() {
    for (const char c : std::string("\"':,-?&*!|>%@`#~ \n[]{}")) judge(std::string(250000, c));
    judge(repeated(": ", 120000));
    judge(repeated("#\n", 120000));
    judge(repeated("%TAG ! x\n", 20000));
  }

  void patterns_that_are_costly_to_compile() {
    const std::string head = "image: a\nstages:\n";
    refuses("pattern", head + counted(180, [](int i) {
                         const std::string n = std::to_string(i);
                         return "- {name: a" + n + ", script: b, trigger: {branches: ['[^a]{999}" + n +
                                "', '(.{99}){9}" + n + "', '((x{1,99}y?){1,9})" + n + "']}}\n";
                       }));
    refuses("the branch patterns of the file are too many or too large",
            head + counted(400, [](int i) {
              return "- {name: a" + std::to_string(i) + ", script: b, triggers: ['\\branch x{100}" +
                     counted(40, [](int j) { return "||.{" + std::to_string(j + 50) + "}"; }) + "']}\n";
            }));
    refuses("Unicode classes",
            head + "- {name: a, script: b, trigger: {branches: ['" + repeated("\\pL", 170) + "']}}\n");
  }

  void many_problems() {
    const auto result = pipeline::read("image: a\nstages: [" + repeated("{a: b},", 400) + "]", "ocelot.yml");
    CPPUNIT_ASSERT_EQUAL(std::size_t{100}, result.problems.size());
    CPPUNIT_ASSERT_EQUAL(std::string("and 1101 more problems"), result.problems.back().message);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HostileTest);

}  // namespace
