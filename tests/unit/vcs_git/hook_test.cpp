// What a push says, and whether it comes from whom it says.

#include <cppunit/extensions/HelperMacros.h>

#include <cctype>
#include <cstdio>
#include <vector>

#include "tests/support/fails.hpp"
#include "tests/unit/vcs_git/scene.hpp"

using namespace ocelot;
using test::assertFails;

namespace {

class VcsGitHookTest : public vcs_git::test::Scene {
  CPPUNIT_TEST_SUITE(VcsGitHookTest);
  CPPUNIT_TEST(aSignatureHoldsOrDoesNot);
  CPPUNIT_TEST(aPushIsRead);
  CPPUNIT_TEST(badPushesAreRefused);
  CPPUNIT_TEST_SUITE_END();

  std::string signature(const std::string& key, const std::string& body) {
    std::string out = "sha256=";
    for (const char c : host_.crypto().hmacSha256(key, body)) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
      out += two;
    }
    return out;
  }

 public:
  void aSignatureHoldsOrDoesNot() {
    const std::string body = "{\"repo\": \"a/b\"}", right = signature("key", body);
    git_.verifyHook(call_, {{{"x-ocelot-signature-256", right}}, body});
    std::string upper = right, flipped = right;
    for (std::size_t i = 7; i < upper.size(); ++i) upper[i] = static_cast<char>(std::toupper(upper[i]));
    flipped.back() = flipped.back() == '0' ? '1' : '0';
    const std::vector<Hook> bad{
        {{}, body},
        {{{"x-ocelot-signature-256", ""}}, body},
        {{{"x-ocelot-signature-256", "sha256="}}, body},
        {{{"x-ocelot-signature-256", right.substr(7)}}, body},
        {{{"x-ocelot-signature-256", right + "0"}}, body},
        {{{"x-ocelot-signature-256", right.substr(0, right.size() - 1)}}, body},
        {{{"x-ocelot-signature-256", upper}}, body},
        {{{"x-ocelot-signature-256", flipped}}, body},
        {{{"x-ocelot-signature-256", right}}, body + " "},
        {{{"x-ocelot-signature-256", right}, {"x-ocelot-signature-256", right}}, body},
        {{{"x-ocelot-signature-256", signature("other", body)}}, body},
        {{{"x-ocelot-signature", right}}, body},
    };
    std::string said;
    for (const Hook& hook : bad) {
      try {
        git_.verifyHook(call_, hook);
        CPPUNIT_FAIL("accepted");
      } catch (const Error& error) {
        CPPUNIT_ASSERT(error.status() == Status::unauthenticated);
        CPPUNIT_ASSERT(said.empty() || said == error.what());  // the same words for every cause
        said = error.what();
      }
    }
    Settings without = settings();
    without.set("hook_secret", {});
    vcs_git::Git none(without);
    assertFails(Status::unauthenticated, "", [&] {
      none.verifyHook(call_, {{{"x-ocelot-signature-256", signature("", body)}}, body});
    });
  }

  void aPushIsRead() {
    const std::string commit(40, 'a'), before(40, 'b'), zeros(40, '0');
    auto changes =
        git_.parseHook(call_, {{},
                               R"({"repo":"https://example.com/a/b.git","branch":"refs/heads/main","commit":")" +
                                   commit + R"(","before":")" + before + "\"}"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, changes.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), changes[0].repo.name);
    CPPUNIT_ASSERT_EQUAL(std::string("main"), changes[0].branch);
    CPPUNIT_ASSERT_EQUAL(before, changes[0].before);
    CPPUNIT_ASSERT(!changes[0].files_complete);
    changes = git_.parseHook(call_, {{},
                                     R"({"repo":"a/b","branch":"main","commit":")" + commit + R"(","before":")" +
                                         zeros + R"(","more":{"x":[1]}})"});
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), changes[0].repo.name);
    CPPUNIT_ASSERT_EQUAL(std::string(), changes[0].before);
    assertFails(Status::ignored, "was removed", [&] {
      git_.parseHook(call_, {{}, R"({"repo":"a/b","branch":"main","commit":")" + zeros + "\"}"});
    });
  }

  void badPushesAreRefused() {
    const std::string a(40, 'a');
    for (const std::string& body :
         {std::string(), std::string("x"), std::string("[]"), std::string("null"), std::string("\"x\""),
          std::string("{"), std::string(1000000, '['), std::string("{\"repo\":\"a/b\",\"branch\":\"main\"}"),
          R"({"repo":null,"branch":"main","commit":")" + a + "\"}",
          R"({"repo":["x"],"branch":"main","commit":")" + a + "\"}",
          R"({"repo":"a/b","branch":9223372036854775808,"commit":")" + a + "\"}",
          R"({"repo":"a/b","branch":"--upload-pack=x","commit":")" + a + "\"}",
          R"({"repo":"a/b","branch":"","commit":")" + a + "\"}",
          std::string(R"({"repo":"a/b","branch":"main","commit":"HEAD"})"),
          R"({"repo":"a/b","branch":"main","commit":")" + a + "\",\"before\":\"x\"}",
          R"({"repo":"ext::sh","branch":"main","commit":")" + a + "\"}",
          R"({"repo":"file:///etc","branch":"main","commit":")" + a + "\"}",
          R"({"repo":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}},"branch":"main","commit":")" + a + "\"}"}) {
      assertFails(Status::invalid, "", [&] { git_.parseHook(call_, {{}, body}); });
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VcsGitHookTest);

}  // namespace
