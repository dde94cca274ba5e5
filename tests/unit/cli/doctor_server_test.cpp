// What `ocelot doctor` says of the server that this context names.

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <memory>

#include "components/cli/doctor/check.hpp"
#include "host/http/server.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using test::contains;

namespace {

class DoctorServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DoctorServerTest);
  CPPUNIT_TEST(whatIsAwayFailsAndWhatIsAmissWarns);
  CPPUNIT_TEST_SUITE_END();

 public:
  void whatIsAwayFailsAndWhatIsAmissWarns() {
    http::Routes routes;
    const auto says = [&](const char* path, const char* json, int status = 200) {
      routes.get(path, http::Role::none, [json, status](const http::Request&) { return http::json(json, status); });
    };
    says("/v1/version", R"({"version":")" OCELOT_VERSION R"(","store":"sqlite","token":"t","role":"admin"})");
    says("/v1/workers", R"({"workers":[]})");
    says("/readyz",
         R"({"down":[{"name":"secrets","why":"it is sealed"}],"warnings":[{"name":"queue","why":"nsqd2 is away"},
            {"name":"other"}],"draining":false,"ready":false})",
         503);
    http::ServerSettings settings;
    settings.listen = "127.0.0.1:0";
    const http::Server server(settings, std::move(routes), nullptr);
    ::setenv("OCELOT_URL", server.url().c_str(), 1);
    ::setenv("OCELOT_TOKEN", "oct_x", 1);
    cli::Checks checks;
    cli::checkServer({}, checks);
    ::unsetenv("OCELOT_URL");
    ::unsetenv("OCELOT_TOKEN");
    const auto of = [&](const std::string& what) {
      for (const auto& check : checks)
        if (check.what == what) return check;
      CPPUNIT_FAIL("nothing is said of " + what);
      return cli::Check{};
    };
    CPPUNIT_ASSERT(of("server: secrets").health == cli::Health::fail);
    CPPUNIT_ASSERT_EQUAL(std::string("it is sealed"), of("server: secrets").found);
    CPPUNIT_ASSERT(of("server: queue").health == cli::Health::warn);
    CPPUNIT_ASSERT_EQUAL(std::string("nsqd2 is away"), of("server: queue").found);
    CPPUNIT_ASSERT(contains(of("server: other").found, "/readyz on the server's machine"));
    CPPUNIT_ASSERT(of("workers").health == cli::Health::fail);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DoctorServerTest);

}  // namespace
