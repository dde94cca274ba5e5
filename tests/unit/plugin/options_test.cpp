// What an operator wrote for an instance, against the plugin's table.

#include <cppunit/extensions/HelperMacros.h>

#include "host/plugin/catalog.hpp"
#include "ocelot/abi/option.h"
#include "tests/plugin/loading/fake_host.hpp"

namespace {

using namespace ocelot;
using config::Instance;
using config::Value;
using plugin::Catalog;
using plugin::Description;

Value value(const std::string& text) { return {{text}, false, false, "server.yaml:7"}; }
Value variable(const std::string& text) { return {{text}, false, false, "OCELOT_PLUGINS__VCS__WORK__X_FILE"}; }
Value secret(const std::string& name) { return {{name}, false, true, "server.yaml:8"}; }
Value list(std::vector<std::string> items) { return {std::move(items), true, false, "server.yaml:9"}; }

class Options : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Options);
  CPPUNIT_TEST(everyMistakeIsToldAtOnceWithItsPlace);
  CPPUNIT_TEST(valuesArriveAsThePluginReadsThem);
  CPPUNIT_TEST(defaultsAreFilledIn);
  CPPUNIT_TEST(secretsAreLookedUpAndNeverShown);
  CPPUNIT_TEST(aSecretDoesNotStandInTheFile);
  CPPUNIT_TEST_SUITE_END();

  test::FakeHost host_;
  Description table_{"com.example.gitea",
                     "1.0",
                     "x",
                     0,
                     {},
                     {{"url", OCELOT_URL, OCELOT_REQUIRED, std::nullopt, "where it answers"},
                      {"webhook_secret", OCELOT_TEXT, OCELOT_SECRET, std::nullopt, "shared"},
                      {"pin", OCELOT_NUMBER, OCELOT_SECRET, std::nullopt, "a secret number"},
                      {"timeout", OCELOT_DURATION, 0, "30s", "how long"},
                      {"limit", OCELOT_SIZE, 0, std::nullopt, "how much"},
                      {"retries", OCELOT_NUMBER, 0, std::nullopt, "how often"},
                      {"verify", OCELOT_FLAG, 0, "true", "whether"},
                      {"folder", OCELOT_PATH, 0, std::nullopt, "where"},
                      {"orgs", OCELOT_LIST, 0, std::nullopt, "whose"}}};

  static Instance instance(std::map<std::string, Value> options) {
    return {"work", "gitea", "server.yaml:5", std::move(options)};
  }

  std::string told(const Instance& one) {
    std::string all;
    for (const auto& problem : Catalog::check(table_, one)) all += problem.where + ": " + problem.what + "\n";
    return all;
  }

 public:
  void everyMistakeIsToldAtOnceWithItsPlace() {
    const std::string said = told(instance({{"webhok_secret", value("x")},
                                            {"teapot", value("x")},
                                            {"timeout", value("soon")},
                                            {"limit", value("many")},
                                            {"retries", list({"1"})},
                                            {"verify", value("yes")},
                                            {"folder", value("here")}}));
    for (const char* expected :
         {"server.yaml:7: work.webhok_secret: plugin com.example.gitea has no such option; did you mean "
          "\"webhook_secret\"?\n",
          "server.yaml:7: work.teapot: plugin com.example.gitea has no such option\n",
          "work.timeout: must be a duration (\"10s\", \"5m\", \"1h30m\"), not \"soon\"\n", "work.limit: must be a size",
          "server.yaml:9: work.retries: must be one value, not a list\n",
          "work.verify: must be true or false, not \"yes\"\n", "work.folder: must be an absolute path, not \"here\"\n",
          "server.yaml:5: work.url: is required: where it answers\n"})
      CPPUNIT_ASSERT_MESSAGE(said, said.find(expected) != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), told(instance({{"url", value("https://git.example")}})));
    CPPUNIT_ASSERT(!told(instance({{"url", value("")}})).empty());
    CPPUNIT_ASSERT(!told(instance({{"url", value("ftp://x")}})).empty());
    CPPUNIT_ASSERT(!told(instance({{"url", value("https://x\r\nHost: y")}})).empty());
    CPPUNIT_ASSERT(!told(instance({{"url", secret("x")}})).empty());
  }

  void valuesArriveAsThePluginReadsThem() {
    const Settings settings = Catalog::settingsFor(table_,
                                                   instance({{"url", value("https://git.example")},
                                                             {"timeout", value("1m30s")},
                                                             {"limit", value("1KiB")},
                                                             {"retries", value("007")},
                                                             {"verify", value("false")},
                                                             {"orgs", list({"a", "b"})},
                                                             {"webhook_secret", variable("line\nline")}}),
                                                   host_, {});
    CPPUNIT_ASSERT_EQUAL(std::string("work"), settings.instance());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{90000}, settings.number("timeout"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1024}, settings.number("limit"));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, settings.number("retries"));
    CPPUNIT_ASSERT(!settings.flag("verify") && settings.list("orgs").size() == 2);
    CPPUNIT_ASSERT_EQUAL(std::string("line\nline"), settings.text("webhook_secret"));
    CPPUNIT_ASSERT(!settings.has("folder"));
  }

  void defaultsAreFilledIn() {
    const Settings settings = Catalog::settingsFor(
        table_, instance({{"url", value("https://git.example")}, {"timeout", value("")}}), host_, {});
    CPPUNIT_ASSERT_EQUAL(std::int64_t{30000}, settings.number("timeout"));
    CPPUNIT_ASSERT(settings.flag("verify"));
  }

  void secretsAreLookedUpAndNeverShown() {
    const auto resolve = [](const std::string& name) -> std::optional<std::string> {
      if (name == "gitea") return "hunter2";
      if (name == "empty") return "";
      return std::nullopt;
    };
    const auto with = [&](const std::string& key, const std::string& name) {
      return Catalog::settingsFor(table_, instance({{"url", value("https://x.example")}, {key, secret(name)}}), host_,
                                  resolve);
    };
    CPPUNIT_ASSERT_EQUAL(std::string("hunter2"), with("webhook_secret", "gitea").text("webhook_secret"));
    CPPUNIT_ASSERT_EQUAL(std::string(), with("webhook_secret", "empty").text("webhook_secret"));
    try {
      with("webhook_secret", "gone");
      CPPUNIT_FAIL("a secret that is not there was accepted");
    } catch (const config::Invalid& invalid) {
      CPPUNIT_ASSERT_EQUAL(
          std::string("work.webhook_secret: there is no secret \"gone\"; set it, on the machine of the store: "
                      "ocelot secret set --system gone"),
          invalid.problems().at(0).what);
      CPPUNIT_ASSERT_EQUAL(std::string("server.yaml:8"), invalid.problems().at(0).where);
    }
    try {
      with("pin", "gitea");
      CPPUNIT_FAIL("a secret of the wrong type was accepted");
    } catch (const config::Invalid& invalid) {
      CPPUNIT_ASSERT_EQUAL(std::string("work.pin: the secret \"gitea\" must be a whole number"),
                           invalid.problems().at(0).what);
    }
    const std::string said = told(instance({{"url", value("https://x.example")}, {"pin", variable("hunter2")}}));
    CPPUNIT_ASSERT_EQUAL(std::string("OCELOT_PLUGINS__VCS__WORK__X_FILE: work.pin: must be a whole number\n"), said);
  }

  void aSecretDoesNotStandInTheFile() {
    for (const char* option : {"webhook_secret", "pin"}) {
      const std::string said = told(instance({{"url", value("https://x.example")}, {option, value("hunter2")}}));
      CPPUNIT_ASSERT_EQUAL("server.yaml:7: work." + std::string(option) +
                               ": a secret must not stand here: write !secret NAME, or give it by the environment, "
                               "best as …_FILE\n",
                           said);
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), told(instance({{"url", value("https://x.example")}, {"pin", value("")}})));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Options);

}  // namespace
