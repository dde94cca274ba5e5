#pragma once
// That something is refused, as what, and with which words.

#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "ocelot/call.hpp"

namespace ocelot::test {

template <typename Doing>
void assertFails(Status status, const std::string& says, Doing doing) {
  try {
    doing();
  } catch (const Error& error) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), static_cast<int>(status), static_cast<int>(error.status()));
    CPPUNIT_ASSERT_MESSAGE(error.what(), std::string(error.what()).find(says) != std::string::npos);
    return;
  }
  CPPUNIT_FAIL("nothing was thrown; expected: " + says);
}

}  // namespace ocelot::test
