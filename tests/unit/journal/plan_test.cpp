// The plan: what was written is read as it was; cut, flipped or made up, it is refused with a sentence and never
// crashes.

#include "host/journal/plan.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <functional>
#include <random>

namespace {

using namespace ocelot::journal;

Plan sample() {
  Plan plan;
  plan.build_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  plan.attempt = 2;
  plan.user = "app:staff";
  plan.env = {{"PATH", "/bin"}, {"EMPTY", ""}, {"UMLAUT", "\xc3\xa4\n"}};
  plan.timeout_ms = 3600000;
  plan.stages.resize(2);
  plan.stages[0].name = "build";
  plan.stages[0].script = "make\n";
  plan.stages[0].env = {{"CFLAGS", "-O2"}};
  plan.stages[0].secrets = {"NPM_TOKEN"};
  plan.stages[1].name = "test";
  plan.stages[1].user = "1000";
  plan.stages[1].timeout_ms = 60000;
  plan.stages[1].skip = true;
  plan.stages[1].skip_reason = "branch is not main";
  plan.stages[1].always = true;
  return plan;
}

std::string refusal(const std::function<void()>& what) {
  try {
    what();
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string refusalOf(const std::function<void(Plan&)>& change) {
  Plan plan = sample();
  change(plan);
  return refusal([&] { encode(plan); });
}

void assertHolds(const std::string& text, const std::string& part) {
  CPPUNIT_ASSERT_MESSAGE("\"" + text + "\" holds \"" + part + "\"", text.find(part) != std::string::npos);
}

class PlanTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PlanTest);
  CPPUNIT_TEST(readsWhatWasWritten);
  CPPUNIT_TEST(refusesEveryTruncation);
  CPPUNIT_TEST(refusesBytesBehindItsEnd);
  CPPUNIT_TEST(survivesEveryFlippedBit);
  CPPUNIT_TEST(survivesNoise);
  CPPUNIT_TEST(refusesAnotherVersion);
  CPPUNIT_TEST(doesNotBelieveCounts);
  CPPUNIT_TEST(saysWhatIsWrongAndWhere);
  CPPUNIT_TEST_SUITE_END();

 public:
  void readsWhatWasWritten() {
    const Plan plan = sample();
    const std::string bytes = encode(plan);
    const Plan read = decodePlan(bytes);
    CPPUNIT_ASSERT(encode(read) == bytes);
    CPPUNIT_ASSERT_EQUAL(plan.build_id, read.build_id);
    CPPUNIT_ASSERT_EQUAL(plan.attempt, read.attempt);
    CPPUNIT_ASSERT(plan.env == read.env);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, read.stages.size());
    CPPUNIT_ASSERT(read.stages[0].env == plan.stages[0].env && read.stages[0].secrets == plan.stages[0].secrets);
    CPPUNIT_ASSERT(!read.stages[0].skip && !read.stages[0].always);
    CPPUNIT_ASSERT(read.stages[1].skip && read.stages[1].always);
    CPPUNIT_ASSERT_EQUAL(plan.stages[1].skip_reason, read.stages[1].skip_reason);
    CPPUNIT_ASSERT_EQUAL(plan.stages[1].timeout_ms, read.stages[1].timeout_ms);
  }

  void refusesEveryTruncation() {
    const std::string whole = encode(sample());
    for (std::size_t size = 0; size < whole.size(); ++size)
      CPPUNIT_ASSERT(!refusal([&] { decodePlan(std::string_view(whole).substr(0, size)); }).empty());
  }

  void refusesBytesBehindItsEnd() {
    assertHolds(refusal([] { decodePlan(encode(sample()) + "x"); }), "1 bytes too many");
  }

  void survivesEveryFlippedBit() {
    const std::string whole = encode(sample());
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      refusal([&] { decodePlan(flipped); });
    }
  }

  void survivesNoise() {
    const std::string whole = encode(sample());
    std::mt19937 random(4711);
    for (int round = 0; round < 20000; ++round) {
      std::string noise = whole.substr(0, 16 + random() % (whole.size() - 16));
      for (int change = 0; change < 4; ++change)
        noise[16 + random() % (noise.size() - 15) - 1] = static_cast<char>(random());
      refusal([&] { decodePlan(noise); });
    }
  }

  void refusesAnotherVersion() {
    std::string bytes = encode(sample());
    bytes[12] = 9;
    assertHolds(refusal([&] { decodePlan(bytes); }), "version 9; this guest reads version 1");
    assertHolds(refusal([] { decodePlan("#!/bin/sh\nhello, world"); }), "does not begin as a plan does");
  }

  void doesNotBelieveCounts() {
    Plan plan = sample();
    plan.stages.clear();
    std::string bytes = encode(plan);
    bytes.replace(bytes.size() - 4, 4, "\xe8\x03\0\0", 4);  // 1,000 stages that are not there
    assertHolds(refusal([&] { decodePlan(bytes); }), "a count of 1000");
  }

  void saysWhatIsWrongAndWhere() {
    assertHolds(refusalOf([](Plan& p) { p.build_id.clear(); }), "plan: build id: is empty");
    assertHolds(refusalOf([](Plan& p) { p.shell = "sh"; }), "plan: shell: \"sh\" is not an absolute path");
    assertHolds(refusalOf([](Plan& p) { p.working_dir = ""; }), "plan: working directory");
    assertHolds(refusalOf([](Plan& p) { p.timeout_ms = -1; }), "plan: timeout: -1 ms");
    assertHolds(refusalOf([](Plan& p) { p.env.push_back({"A=B", ""}); }), "plan: env A=B: a name with '='");
    assertHolds(refusalOf([](Plan& p) { p.env.push_back({"", ""}); }), "a variable without a name");
    assertHolds(refusalOf([](Plan& p) {
                  p.stages[1].env.push_back({"X", std::string(1, '\0')});
                }),
                "plan: stage 2: env X: holds a NUL byte");
    assertHolds(refusalOf([](Plan& p) {
                  p.stages[0].env.push_back({"X", std::string(131071, 'x')});
                }),
                "plan: stage 1: env X: no program can be given a variable of more than 128 KiB");
    assertHolds(refusalOf([](Plan& p) { p.stages[0].script += '\0'; }), "plan: stage 1: script: holds a NUL byte");
    assertHolds(refusalOf([](Plan& p) { p.stages[0].script.assign(5u << 20, 'x'); }), "plan: stage 1: script");
    assertHolds(refusalOf([](Plan& p) { p.stages[0].secrets = {"A B"}; }), "plan: stage 1: secrets");
    assertHolds(refusalOf([](Plan& p) { p.stages.resize(1001); }), "1001 stages; at most 1000");
    assertHolds(refusalOf([](Plan& p) { p.env.resize(10001, {"A", ""}); }), "10002 environment entries");
    assertHolds(refusalOf([](Plan& p) {
                  p.stages[0].script.assign(3u << 20, 'x');
                  p.stages[1].script.assign(3u << 20, 'x');
                }),
                "at most 4 MiB");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PlanTest);

}  // namespace
