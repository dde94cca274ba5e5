// The main of every test program: runs all its tests, or those whose name contains an argument; the last line is
// "N passed, N failed, N skipped". Exit status 1 when one failed, 3 when none ran.

#include <cppunit/CompilerOutputter.h>
#include <cppunit/Exception.h>
#include <cppunit/Test.h>
#include <cppunit/TestFailure.h>
#include <cppunit/TestListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "tests/support/skip.hpp"

namespace {

const char* const kSkipMark = "ocelot-test-skipped: ";

// Counts, and prints each test that did not pass as it ends.
class Report : public CppUnit::TestListener {
 public:
  void startTest(CppUnit::Test*) override {
    failed_now_ = skipped_now_ = false;
    began_ = Clock::now();
  }
  void addFailure(const CppUnit::TestFailure& failure) override {
    const std::string what = failure.thrownException() ? failure.thrownException()->what() : "";
    const auto mark = what.find(kSkipMark);
    if (mark != std::string::npos) {
      skipped_now_ = true;
      std::cout << "SKIP " << failure.failedTestName() << ": " << what.substr(mark + std::string(kSkipMark).size());
      if (what.back() != '\n') std::cout << '\n';
      return;
    }
    failed_now_ = true;
    std::cout << "FAIL " << failure.failedTestName() << " ("
              << (failure.sourceLine().isValid()
                      ? failure.sourceLine().fileName() + ":" + std::to_string(failure.sourceLine().lineNumber())
                      : "no line")
              << ")\n"
              << what << std::endl;
  }
  void endTest(CppUnit::Test* test) override {
    if (failed_now_) {
      ++failed;
    } else if (skipped_now_) {
      ++skipped;
    } else {
      ++passed;
      if (std::getenv("OCELOT_TEST_VERBOSE"))
        std::cout << "ok   " << test->getName() << "  "
                  << std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count() << " ms"
                  << std::endl;
    }
  }
  int passed = 0, failed = 0, skipped = 0;

 private:
  using Clock = std::chrono::steady_clock;
  bool failed_now_ = false, skipped_now_ = false;
  Clock::time_point began_;
};

void collect(CppUnit::Test* test, const std::vector<std::string>& wanted, std::vector<CppUnit::Test*>& out) {
  if (test->getChildTestCount() == 0) {
    bool take = wanted.empty();
    for (const auto& name : wanted) take = take || test->getName().find(name) != std::string::npos;
    if (take && test->countTestCases() > 0) out.push_back(test);
  }
  for (int i = 0; i < test->getChildTestCount(); ++i) collect(test->getChildTestAt(i), wanted, out);
}

}  // namespace

void ocelot::test::skip(const std::string& why) { throw CppUnit::Exception(CppUnit::Message(kSkipMark + why)); }

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  CppUnit::Test* all = CppUnit::TestFactoryRegistry::getRegistry().makeTest();
  std::vector<CppUnit::Test*> tests;
  collect(all, wanted, tests);
  CppUnit::TestResult result;
  Report report;
  result.addListener(&report);
  for (CppUnit::Test* test : tests) test->run(&result);
  std::cout << report.passed << " passed, " << report.failed << " failed, " << report.skipped << " skipped"
            << std::endl;
  delete all;
  if (report.failed > 0) return 1;
  return tests.empty() ? 3 : 0;
}
