// S1 and S2: a secret does not get through, in none of its shapes, however the stream is cut.

#include "host/logs/masker.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <random>

#include "host/logs/secret_forms.hpp"

using ocelot::logs::Masker;

namespace {

std::string maskWhole(const std::vector<std::string>& secrets, const std::string& text) {
  Masker masker(secrets);
  std::string out;
  masker.feed(text, out);
  masker.flush(out);
  return out;
}

// The rule itself, written the slow way.
std::string expected(const std::vector<std::string>& secrets, const std::string& text) {
  std::vector<std::pair<std::size_t, std::size_t>> spans;
  for (const std::string& secret : secrets) {
    for (const std::string& form : ocelot::logs::secretForms(secret)) {
      for (std::size_t at = text.find(form); at != std::string::npos; at = text.find(form, at + 1)) {
        spans.emplace_back(at, at + form.size());
      }
    }
  }
  std::sort(spans.begin(), spans.end());
  std::string out;
  std::size_t done = 0;
  for (std::size_t i = 0; i < spans.size();) {
    const std::size_t begin = spans[i].first;
    std::size_t end = spans[i].second;
    for (++i; i < spans.size() && spans[i].first < end; ++i) end = std::max(end, spans[i].second);
    out += text.substr(done, begin - done);
    out += "[MASKED]";
    done = end;
  }
  return out + text.substr(done);
}

// Every cut in two, and byte by byte, gives what the whole gives.
void assertEveryCut(const std::vector<std::string>& secrets, const std::string& text) {
  const std::string whole = expected(secrets, text);
  CPPUNIT_ASSERT_EQUAL(whole, maskWhole(secrets, text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Masker masker(secrets);
    std::string out, scratch;
    out += masker.mask(std::string_view(text).substr(0, cut), scratch);
    out += masker.mask(std::string_view(text).substr(cut), scratch);
    masker.flush(out);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("cut at " + std::to_string(cut), whole, out);
  }
  Masker masker(secrets);
  std::string out;
  for (const char c : text) masker.feed(std::string(1, c), out);
  masker.flush(out);
  CPPUNIT_ASSERT_EQUAL(whole, out);
}

const char* const kSecret = "s3cr3t-T0ken/\"x\" & <y>'\\z";

// Shapes as the tools themselves make them (base64, xxd, jq, bash, Python, …), not our code.
struct Shape {
  const char* what;
  std::string text;
};
std::vector<Shape> shapes() {
  return {
      {"raw", "s3cr3t-T0ken/\"x\" & <y>'\\z"},
      {"base64 after 0 bytes", "czNjcjN0LVQwa2VuLyJ4IiAmIDx5Pidceg=="},
      {"base64url after 0 bytes", "czNjcjN0LVQwa2VuLyJ4IiAmIDx5Pidceg"},
      {"base64 between 0 bytes and more", "czNjcjN0LVQwa2VuLyJ4IiAmIDx5Pidcenp6"},
      {"base64 after 1 bytes", "YXMzY3IzdC1UMGtlbi8ieCIgJiA8eT4nXHo="},
      {"base64url after 1 bytes", "YXMzY3IzdC1UMGtlbi8ieCIgJiA8eT4nXHo"},
      {"base64 between 1 bytes and more", "YXMzY3IzdC1UMGtlbi8ieCIgJiA8eT4nXHp6eg=="},
      {"base64 after 2 bytes", "YWFzM2NyM3QtVDBrZW4vIngiICYgPHk+J1x6"},
      {"base64url after 2 bytes", "YWFzM2NyM3QtVDBrZW4vIngiICYgPHk-J1x6"},
      {"base64 between 2 bytes and more", "YWFzM2NyM3QtVDBrZW4vIngiICYgPHk+J1x6eno="},
      {"hex", "7333637233742d54306b656e2f2278222026203c793e275c7a"},
      {"HEX", "7333637233742D54306B656E2F2278222026203C793E275C7A"},
      {"urllib quote", "s3cr3t-T0ken/%22x%22%20%26%20%3Cy%3E%27%5Cz"},
      {"quote all", "s3cr3t-T0ken%2F%22x%22%20%26%20%3Cy%3E%27%5Cz"},
      {"quote_plus", "s3cr3t-T0ken%2F%22x%22+%26+%3Cy%3E%27%5Cz"},
      {"curl, lower case", "s3cr3t-T0ken%2f%22x%22%20%26%20%3cy%3e%27%5cz"},
      {"json", "s3cr3t-T0ken/\\\"x\\\" & <y>'\\\\z"},
      {"json of Go", "s3cr3t-T0ken/\\\"x\\\" \\u0026 \\u003cy\\u003e'\\\\z"},
      {"json of PHP", "s3cr3t-T0ken\\/\\\"x\\\" & <y>'\\\\z"},
      {"json, every character",
       "\\u0073\\u0033\\u0063\\u0072\\u0033\\u0074\\u002d\\u0054\\u0030\\u006b\\u0065\\u006e\\u002f\\u0022\\u0078\\u002"
       "2\\u0020\\u0026\\u0020\\u003c\\u0079\\u003e\\u0027\\u005c\\u007a"},
      {"xml", "s3cr3t-T0ken/&quot;x&quot; &amp; &lt;y&gt;&apos;\\z"},
      {"bash %q", "s3cr3t-T0ken/\\\"x\\\"\\ \\&\\ \\<y\\>\\'\\\\z"},
      {"bash @Q", "s3cr3t-T0ken/\"x\" & <y>'\\''\\z"},
      {"bash set -x", "s3cr3t-T0ken/\"x\" & <y>'\\''\\z"},
      {"jq @sh", "s3cr3t-T0ken/\"x\" & <y>'\\''\\z"},
      {"jq @json", "s3cr3t-T0ken/\\\"x\\\" & <y>'\\\\z"},
      {"jq @uri", "s3cr3t-T0ken%2F%22x%22%20%26%20%3Cy%3E'%5Cz"},
      {"python repr", "s3cr3t-T0ken/\"x\" & <y>\\'\\\\z"},
  };
}

}  // namespace

class MaskerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MaskerTest);
  CPPUNIT_TEST(textWithoutSecretsPassesUncopied);
  CPPUNIT_TEST(everyShapeIsMaskedAtEveryCut);
  CPPUNIT_TEST(wrappedBase64ShowsNoMoreThanShortEnds);
  CPPUNIT_TEST(overlappingSecretsBecomeOneMask);
  CPPUNIT_TEST(neighboursBecomeTwoMasks);
  CPPUNIT_TEST(linesOfAKeyAreMaskedOneByOne);
  CPPUNIT_TEST(shortAndCommonSecretsAreRefusedWithoutShowingThem);
  CPPUNIT_TEST(aTooLargeSecretIsMaskedAsItIs);
  CPPUNIT_TEST(whatCannotBecomeASecretIsLetGoAtOnce);
  CPPUNIT_TEST(aSecretAddedInMidStreamIsMaskedFromThere);
  CPPUNIT_TEST(aSuccessorGoesOnWhereItWasSaved);
  CPPUNIT_TEST(savedStateThatIsNoneIsRefused);
  CPPUNIT_TEST(randomTextsAndCutsAgreeWithTheRule);
  CPPUNIT_TEST(nulAndBadUtf8StayAsTheyAre);
  CPPUNIT_TEST(oneLongLineNeedsNoMemory);
  CPPUNIT_TEST_SUITE_END();

 public:
  void textWithoutSecretsPassesUncopied() {
    Masker none;
    std::string scratch;
    const std::string text = "make: Nothing to be done for 'all'.\n";
    CPPUNIT_ASSERT(none.mask(text, scratch).data() == text.data());
    Masker some({"hunter22hunter"});
    const std::string_view out = some.mask(text, scratch);
    CPPUNIT_ASSERT(out.data() == text.data());
    CPPUNIT_ASSERT_EQUAL(text.size(), out.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, some.pending());
  }

  void everyShapeIsMaskedAtEveryCut() {
    for (const Shape& shape : shapes()) {
      const std::string text = "before " + shape.text + " after\n";
      const std::string out = maskWhole({kSecret}, text);
      CPPUNIT_ASSERT_MESSAGE(std::string(shape.what) + ": " + out, out.find("[MASKED]") != std::string::npos);
      // What may stay of base64 with something before it: the characters that also carry that something.
      const std::string left = out.substr(7, out.find(" after") - 7);
      CPPUNIT_ASSERT_MESSAGE(std::string(shape.what) + ": " + out, left.size() <= 8 + 3 + 6);
      assertEveryCut({kSecret}, text);
    }
  }

  void wrappedBase64ShowsNoMoreThanShortEnds() {
    // 90 bytes → 120 characters, which `base64` breaks after 76.
    const std::string secret =
        "0:aZ9;1:bY8;2:cX7;3:dW6;4:eV5;5:fU4;6:gT3;7:hS2;8:iR1;9:jQ0;A:kP/;B:lO.;C:mN-;D:nM_;E:oL+;";
    const std::string wrapped =
        "MDphWjk7MTpiWTg7MjpjWDc7MzpkVzY7NDplVjU7NTpmVTQ7NjpnVDM7NzpoUzI7ODppUjE7OTpq\n"
        "UTA7QTprUC87QjpsTy47QzptTi07RDpuTV87RTpvTCs7\n";
    CPPUNIT_ASSERT_EQUAL(std::string("[MASKED]\n[MASKED]\n"), maskWhole({secret}, wrapped));
    assertEveryCut({secret}, wrapped);
  }

  void overlappingSecretsBecomeOneMask() {
    CPPUNIT_ASSERT_EQUAL(std::string("<[MASKED]>"), maskWhole({"abcdefgh", "efghijkl"}, "<abcdefghijkl>"));
    CPPUNIT_ASSERT_EQUAL(std::string("<[MASKED]>"),
                         maskWhole({"s3cret", "s3cret_suffix", "as3cret"}, "<as3cret_suffix>"));
    CPPUNIT_ASSERT_EQUAL(std::string("<[MASKED]_suff>"), maskWhole({"s3cret", "s3cret_suffix"}, "<s3cret_suff>"));
    assertEveryCut({"abcdefgh", "efghijkl", "ababab"}, "<abcdefghijkl>ababababefghijk abcdefgefghijkl");
  }

  void neighboursBecomeTwoMasks() {
    CPPUNIT_ASSERT_EQUAL(std::string("[MASKED][MASKED]"), maskWhole({"hunter22"}, "hunter22hunter22"));
    assertEveryCut({"hunter22"}, "hunter22hunter22");
  }

  void linesOfAKeyAreMaskedOneByOne() {
    const std::string key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7x\nq0\nZm9vYmFyYmF6cXV4\n-----END KEY-----\n";
    CPPUNIT_ASSERT_EQUAL(std::string("[MASKED]\n"), maskWhole({key}, key));
    std::string returns;
    for (const char c : key) returns += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CPPUNIT_ASSERT_EQUAL(std::string("[MASKED]\r\n"), maskWhole({key}, returns));
    CPPUNIT_ASSERT_EQUAL(std::string("1: [MASKED]\n2: q0\n3: [MASKED]\n"),
                         maskWhole({key}, "1: MIIEowIBAAKCAQEA7x\n2: q0\n3: Zm9vYmFyYmF6cXV4\n"));
    assertEveryCut({key}, "x" + key + returns + "ZZm9vYmFyYmF6cXV4");
  }

  void shortAndCommonSecretsAreRefusedWithoutShowingThem() {
    Masker masker;
    for (const char* secret : {"", "true", "12345", "Password", "\n\nfalse\n", "aaaaaaaaaa", "        "}) {
      const std::string why = masker.add(secret);
      CPPUNIT_ASSERT_MESSAGE(secret, !why.empty());
      CPPUNIT_ASSERT(*secret == '\0' || why.find(secret) == std::string::npos);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{7}, masker.warnings().size());
    std::string out;
    masker.feed("true Password aaaaaaaaaa", out);
    CPPUNIT_ASSERT_EQUAL(std::string("true Password aaaaaaaaaa"), out);
    CPPUNIT_ASSERT_EQUAL(std::string(), masker.add("123456"));
  }

  void aTooLargeSecretIsMaskedAsItIs() {
    std::mt19937 random(7);
    std::string secret(1u << 20, '\0');
    for (char& c : secret) c = static_cast<char>('!' + random() % 90);
    Masker masker;
    CPPUNIT_ASSERT(masker.add(secret).find("only as it is") != std::string::npos);
    std::string out;
    for (std::size_t at = 0; at < secret.size(); at += 1000) masker.feed(secret.substr(at, 1000), out);
    masker.flush(out);
    CPPUNIT_ASSERT_EQUAL(std::string("[MASKED]"), out);
  }

  void whatCannotBecomeASecretIsLetGoAtOnce() {
    Masker masker({"hunter22hunter"});
    std::string out;
    masker.feed("login: hunt", out);
    CPPUNIT_ASSERT_EQUAL(std::string("login: "), out);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, masker.pending());
    masker.feed("s", out);
    CPPUNIT_ASSERT_EQUAL(std::string("login: hunts"), out);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, masker.pending());
    masker.feed("hunter22hunter2", out);  // whole, and the beginning of a longer run
    CPPUNIT_ASSERT_EQUAL(std::string("login: hunts[MASKED]"), out);
  }

  void aSecretAddedInMidStreamIsMaskedFromThere() {
    Masker masker({"first-secret"});
    std::string out;
    masker.feed("second-secret first-", out);
    masker.add("second-secret");
    masker.add("first-aid-kit");
    masker.feed("aid-kit second-secret first-secret", out);
    masker.flush(out);
    CPPUNIT_ASSERT_EQUAL(std::string("second-secret [MASKED] [MASKED] [MASKED]"), out);
  }

  void aSuccessorGoesOnWhereItWasSaved() {
    const std::vector<std::string> secrets{"abcdefgh", "efghijkl", "ababab", "hijklmnopqrs"};
    const std::string text = "<abcdefghijkl>abababababefghijk abcdefgefghijklmnopqrs hijklmn";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      std::string out;
      Masker first(secrets);
      first.feed(text.substr(0, cut), out);
      Masker second(secrets);
      second.restore(first.save());
      second.feed(text.substr(cut), out);
      second.flush(out);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("cut at " + std::to_string(cut), expected(secrets, text), out);
    }
  }

  void savedStateThatIsNoneIsRefused() {
    for (const char* saved : {"", "x", "1", "-1 abc", "5 abc", "99999999999999999999 a"}) {
      Masker masker({"abcdefgh"});
      CPPUNIT_ASSERT_THROW_MESSAGE(saved, masker.restore(saved), std::invalid_argument);
    }
  }

  void randomTextsAndCutsAgreeWithTheRule() {
    std::mt19937 random(20);
    for (int round = 0; round < 300; ++round) {
      const auto letters = [&](std::size_t size) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + random() % 2);
        return text;
      };
      std::vector<std::string> secrets;
      for (unsigned i = 0; i <= random() % 4; ++i) secrets.push_back(letters(6 + random() % 6) + "c");
      std::string text;
      for (int i = 0; i < 12; ++i) {
        text += random() % 3 == 0 ? secrets[random() % secrets.size()] : letters(random() % 9);
        if (random() % 4 == 0) text.resize(text.size() - text.size() / 20);
      }
      Masker masker(secrets);
      std::string out, scratch;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = std::min<std::size_t>(1 + random() % 9, text.size() - at);
        out += masker.mask(std::string_view(text).substr(at, size), scratch);
        at += size;
      }
      masker.flush(out);
      CPPUNIT_ASSERT_EQUAL(expected(secrets, text), out);
    }
  }

  void nulAndBadUtf8StayAsTheyAre() {
    const std::string text("a\0b\xff\xfehunter22\x80\0", 15);
    CPPUNIT_ASSERT_EQUAL(std::string("a\0b\xff\xfe[MASKED]\x80\0", 15), maskWhole({"hunter22"}, text));
  }

  void oneLongLineNeedsNoMemory() {
    Masker masker({"hunter22hunter"});
    const std::string block(1u << 20, 'h');
    std::string scratch;
    std::size_t out = 0;
    for (int i = 0; i < 50; ++i) {
      out += masker.mask(block, scratch).size();
      CPPUNIT_ASSERT(masker.pending() <= 14);
    }
    std::string rest;
    masker.flush(rest);
    CPPUNIT_ASSERT_EQUAL(std::size_t{50} << 20, out + rest.size());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(MaskerTest);
