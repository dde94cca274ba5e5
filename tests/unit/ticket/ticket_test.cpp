#include "host/ticket/ticket.hpp"

#include <cppunit/extensions/HelperMacros.h>

using namespace ocelot;

class TicketTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TicketTest);
  CPPUNIT_TEST(opensWhatItNamesOnce);
  CPPUNIT_TEST(isRefusedWhenItIsTooOldOrFromTheFuture);
  CPPUNIT_TEST(isRefusedWithAnyByteChanged);
  CPPUNIT_TEST(isRefusedUnderAnotherKey);
  CPPUNIT_TEST_SUITE_END();

  const std::string key = std::string(32, 'k');
  const ticket::Ticket wanted{"0d3a1f5e-0000-4000-8000-000000000001", 2};

 public:
  void opensWhatItNamesOnce() {
    ticket::Gate gate(key);
    const std::string text = ticket::mint(key, wanted, 1000);
    const auto got = gate.admit(text, 1030);
    CPPUNIT_ASSERT(got.has_value());
    CPPUNIT_ASSERT_EQUAL(wanted.build_id, got->build_id);
    CPPUNIT_ASSERT_EQUAL(2, got->attempt);
    CPPUNIT_ASSERT(!gate.admit(text, 1030));
  }
  void isRefusedWhenItIsTooOldOrFromTheFuture() {
    ticket::Gate gate(key);
    CPPUNIT_ASSERT(!gate.admit(ticket::mint(key, wanted, 1000), 1061));
    CPPUNIT_ASSERT(!gate.admit(ticket::mint(key, wanted, 2000), 1000));
  }
  void isRefusedWithAnyByteChanged() {
    ticket::Gate gate(key);
    const std::string text = ticket::mint(key, wanted, 1000);
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string forged = text;
      forged[i] = forged[i] == '1' ? '2' : '1';
      if (forged != text) CPPUNIT_ASSERT_MESSAGE(forged, !gate.admit(forged, 1000));
      CPPUNIT_ASSERT(!gate.admit(text.substr(0, i), 1000));
    }
    CPPUNIT_ASSERT(gate.admit(text, 1000).has_value());
  }
  void isRefusedUnderAnotherKey() {
    ticket::Gate gate(std::string(32, 'x'));
    CPPUNIT_ASSERT(!gate.admit(ticket::mint(key, wanted, 1000), 1000));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TicketTest);
