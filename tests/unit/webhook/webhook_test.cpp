#include "plugins/notifier/webhook/webhook.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include "plugins/notifier/webhook/body.hpp"
#include "tests/support/scripted_host.hpp"

using namespace ocelot;
using webhook::Webhook;

class WebhookTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WebhookTest);
  CPPUNIT_TEST(theBodyIsAsDocumented);
  CPPUNIT_TEST(hostileTextStaysValidJson);
  CPPUNIT_TEST(aPostIsSignedOnItsRawBody);
  CPPUNIT_TEST(withoutASecretNothingIsSigned);
  CPPUNIT_TEST(answersSayWhetherToTryAgain);
  CPPUNIT_TEST(badOptionsAreRefused);
  CPPUNIT_TEST(furtherHeadersAreSent);
  CPPUNIT_TEST_SUITE_END();

  test::ScriptedHost host_;
  SimpleCall call_;

  Settings settings() {
    Settings settings("hook", host_);
    settings.set("url", {"https://example.com/hook?token=hunter22"});
    settings.set("secret", {"key"});
    return settings;
  }

  static BuildNotice notice() {
    BuildNotice notice;
    notice.id = "0b8e";
    notice.number = 42;
    notice.repo = "a/b";
    notice.branch = "main";
    notice.state = "failed";
    notice.queued_at_us = 1714564800123456;
    notice.stages = {{"test", "failed", 1, 1200}, {"deploy", "skipped", 0, 0}};
    return notice;
  }

  static std::string header(const HttpRequest& request, const std::string& name) {
    std::string found;
    for (const auto& [key, value] : request.headers) {
      if (key == name) found += value;
    }
    return found;
  }

 public:
  void theBodyIsAsDocumented() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("{\"event\":\"build_ended\",\"target\":\"#dev\",\"build\":{\"id\":\"0b8e\",\"number\":42,\"repo\":"
                    "\"a/b\",\"branch\":\"main\","
                    "\"commit\":\"\",\"author\":\"\",\"message\":\"\",\"state\":\"failed\",\"reason\":\"\","
                    "\"sentence\":\"\",\"previous_state\":\"\","
                    "\"url\":\"\",\"queued_at\":\"2024-05-01T12:00:00.123Z\",\"started_at\":null,\"finished_at\":null,"
                    "\"stages\":["
                    "{\"name\":\"test\",\"state\":\"failed\",\"exit_code\":1,\"duration_ms\":1200},"
                    "{\"name\":\"deploy\",\"state\":\"skipped\",\"exit_code\":0,\"duration_ms\":0}]}}"),
        webhook::bodyFor(notice(), "#dev"));
  }

  void hostileTextStaysValidJson() {
    BuildNotice bad = notice();
    bad.message = std::string("\"\\\n\0\x7f\xff\xed\xa0\x80\xc3\xa9\xf0\x9f\x98\x80\xe2\x82", 17);
    const std::string body = webhook::bodyFor(bad, "");
    const std::string r = "\xef\xbf\xbd";
    const std::string expected =
        "\"message\":\"\\\"\\\\\\u000a\\u0000\\u007f" + r + r + r + r + "\xc3\xa9\xf0\x9f\x98\x80" + r + r + "\"";
    CPPUNIT_ASSERT_MESSAGE(body, body.find(expected) != std::string::npos);
  }

  void aPostIsSignedOnItsRawBody() {
    host_.answers = {HttpAnswer{204, {}, "", -1}};
    const Settings own = settings();
    Webhook(own).tell(call_, notice(), "");
    const HttpRequest& request = host_.requests.at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("POST"), request.method);
    CPPUNIT_ASSERT_EQUAL(std::string("https://example.com/hook?token=hunter22"), request.url);
    CPPUNIT_ASSERT_EQUAL(std::string("application/json"), header(request, "Content-Type"));
    CPPUNIT_ASSERT_EQUAL(std::string("0b8e"), header(request, "x-ocelot-delivery"));
    std::string hex;
    for (const char c : host_.crypto().hmacSha256("key", request.body)) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
      hex += two;
    }
    CPPUNIT_ASSERT_EQUAL("sha256=" + hex, header(request, "x-ocelot-signature-256"));
  }

  void withoutASecretNothingIsSigned() {
    host_.answers = {HttpAnswer{200, {}, "", -1}};
    Settings own = settings();
    own.set("secret", {});
    Webhook(own).tell(call_, notice(), "");
    CPPUNIT_ASSERT_EQUAL(std::string(), header(host_.requests.at(0), "x-ocelot-signature-256"));
  }

  void answersSayWhetherToTryAgain() {
    const Settings own = settings();
    Webhook hook(own);
    const auto status = [&](int code, std::int64_t retry_after_ms, const std::string& says) {
      host_.answers = {HttpAnswer{code, {}, "no\x1b[31m such\nhook", retry_after_ms}};
      try {
        hook.tell(call_, notice(), "");
      } catch (const Error& error) {
        const std::string what = error.what();
        CPPUNIT_ASSERT_MESSAGE(what, what.find("post build 42 to https://example.com/hook: " + std::to_string(code) +
                                               " no?[31m such") == 0);
        CPPUNIT_ASSERT_MESSAGE(what, what.find(says) != std::string::npos);
        CPPUNIT_ASSERT_EQUAL(std::string::npos, what.find("hunter22"));
        return error.status();
      }
      return Status::ok;
    };
    for (const int code : {200, 201, 204}) CPPUNIT_ASSERT(status(code, -1, "") == Status::ok);
    for (const int code : {408, 429, 500, 502, 503}) CPPUNIT_ASSERT(status(code, -1, "") == Status::unavailable);
    CPPUNIT_ASSERT(status(503, 1500, "again in 2 s") == Status::unavailable);
    for (const int code : {400, 401, 404, 410}) CPPUNIT_ASSERT(status(code, -1, "") == Status::invalid);
    CPPUNIT_ASSERT(status(302, -1, "redirects are not followed") == Status::invalid);
    host_.answers.clear();
    CPPUNIT_ASSERT_THROW(hook.tell(call_, notice(), ""), Error);
  }

  void badOptionsAreRefused() {
    for (const char* url : {"", "ftp://x", "example.com", "https://user:hunter22@example.com/"}) {
      Settings own = settings();
      own.set("url", {url});
      CPPUNIT_ASSERT_THROW_MESSAGE(url, Webhook{own}, Error);
    }
    for (const char* line :
         {"x", ": x", "a b: c", "Content-Length: 5", "X-Ocelot-Event: x", "a: b\r\nc: d", "a\n: b"}) {
      Settings own = settings();
      own.set("headers", {line});
      CPPUNIT_ASSERT_THROW_MESSAGE(line, Webhook{own}, Error);
    }
  }

  void furtherHeadersAreSent() {
    host_.answers = {HttpAnswer{200, {}, "", -1}};
    Settings own = settings();
    own.set("headers", {"Authorization: Bearer x", "user-agent:me"});
    Webhook(own).tell(call_, notice(), "");
    CPPUNIT_ASSERT_EQUAL(std::string("Bearer x"), header(host_.requests.at(0), "Authorization"));
    CPPUNIT_ASSERT_EQUAL(std::string("me"), header(host_.requests.at(0), "user-agent"));
    CPPUNIT_ASSERT_EQUAL(std::string(), header(host_.requests.at(0), "User-Agent"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(WebhookTest);
