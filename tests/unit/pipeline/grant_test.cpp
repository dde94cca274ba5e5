#include "host/pipeline/grant.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace ocelot;
using namespace ocelot::pipeline;

constexpr std::int64_t kHour = 3600000;

class GrantTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GrantTest);
  CPPUNIT_TEST(what_a_file_does_not_name_is_the_workers);
  CPPUNIT_TEST(what_it_names_is_given_up_to_the_limit);
  CPPUNIT_TEST(more_than_there_is_names_key_asked_and_limit);
  CPPUNIT_TEST(a_worker_without_limits_gives_anything);
  CPPUNIT_TEST(a_longer_timeout_is_cut_and_told);
  CPPUNIT_TEST(the_workers_own_timeout_is_bounded_in_silence);
  CPPUNIT_TEST(the_network_is_the_workers_unless_it_is_none);
  CPPUNIT_TEST_SUITE_END();

  Pipeline pipeline_;
  Ceiling ceiling_;

 public:
  void setUp() override {
    pipeline_ = Pipeline{};
    ceiling_ = Ceiling{};
    ceiling_.resources.memory_bytes = 4ull << 30;
    ceiling_.resources.cpu_millis = 2500;
    ceiling_.resources.pids = 4096;
    ceiling_.timeout_ms = kHour;
    ceiling_.max_timeout_ms = 24 * kHour;
  }

  void what_a_file_does_not_name_is_the_workers() {
    const Grant got = grant(pipeline_, ceiling_);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{4} << 30, got.resources.memory_bytes);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{2500}, got.resources.cpu_millis);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{4096}, got.resources.pids);
    CPPUNIT_ASSERT_EQUAL(kHour, got.timeout_ms);
    CPPUNIT_ASSERT_EQUAL(std::string("bridge"), got.network);
    CPPUNIT_ASSERT_EQUAL(std::string(), got.refusal + got.note);
  }

  void what_it_names_is_given_up_to_the_limit() {
    pipeline_.resources.memory_bytes = 4ull << 30;
    pipeline_.resources.cpu_millis = 10;
    pipeline_.resources.pids = 4096;
    pipeline_.timeout_ms = 24 * kHour;
    const Grant got = grant(pipeline_, ceiling_);
    CPPUNIT_ASSERT_EQUAL(std::string(), got.refusal + got.note);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{10}, got.resources.cpu_millis);
    CPPUNIT_ASSERT_EQUAL(24 * kHour, got.timeout_ms);
  }

  void more_than_there_is_names_key_asked_and_limit() {
    pipeline_.resources.memory_bytes = (4ull << 30) + (512u << 20);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.yml asks for more than this worker gives: resources.memory 4608MiB, and "
                                     "worker.memory_limit is 4GiB; ask for less, or have an operator raise the limit"),
                         grant(pipeline_, ceiling_).refusal);
    pipeline_.resources.cpu_millis = 16000;
    pipeline_.resources.pids = 4097;
    CPPUNIT_ASSERT_EQUAL(
        std::string("ocelot.yml asks for more than this worker gives: resources.memory 4608MiB, and "
                    "worker.memory_limit is 4GiB; resources.cpus 16, and worker.cpu_limit is 2.5; resources.pids "
                    "4097, and worker.pids_limit is 4096; ask for less, or have an operator raise the limit"),
        grant(pipeline_, ceiling_).refusal);
  }

  void a_worker_without_limits_gives_anything() {
    ceiling_.resources = Limits{};
    ceiling_.max_timeout_ms = 0;
    pipeline_.resources.memory_bytes = 1ull << 40;
    pipeline_.resources.pids = 4194304;
    pipeline_.timeout_ms = 30 * 24 * kHour;
    const Grant got = grant(pipeline_, ceiling_);
    CPPUNIT_ASSERT_EQUAL(std::string(), got.refusal + got.note);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1} << 40, got.resources.memory_bytes);
    CPPUNIT_ASSERT_EQUAL(30 * 24 * kHour, got.timeout_ms);
  }

  void a_longer_timeout_is_cut_and_told() {
    pipeline_.timeout_ms = 48 * kHour + kHour / 2;
    const Grant got = grant(pipeline_, ceiling_);
    CPPUNIT_ASSERT_EQUAL(24 * kHour, got.timeout_ms);
    CPPUNIT_ASSERT_EQUAL(std::string(), got.refusal);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.yml asks for timeout: 48h30m, and this worker gives at most 24h "
                                     "(worker.max_build_timeout): the build has until then"),
                         got.note);
  }

  void the_workers_own_timeout_is_bounded_in_silence() {
    ceiling_.max_timeout_ms = kHour / 2;
    const Grant got = grant(pipeline_, ceiling_);
    CPPUNIT_ASSERT_EQUAL(kHour / 2, got.timeout_ms);
    CPPUNIT_ASSERT_EQUAL(std::string(), got.note);
  }

  void the_network_is_the_workers_unless_it_is_none() {
    pipeline_.network = "none";
    CPPUNIT_ASSERT_EQUAL(std::string("none"), grant(pipeline_, ceiling_).network);
    pipeline_.network = "host";
    CPPUNIT_ASSERT(grant(pipeline_, ceiling_).refusal.find("network: host") != std::string::npos);
    ceiling_.network = "host";
    CPPUNIT_ASSERT_EQUAL(std::string("host"), grant(pipeline_, ceiling_).network);
    CPPUNIT_ASSERT_EQUAL(std::string(), grant(pipeline_, ceiling_).refusal);
    pipeline_.network = "bridge";
    CPPUNIT_ASSERT_EQUAL(std::string("host"), grant(pipeline_, ceiling_).network);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GrantTest);

}  // namespace
