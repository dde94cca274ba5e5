#include "host/process/process.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace ocelot;

class ProcessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProcessTest);
  CPPUNIT_TEST(tellsOutputErrorAndExitCode);
  CPPUNIT_TEST(givesInputLargerThanAPipe);
  CPPUNIT_TEST(theEnvironmentIsExactlyWhatWasGiven);
  CPPUNIT_TEST(tellsTheSignal);
  CPPUNIT_TEST(aMissingProgramIsNotFound);
  CPPUNIT_TEST(aMissingFolderIsNotFound);
  CPPUNIT_TEST(pastTheDeadlineTheWholeGroupDies);
  CPPUNIT_TEST(aGrandchildThatKeepsThePipeDelaysNothing);
  CPPUNIT_TEST(outputBeyondTheBoundIsDroppedAndTold);
  CPPUNIT_TEST(theChildHasNoDescriptorsAndNoBlockedSignals);
  CPPUNIT_TEST(eightThreadsRunSideBySide);
  CPPUNIT_TEST_SUITE_END();

  static process::Command shell(const std::string& script) {
    process::Command command;
    command.program = "/bin/sh";
    command.arguments = {"-c", script};
    command.environment = process::plainEnvironment();
    return command;
  }

 public:
  void tellsOutputErrorAndExitCode() {
    SimpleCall call;
    const auto result = process::run(call, shell("echo out; echo err >&2; exit 7"));
    CPPUNIT_ASSERT_EQUAL(std::string("out\n"), result.out);
    CPPUNIT_ASSERT_EQUAL(std::string("err\n"), result.err);
    CPPUNIT_ASSERT_EQUAL(7, result.exit_code);
  }
  void givesInputLargerThanAPipe() {
    SimpleCall call;
    auto command = shell("cat");
    command.input = std::string(3u << 20, 'x');
    CPPUNIT_ASSERT(process::run(call, command).out == command.input);
  }
  void theEnvironmentIsExactlyWhatWasGiven() {
    SimpleCall call;
    process::Command command;
    command.program = "/usr/bin/env";
    command.environment = {{"ONLY", "this"}};
    CPPUNIT_ASSERT_EQUAL(std::string("ONLY=this\n"), process::run(call, command).out);
  }
  void tellsTheSignal() {
    SimpleCall call;
    const auto result = process::run(call, shell("kill -9 $$"));
    CPPUNIT_ASSERT_EQUAL(9, result.signal);
    CPPUNIT_ASSERT_EQUAL(-1, result.exit_code);
  }
  void aMissingProgramIsNotFound() {
    SimpleCall call;
    process::Command command;
    command.program = "no-such-program-here";
    try {
      process::run(call, command);
      CPPUNIT_FAIL("ran");
    } catch (const Error& error) {
      CPPUNIT_ASSERT(error.status() == Status::not_found);
    }
  }
  void aMissingFolderIsNotFound() {
    SimpleCall call;
    auto command = shell("pwd");
    command.directory = "/no/such/folder";
    CPPUNIT_ASSERT_THROW(process::run(call, command), Error);
  }
  void pastTheDeadlineTheWholeGroupDies() {
    SimpleCall call(std::chrono::milliseconds(200));
    auto command = shell("trap '' TERM; (trap '' TERM; sleep 61) & sleep 62");
    command.grace = std::chrono::milliseconds(100);
    const auto begin = Call::Clock::now();
    CPPUNIT_ASSERT_THROW(process::run(call, command), Error);
    CPPUNIT_ASSERT(Call::Clock::now() - begin < std::chrono::seconds(20));
  }
  void aGrandchildThatKeepsThePipeDelaysNothing() {
    SimpleCall call;
    const auto begin = Call::Clock::now();
    const auto result = process::run(call, shell("setsid sleep 63 & echo done"));
    CPPUNIT_ASSERT_EQUAL(std::string("done\n"), result.out);
    CPPUNIT_ASSERT(Call::Clock::now() - begin < std::chrono::seconds(20));
    SimpleCall sweep;
    process::run(sweep, shell("pkill -f '^sleep 63$'"));
  }
  void outputBeyondTheBoundIsDroppedAndTold() {
    SimpleCall call;
    auto command = shell("head -c 100000 /dev/zero");
    command.max_output_bytes = 1000;
    const auto result = process::run(call, command);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, result.out.size());
    CPPUNIT_ASSERT(result.out_truncated);
  }
  void theChildHasNoDescriptorsAndNoBlockedSignals() {
    SimpleCall call;
    const int leak = ::dup(0);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, nullptr);
    process::Command list, mask;
    list.program = "/bin/ls";
    list.arguments = {"/proc/self/fd"};
    mask.program = "/bin/grep";
    mask.arguments = {"SigBlk", "/proc/self/status"};
    const auto descriptors = process::run(call, list);
    const auto blocked = process::run(call, mask);
    pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
    ::close(leak);
    CPPUNIT_ASSERT_EQUAL(std::string("0\n1\n2\n3\n"), descriptors.out);  // 3: the folder that ls itself reads
    CPPUNIT_ASSERT_EQUAL(std::string("SigBlk:\t0000000000000000\n"), blocked.out);
  }
  void eightThreadsRunSideBySide() {
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          SimpleCall call;
          if (process::run(call, shell("echo $((6*7))")).out == "42\n") ++good;
        }
      });
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(80, good.load());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ProcessTest);
