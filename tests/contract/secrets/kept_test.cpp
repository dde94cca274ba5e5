#include "tests/contract/secrets/kept.hpp"

#include <atomic>
#include <thread>

using namespace ocelot;
using namespace ocelot::test;

SECRETS_CONTRACT(aSecretComesBackByteForByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  kept.put("repo/1/TOKEN", all);
  kept.put("repo/1/EMPTY", "");
  kept.put("repo/1/TEXT", "grüße\n\"quoted\" \\ and a tab\t\x01\x7f");
  kept.put("repo/1/MARK", "\xEF\xBF\xBD");
  kept.put("system/big", std::string(64 * 1024, 'x'));
  kept.put("system/odd", std::string(64 * 1024, '\x01'));
  CPPUNIT_ASSERT(kept.find("repo/1/TOKEN") == all);
  CPPUNIT_ASSERT(kept.find("repo/1/EMPTY") == "");
  CPPUNIT_ASSERT(kept.find("repo/1/TEXT") == "grüße\n\"quoted\" \\ and a tab\t\x01\x7f");
  CPPUNIT_ASSERT(kept.find("repo/1/MARK") == "\xEF\xBF\xBD");
  CPPUNIT_ASSERT(kept.find("system/big") == std::string(64 * 1024, 'x'));
  CPPUNIT_ASSERT(kept.find("system/odd") == std::string(64 * 1024, '\x01'));
  CPPUNIT_ASSERT(!kept.find("repo/1/OTHER"));
  kept.put("repo/1/TOKEN", "new");
  CPPUNIT_ASSERT(kept.find("repo/1/TOKEN") == "new");
}

SECRETS_CONTRACT(secretsAreListedByPrefixAndRemoved) {
  for (const char* name : {"repo/1/B", "repo/1/A", "repo/10/A", "system/x"}) kept.put(name, "v");
  CPPUNIT_ASSERT(kept.names("repo/1/") == (std::vector<std::string>{"repo/1/A", "repo/1/B"}));
  CPPUNIT_ASSERT(kept.names("repo/1") == (std::vector<std::string>{"repo/1/A", "repo/1/B", "repo/10/A"}));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("nothing but secrets", std::size_t{4}, kept.names("").size());
  CPPUNIT_ASSERT(kept.names("repo/2/").empty());
  CPPUNIT_ASSERT(kept.remove("repo/1/A"));
  CPPUNIT_ASSERT(!kept.remove("repo/1/A"));
  CPPUNIT_ASSERT(!kept.find("repo/1/A"));
  CPPUNIT_ASSERT(kept.names("repo/1/") == (std::vector<std::string>{"repo/1/B"}));
}

SECRETS_CONTRACT(whatIsThereIsNotAddedOver) {
  CPPUNIT_ASSERT(kept.add("system/key", "first"));
  CPPUNIT_ASSERT(!kept.add("system/key", "second"));
  CPPUNIT_ASSERT(kept.find("system/key") == "first");
  CPPUNIT_ASSERT(kept.remove("system/key"));
  CPPUNIT_ASSERT_MESSAGE("what was removed leaves nothing in the way", kept.add("system/key", "third"));
}

SECRETS_CONTRACT(aNameThatIsNoNameIsRefused) {
  for (const std::string& bad : {std::string(""), std::string("/a"), std::string("a/"), std::string("a//b"),
                                 std::string("../a"), std::string("a/.b"), std::string("a b"), std::string("a\n"),
                                 std::string(513, 'a'), std::string(".key-check"), std::string("\xC3\xA9")}) {
    CPPUNIT_ASSERT_THROW_MESSAGE(bad, kept.put(bad, "v"), std::invalid_argument);
    CPPUNIT_ASSERT_THROW_MESSAGE(bad, kept.add(bad, "v"), std::invalid_argument);
    CPPUNIT_ASSERT_THROW_MESSAGE(bad, kept.find(bad), std::invalid_argument);
    CPPUNIT_ASSERT_THROW_MESSAGE(bad, kept.remove(bad), std::invalid_argument);
  }
  CPPUNIT_ASSERT_THROW(kept.put("a", std::string(64 * 1024 + 1, 'x')), std::invalid_argument);
  CPPUNIT_ASSERT_THROW(kept.add("a", std::string(64 * 1024 + 1, 'x')), std::invalid_argument);
}

SECRETS_CONTRACT(whereSecretsCanBeHadNothingIsAway) { CPPUNIT_ASSERT_EQUAL(std::string(), kept.whyAway()); }

SECRETS_CONTRACT(oneNameMayLieBelowAnother) {
  kept.put("a", "1");
  kept.put("a/b", "2");
  CPPUNIT_ASSERT(kept.find("a") == "1");
  CPPUNIT_ASSERT(kept.names("a") == (std::vector<std::string>{"a", "a/b"}));
}
