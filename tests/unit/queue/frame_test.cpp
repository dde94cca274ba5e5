// The bytes of NSQ's protocol, and what a hostile or broken server could send in their place.

#include "host/queue/nsq/frame.hpp"

#include <cppunit/extensions/HelperMacros.h>

using namespace ocelot::queue::nsq;
using namespace std::string_literals;

namespace {

std::string big4(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string frame(std::uint32_t type, const std::string& data) {
  return big4(static_cast<std::uint32_t>(data.size() + 4)) + big4(type) + data;
}

class FrameTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FrameTest);
  CPPUNIT_TEST(a_frame_is_taken_once_it_is_whole);
  CPPUNIT_TEST(what_follows_a_frame_stays);
  CPPUNIT_TEST(a_size_beyond_the_bound_is_refused_before_it_is_read);
  CPPUNIT_TEST(a_size_below_the_type_is_refused);
  CPPUNIT_TEST(an_unknown_type_is_refused);
  CPPUNIT_TEST(http_in_place_of_nsq_is_refused);
  CPPUNIT_TEST(a_message_is_read);
  CPPUNIT_TEST(a_message_without_its_head_is_refused);
  CPPUNIT_TEST(an_id_that_would_be_another_command_is_refused);
  CPPUNIT_TEST(only_three_errors_leave_the_connection);
  CPPUNIT_TEST(what_is_shown_is_printable_and_short);
  CPPUNIT_TEST(commands_are_written_as_the_protocol_has_them);
  CPPUNIT_TEST_SUITE_END();

  void a_frame_is_taken_once_it_is_whole() {
    const std::string whole = frame(0, "OK");
    std::string in;
    for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
      in += whole[i];
      CPPUNIT_ASSERT(!takeFrame(in));
    }
    in += whole.back();
    const auto taken = takeFrame(in);
    CPPUNIT_ASSERT(taken && taken->type == FrameType::response);
    CPPUNIT_ASSERT_EQUAL("OK"s, taken->data);
    CPPUNIT_ASSERT(in.empty());
  }

  void what_follows_a_frame_stays() {
    std::string in = frame(1, "E_INVALID") + frame(0, "OK") + "\0\0"s;
    CPPUNIT_ASSERT(takeFrame(in)->type == FrameType::error);
    CPPUNIT_ASSERT_EQUAL("OK"s, takeFrame(in)->data);
    CPPUNIT_ASSERT(!takeFrame(in));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, in.size());
  }

  void a_size_beyond_the_bound_is_refused_before_it_is_read() {
    for (const std::uint32_t size : {static_cast<std::uint32_t>(kMaxFrameData) + 5, 0x7fffffffu, 0xffffffffu}) {
      std::string in = big4(size) + big4(2);
      CPPUNIT_ASSERT_THROW(takeFrame(in), ProtocolError);
    }
    std::string largest = big4(static_cast<std::uint32_t>(kMaxFrameData) + 4) + big4(2);
    CPPUNIT_ASSERT(!takeFrame(largest));
  }

  void a_size_below_the_type_is_refused() {
    for (const std::uint32_t size : {0u, 3u}) {
      std::string in = big4(size) + big4(0);
      CPPUNIT_ASSERT_THROW(takeFrame(in), ProtocolError);
    }
  }

  void an_unknown_type_is_refused() {
    for (const std::uint32_t type : {3u, 0xffffffffu}) {
      std::string in = frame(type, "x");
      CPPUNIT_ASSERT_THROW(takeFrame(in), ProtocolError);
    }
  }

  void http_in_place_of_nsq_is_refused() {
    std::string in = "HTTP/1.1 400 Bad Request\r\n";
    CPPUNIT_ASSERT_THROW(takeFrame(in), ProtocolError);
  }

  void a_message_is_read() {
    const Message message =
        parseMessage({FrameType::message, "\0\0\0\0\0\0\1\2"s + "\0\7"s + "0123456789abcdef" + "ocelot/1"});
    CPPUNIT_ASSERT_EQUAL(std::int64_t{258}, message.published_ns);
    CPPUNIT_ASSERT_EQUAL(7, message.attempts);
    CPPUNIT_ASSERT_EQUAL("0123456789abcdef"s, message.id);
    CPPUNIT_ASSERT_EQUAL("ocelot/1"s, message.body);
  }

  void a_message_without_its_head_is_refused() {
    CPPUNIT_ASSERT_THROW(parseMessage({FrameType::message, std::string(25, 'a')}), ProtocolError);
    CPPUNIT_ASSERT_THROW(parseMessage({FrameType::message, ""}), ProtocolError);
    CPPUNIT_ASSERT_THROW(parseMessage({FrameType::response, std::string(40, 'a')}), ProtocolError);
    CPPUNIT_ASSERT(parseMessage({FrameType::message, std::string(26, 'a')}).body.empty());
  }

  void an_id_that_would_be_another_command_is_refused() {
    for (const auto& id : {"0123\nRDY 2500\n\n\n"s, "0123456789abcde "s, std::string(16, '\0')})
      CPPUNIT_ASSERT_THROW_MESSAGE(id, parseMessage({FrameType::message, std::string(10, 'x') + id}), ProtocolError);
  }

  void only_three_errors_leave_the_connection() {
    for (const char* error : {"E_FIN_FAILED FIN 0123 failed ID not in flight", "E_REQ_FAILED", "E_TOUCH_FAILED x"})
      CPPUNIT_ASSERT_MESSAGE(error, !endsConnection(error));
    for (const char* error : {"E_INVALID", "E_BAD_TOPIC", "E_BAD_CHANNEL", "E_BAD_BODY", "E_UNAUTHORIZED",
                              "E_AUTH_FAILED", "E_PUB_FAILED", "", "E_FIN", "something new"})
      CPPUNIT_ASSERT_MESSAGE(error, endsConnection(error));
  }

  void what_is_shown_is_printable_and_short() {
    CPPUNIT_ASSERT_EQUAL("a?b?c"s, shown("a\nb\x1b"
                                         "c"));
    CPPUNIT_ASSERT(shown(std::string(100000, 'x')).size() < 250);
  }

  void commands_are_written_as_the_protocol_has_them() {
    CPPUNIT_ASSERT_EQUAL("IDENTIFY\n\0\0\0\2{}"s, identify("{}"));
    CPPUNIT_ASSERT_EQUAL("AUTH\n\0\0\0\6secret"s, auth("secret"));
    CPPUNIT_ASSERT_EQUAL("SUB build worker\n"s, sub("build", "worker"));
    CPPUNIT_ASSERT_EQUAL("RDY 4\n"s, rdy(4));
    CPPUNIT_ASSERT_EQUAL("FIN 0123\n"s, fin("0123"));
    CPPUNIT_ASSERT_EQUAL("REQ 0123 0\n"s, req("0123"));
    CPPUNIT_ASSERT_EQUAL("PUB build\n\0\0\0\1x"s, pub("build", "x"));
    CPPUNIT_ASSERT_EQUAL("MPUB build\n\0\0\0\x0e\0\0\0\2\0\0\0\1x\0\0\0\1x"s, mpub("build", "x", 2));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FrameTest);

}  // namespace
