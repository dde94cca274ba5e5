#include "host/daemon/metrics.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

using namespace ocelot::daemon;

class MetricsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MetricsTest);
  CPPUNIT_TEST(everythingIsPrintedAsPrometheusReadsIt);
  CPPUNIT_TEST(theSameNameIsTheSameThing);
  CPPUNIT_TEST(labelsFromOutsideAreBounded);
  CPPUNIT_TEST_SUITE_END();

 public:
  void everythingIsPrintedAsPrometheusReadsIt() {
    Metrics metrics;
    metrics.counter("builds_total", "Builds", {{"state", "passed"}}).add(3);
    metrics.counter("builds_total", "Builds", {{"state", "a\"b\\c\nd"}}).add();
    metrics.gauge("slots", "Slots").set(-2);
    metrics.gauge("asked", "Asked", [] { return 1.5; });
    Histogram& seconds = metrics.histogram("seconds", "Time", {}, {0.1, 1});
    seconds.observe(0.1);
    seconds.observe(0.5);
    seconds.observe(7);
    CPPUNIT_ASSERT_EQUAL(
        std::string("# HELP asked Asked\n# TYPE asked gauge\nasked 1.5\n"
                    "# HELP builds_total Builds\n# TYPE builds_total counter\n"
                    "builds_total{state=\"a\\\"b\\\\c\\nd\"} 1\nbuilds_total{state=\"passed\"} 3\n"
                    "# HELP seconds Time\n# TYPE seconds histogram\n"
                    "seconds_bucket{le=\"0.1\"} 1\nseconds_bucket{le=\"1\"} 2\nseconds_bucket{le=\"+Inf\"} 3\n"
                    "seconds_sum 7.6\nseconds_count 3\n"
                    "# HELP slots Slots\n# TYPE slots gauge\nslots -2\n"),
        metrics.print());
  }
  void theSameNameIsTheSameThing() {
    Metrics metrics;
    metrics.counter("a", "A").add();
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, metrics.counter("a", "A").value());
    CPPUNIT_ASSERT_THROW(metrics.gauge("a", "A"), std::logic_error);
  }
  void labelsFromOutsideAreBounded() {
    Metrics metrics;
    for (int i = 0; i < 5000; ++i) metrics.counter("a", "A", {{"who", std::to_string(i)}}).add();
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{4000}, metrics.counter("a", "A", {{"overflow", "true"}}).value());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, metrics.counter("a", "A", {{"who", "0"}}).value());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MetricsTest);
