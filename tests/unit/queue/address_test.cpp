// Addresses as the configuration and nsqlookupd name them.

#include <cppunit/extensions/HelperMacros.h>

#include "host/queue/nsq/lookup.hpp"
#include "host/queue/nsq/settings.hpp"

using namespace ocelot::queue;

namespace {

class AddressTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AddressTest);
  CPPUNIT_TEST(an_address_has_a_host_and_mostly_a_port);
  CPPUNIT_TEST(what_is_no_address_is_refused);
  CPPUNIT_TEST(producers_are_read);
  CPPUNIT_TEST(producers_that_cannot_be_are_passed_over);
  CPPUNIT_TEST(what_is_no_answer_of_nsqlookupd_is_refused);
  CPPUNIT_TEST(ten_thousand_producers_are_sixty_four);
  CPPUNIT_TEST_SUITE_END();

  void an_address_has_a_host_and_mostly_a_port() {
    for (const auto& [text, whole] : std::vector<std::pair<std::string, std::string>>{{"nsq1:4155", "nsq1:4155"},
                                                                                      {"nsq1", "nsq1:4150"},
                                                                                      {"127.0.0.1:1", "127.0.0.1:1"},
                                                                                      {"[::1]:4155", "[::1]:4155"},
                                                                                      {"[fe80::1]", "[fe80::1]:4150"},
                                                                                      {"::1", "[::1]:4150"}})
      CPPUNIT_ASSERT_EQUAL(whole, parseNsqAddress(text, 4150).text());
  }

  void what_is_no_address_is_refused() {
    for (const std::string& text :
         {std::string(""), std::string(":4150"), std::string("nsq1:"), std::string("nsq1:0"), std::string("nsq1:65536"),
          std::string("nsq1:x"), std::string("nsq1:-1"), std::string("http://nsq1"), std::string("[::1"),
          std::string("[::1]4150"), std::string("a b:1"), std::string("a\nb:1"), std::string("u@h:1"),
          std::string(300, 'a')})
      CPPUNIT_ASSERT_THROW_MESSAGE(text, parseNsqAddress(text, 4150), std::invalid_argument);
  }

  void producers_are_read() {
    const auto all = nsq::parseProducers(
        R"({"channels":["worker"],"producers":[{"broadcast_address":"nsq1","hostname":"x","tcp_port":4150},)"
        R"({"broadcast_address":"10.0.0.2","tcp_port":4155,"http_port":1}]})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, all.size());
    CPPUNIT_ASSERT(all.count({"nsq1", 4150}) == 1 && all.count({"10.0.0.2", 4155}) == 1);
    CPPUNIT_ASSERT(nsq::parseProducers(R"({"producers":[]})").empty());
  }

  void producers_that_cannot_be_are_passed_over() {
    const auto all = nsq::parseProducers(
        R"({"producers":[{"broadcast_address":"","tcp_port":1},{"broadcast_address":"a b","tcp_port":1},)"
        R"({"broadcast_address":"a","tcp_port":0},{"broadcast_address":"a","tcp_port":70000},{"tcp_port":1},{},7,null,)"
        R"({"broadcast_address":"good","tcp_port":1}]})");
    CPPUNIT_ASSERT(all == (std::set<NsqAddress>{{"good", 1}}));
  }

  void what_is_no_answer_of_nsqlookupd_is_refused() {
    for (const std::string& text :
         {std::string(""), std::string("[]"), std::string("{}"), std::string("<html>"), std::string("null"),
          std::string(R"({"producers":{}})"), std::string(R"({"status_code":200,"data":{"producers":[]}})"),
          R"({"producers":)" + std::string(100000, '[')})
      CPPUNIT_ASSERT_THROW_MESSAGE(text.substr(0, 40), nsq::parseProducers(text), std::invalid_argument);
  }

  void ten_thousand_producers_are_sixty_four() {
    std::string text = R"({"producers":[)";
    for (int i = 0; i < 10000; ++i)
      text += (i ? "," : "") + (R"({"broadcast_address":"n)" + std::to_string(i)) + R"(","tcp_port":1})";
    CPPUNIT_ASSERT_EQUAL(std::size_t{64}, nsq::parseProducers(text + "]}").size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AddressTest);

}  // namespace
