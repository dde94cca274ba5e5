#include "host/http/head.hpp"

#include <cppunit/extensions/HelperMacros.h>

using namespace ocelot::http;

namespace {

int refusalOf(const std::string& text) {
  try {
    const std::size_t end = headEnd(text);
    if (end == 0) return 0;
    parseRequestHead(std::string_view(text).substr(0, end));
    return 200;
  } catch (const BadMessage& bad) {
    return bad.status;
  }
}

std::string withHeader(const std::string& line) { return "POST /a HTTP/1.1\r\nHost: x\r\n" + line + "\r\n\r\n"; }

// The decoded body, or "!" when it is refused, or "…" when more is wanted.
std::string decoded(const std::string& wire, std::size_t step) {
  ChunkDecoder decoder;
  std::string in, out;
  try {
    for (std::size_t at = 0; at < wire.size() && !decoder.done(); at += step) {
      in += wire.substr(at, step);
      decoder.feed(in, out, 1 << 20);
    }
  } catch (const BadMessage&) {
    return "!";
  }
  return decoder.done() ? out + "|" + in : "…";
}

}  // namespace

class HeadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HeadTest);
  CPPUNIT_TEST(aProperRequestIsUnderstood);
  CPPUNIT_TEST(whatCouldBeReadTwoWaysIsRefused);
  CPPUNIT_TEST(everyPrefixOfAHeadIsUnfinished);
  CPPUNIT_TEST(limitsAreKept);
  CPPUNIT_TEST(answersAreUnderstood);
  CPPUNIT_TEST(chunksAreTakenApart);
  CPPUNIT_TEST(brokenChunksAreRefused);
  CPPUNIT_TEST(percentEncodingIsStrict);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aProperRequestIsUnderstood() {
    const std::string text =
        "GET /a/b%2Fc?x=1&y HTTP/1.1\r\nHost: h\r\nX-Some:  v  \r\nConnection: Keep-Alive, Close\r\n\r\nrest";
    CPPUNIT_ASSERT_EQUAL(text.size() - 4, headEnd(text));
    const RequestHead head = parseRequestHead(text.substr(0, headEnd(text)));
    CPPUNIT_ASSERT_EQUAL(std::string("GET"), head.method);
    CPPUNIT_ASSERT_EQUAL(std::string("/a/b%2Fc?x=1&y"), head.target);
    CPPUNIT_ASSERT_EQUAL(std::string("v"), valueOf(head.headers, "x-some"));
    CPPUNIT_ASSERT(head.close);
    CPPUNIT_ASSERT(!head.chunked);
    CPPUNIT_ASSERT(parseRequestHead("GET / HTTP/1.0\r\n\r\n").close);
  }

  void whatCouldBeReadTwoWaysIsRefused() {
    const std::pair<std::string, int> cases[] = {
        {"GET / HTTP/1.1\nHost: x\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\n\r\n\r\n", 400},
        {"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\n", 505},
        {"GET / HTTQ/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\r\nHost: x\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        {withHeader("Host : y"), 400},
        {withHeader(" folded"), 400},
        {withHeader("no colon"), 400},
        {withHeader(": no name"), 400},
        {withHeader(std::string("X: a\0b", 6)), 400},
        {withHeader("X: a\x01"), 400},
        {withHeader("X: a\rb"), 400},
        {withHeader("Content-Length: -5"), 400},
        {withHeader("Content-Length: +5"), 400},
        {withHeader("Content-Length: abc"), 400},
        {withHeader("Content-Length: 5, 5"), 400},
        {withHeader("Content-Length: 0x5"), 400},
        {withHeader("Content-Length: 99999999999999999999999"), 400},
        {withHeader("Content-Length:"), 400},
        {withHeader("Content-Length: 5\r\nContent-Length: 5"), 400},
        {withHeader("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400},
        {withHeader("Transfer-Encoding: gzip, chunked"), 501},
        {withHeader("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 501},
        {withHeader("Transfer-Encoding: identity"), 501},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {withHeader("Expect: 200-maybe"), 417},
        {withHeader("Content-Encoding: gzip"), 415},
        // What only looks odd is taken.
        {withHeader("Transfer-Encoding: Chunked"), 200},
        {withHeader("X: =?UTF-8?Q?a=0D=0AEvil:_1?="), 200},
        {withHeader("X:"), 200},
        {withHeader("X: \xff"), 200},
    };
    for (const auto& [text, status] : cases) CPPUNIT_ASSERT_EQUAL_MESSAGE(text, status, refusalOf(text));
    const RequestHead head = parseRequestHead(withHeader("X: =?UTF-8?Q?a=0D=0AEvil:_1?="));
    CPPUNIT_ASSERT_EQUAL(std::string("=?UTF-8?Q?a=0D=0AEvil:_1?="), valueOf(head.headers, "x"));
  }

  void everyPrefixOfAHeadIsUnfinished() {
    const std::string text = "GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, headEnd(std::string_view(text).substr(0, size)));
    }
    CPPUNIT_ASSERT_EQUAL(text.size(), headEnd(text));
  }

  void limitsAreKept() {
    std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 100; ++i) many += "A: b\r\n";
    CPPUNIT_ASSERT_EQUAL(431, refusalOf(many + "\r\n"));
    CPPUNIT_ASSERT_EQUAL(431, refusalOf(withHeader("X: " + std::string(kMaxHeadBytes, 'a'))));
    // Known before its end has come.
    CPPUNIT_ASSERT_EQUAL(431, refusalOf("GET / HTTP/1.1\r\nX: " + std::string(kMaxHeadBytes, 'a')));
    CPPUNIT_ASSERT_EQUAL(414, refusalOf("GET /" + std::string(kMaxTargetBytes + 100, 'a')));
    CPPUNIT_ASSERT_EQUAL(414, refusalOf("GET /" + std::string(kMaxTargetBytes, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    std::string query;
    for (int i = 0; i < 65; ++i) query += "a=b&";
    CPPUNIT_ASSERT_THROW(parseQuery(query), BadMessage);
  }

  void answersAreUnderstood() {
    const AnswerHead head = parseAnswerHead("HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n", true);
    CPPUNIT_ASSERT_EQUAL(200, head.status);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{12}, *head.length);
    CPPUNIT_ASSERT(!parseAnswerHead("HTTP/1.1 200\r\n\r\n", true).length);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, *parseAnswerHead("HTTP/1.1 204 x\r\n\r\n", true).length);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0},
                         *parseAnswerHead("HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n", false).length);
    for (const char* bad :
         {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, parseAnswerHead(bad, true), BadMessage);
    }
  }

  void chunksAreTakenApart() {
    const std::string wire = "5\r\nhello\r\n7;name=\"v\"\r\n, world\r\n0\r\nTrailer: x\r\n\r\nGET";
    for (std::size_t step = 1; step <= wire.size(); ++step) {
      const std::string got = decoded(wire, step);
      CPPUNIT_ASSERT_EQUAL(std::string("hello, world|"), got.substr(0, 13));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("hello, world|GET"), decoded(wire, wire.size()));
    CPPUNIT_ASSERT_EQUAL(std::string("…"), decoded("5\r\nhel", 100));
    CPPUNIT_ASSERT_EQUAL(std::string("…"), decoded("0\r\n", 100));
  }

  void brokenChunksAreRefused() {
    for (const char* wire :
         {"ZZ\r\n", "FFFFFFFFFFFFFFFFFF\r\n", "\r\n", "-1\r\n", "5\nhello", "5\r\nhelloX\r\n", "5\r\nhello\n\n",
          "0x5\r\nhello\r\n", "5 5\r\nhello\r\n", "5\r\nhello\r\n0\r\nA: b\n\r\n", "5;\x01\r\nhello\r\n"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wire, std::string("!"), decoded(wire, 1));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wire, std::string("!"), decoded(wire, 1000));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("!"), decoded("5;" + std::string(1000, 'x'), 1));
    std::string trailers = "0\r\n";
    for (int i = 0; i < 3000; ++i) trailers += "A: b\r\n";
    CPPUNIT_ASSERT_EQUAL(std::string("!"), decoded(trailers, 1000));
  }

  void percentEncodingIsStrict() {
    CPPUNIT_ASSERT_EQUAL(std::string("a/b c"), *percentDecode("a%2Fb%20c", false));
    CPPUNIT_ASSERT_EQUAL(std::string("a+b"), *percentDecode("a+b", false));
    CPPUNIT_ASSERT_EQUAL(std::string("a b"), *percentDecode("a+b", true));
    for (const char* bad : {"%", "%2", "%zz", "%0d%0a", "%00", "a%7f"}) CPPUNIT_ASSERT(!percentDecode(bad, false));
    CPPUNIT_ASSERT_EQUAL(std::string("a  Evil: 1"), headerSafe("a\r\nEvil: 1"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HeadTest);
