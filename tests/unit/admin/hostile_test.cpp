// Bodies that nobody sends by accident: each is refused with a sentence, and the server goes on.

#include <cppunit/extensions/HelperMacros.h>

#include "host/http/json.hpp"
#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

class HostileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HostileTest);
  CPPUNIT_TEST(whatIsNoObjectIsRefused);
  CPPUNIT_TEST(depthIsBounded);
  CPPUNIT_TEST(wrongTypesAreRefused);
  CPPUNIT_TEST(numbersBeyondTheirBoundsAreRefused);
  CPPUNIT_TEST(textThatNoStoreCouldHoldIsRefused);
  CPPUNIT_TEST(anUnknownKeyIsNearlyAKnownOne);
  CPPUNIT_TEST(sizeIsBounded);
  CPPUNIT_TEST(hostileRepositoriesAreRefused);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<ApiScene> scene_;

  HttpAnswer poll(const std::string& body) { return scene_->send("PUT", "/v1/repos/account%2Frepo/poll", body); }
  std::int64_t pollSeconds() { return scene_->store().findRepo("account/repo")->poll_seconds; }

 public:
  void setUp() override {
    scene_ = std::make_unique<ApiScene>();
    scene_->addRepo("account/repo");
  }
  void tearDown() override {
    assertStatus(200, scene_->send("GET", "/v1/version"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, scene_->store().builds({}).size());
    scene_.reset();
  }

  void whatIsNoObjectIsRefused() {
    for (const std::string& body :
         {std::string(), std::string("x"), std::string("[]"), std::string("null"), std::string("1"),
          std::string("\"a\""), std::string("{"), std::string("{}{}"), std::string("{\"a\"}"),
          std::string("{\"repo\": \"a\",}"), std::string("{'repo': 'a'}"), std::string("{\"repo\": nan}"),
          std::string("\xff\xfe{\0}\0", 6), std::string("\0", 1), std::string("{\"repo\": \"\xff\"}"),
          std::string("// c\n{}")}) {
      const auto answer = scene_->send("POST", "/v1/builds", body);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body + ": " + answer.body, 400, answer.status);
      CPPUNIT_ASSERT(answer.body.size() < 2000);
    }
  }

  void depthIsBounded() {
    for (const auto& [open, close] : {std::pair{"[", "]"}, std::pair{"{\"a\":", "}"}}) {
      std::string body = "{\"repo\": ";
      for (int i = 0; i < 100000; ++i) body += open;
      assertRefused(400, "bad_json", scene_->send("POST", "/v1/builds", body));
      body += "1";
      for (int i = 0; i < 100000; ++i) body += close;
      assertRefused(400, "bad_json", scene_->send("POST", "/v1/builds", body + "}"));
    }
  }

  void wrongTypesAreRefused() {
    for (const char* value : {"1", "true", "null", "[]", "{}", "1.5"}) {
      const auto answer = scene_->send("POST", "/v1/builds", std::string("{\"repo\": ") + value + "}");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(value, 400, answer.status);
    }
    for (const char* value : {"\"1\"", "1.5", "[]", "{}", "true", "1e3"}) {
      const auto answer = poll(std::string("{\"seconds\": ") + value + "}");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(value + answer.body, 400, answer.status);
    }
    for (const char* value : {"1", "\"true\"", "[]", "{}", "0"}) {
      const auto answer =
          scene_->send("POST", "/v1/builds", std::string("{\"repo\": \"x\", \"force\": ") + value + "}");
      CPPUNIT_ASSERT_MESSAGE(value + answer.body, answer.status == 400 || answer.status == 404);
    }
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, pollSeconds());
  }

  void numbersBeyondTheirBoundsAreRefused() {
    assertStatus(200, poll(R"({"seconds": 60})"));
    for (const char* value :
         {"-1", "604801", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615",
          "18446744073709551616", "340282366920938463463374607431768211456"}) {
      const auto answer = poll(std::string("{\"seconds\": ") + value + "}");
      assertRefused(400, "out_of_range", answer);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(value, std::int64_t{60}, pollSeconds());
    }
    assertStatus(200, poll(R"({"seconds": 604800, "branches": "1234567890123456789012345678901234567890 \" 9"})"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{604800}, pollSeconds());
  }

  void textThatNoStoreCouldHoldIsRefused() {
    for (const char* value : {"\\u0000", "a\\u0000b", "\\ud800", "\\udc00\\ud800"}) {
      const auto answer = scene_->send("POST", "/v1/builds", std::string("{\"repo\": \"") + value + "\"}");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(value + answer.body, 400, answer.status);
    }
    assertRefused(404, "no_such_repo", scene_->send("POST", "/v1/builds", "{\"repo\": \"\\ud83d\\ude00\"}"));
    assertRefused(400, "too_long",
                  scene_->send("POST", "/v1/builds", "{\"repo\": \"" + std::string(1025, 'a') + "\"}"));
  }

  void anUnknownKeyIsNearlyAKnownOne() {
    const auto answer = scene_->send("POST", "/v1/builds", R"({"repo": "a", "brnach": "b"})");
    assertRefused(400, "unknown_key", answer);
    CPPUNIT_ASSERT_EQUAL(std::string("did you mean `branch`?"), textOf(answer, "hint"));
    CPPUNIT_ASSERT_EQUAL(std::string("the request has an unknown key `brnach`"), textOf(answer, "message"));
    const auto long_one = scene_->send("POST", "/v1/builds", "{\"" + std::string(100000, '\x01') + "\": 1}");
    CPPUNIT_ASSERT(long_one.status == 400 && long_one.body.size() < 2000);
    assertRefused(400, "unknown_key", scene_->send("POST", "/v1/builds", "{\"" + std::string(100000, 'k') + "\": 1}"));
  }

  void sizeIsBounded() {
    const std::string head = R"({"repo": ")";
    const std::string most = head + std::string((1 << 20) - head.size() - 2, 'a') + "\"}";
    assertRefused(400, "too_long", scene_->send("POST", "/v1/builds", most));
    assertRefused(413, "too_large", scene_->send("POST", "/v1/builds", most + " "));
  }

  void hostileRepositoriesAreRefused() {
    const std::string canary = scene_->folder.path + "/canary";
    for (const std::string& url : {std::string("ext::sh -c 'touch " + canary + "'"), "--upload-pack=touch " + canary,
                                   std::string("file:///etc"), std::string("/etc"), scene_->folder.path + "/../../etc",
                                   std::string("http://a b/c"), std::string("x\ny"), std::string(3000, 'a')}) {
      std::string body = R"({"url": )" + http::quoted(url) + R"(, "name": "a/b"})";
      const auto answer = scene_->send("POST", "/v1/repos", body);
      CPPUNIT_ASSERT_MESSAGE(url.substr(0, 100) + answer.body, answer.status >= 400 && answer.status < 500);
      CPPUNIT_ASSERT(!scene_->store().findRepo("a/b"));
    }
    CPPUNIT_ASSERT(!std::filesystem::exists(canary));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no secret of a repository that is not there", std::size_t{0},
                                 scene_->engines.secrets->names("system/hook/").size());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HostileTest);

}  // namespace
