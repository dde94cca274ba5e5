// PostgreSQL over TLS, as store.dsn asks for it.

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

std::string refusal(const TlsServer& server, const std::string& options, const std::string& password) {
  store::StoreSettings settings;
  settings.kind = "postgres";
  settings.dsn = server.address() + " " + options;
  settings.password = password;
  try {
    store::open(settings);
  } catch (const store::Unavailable& away) {
    return away.what();
  }
  return "taken in";
}

void says(const std::string& word, const std::string& sentence) {
  CPPUNIT_ASSERT_MESSAGE(sentence + "\nwithout: " + word, sentence.find(word) != std::string::npos);
}

}  // namespace

CONTRACT(aServerIsTrustedByItsCertificateAndName) {
  if (!ground.engine().hasServer()) return;
  const auto server = tlsPostgres();
  const std::string strictly = "sslmode=verify-full sslrootcert=";

  store::StoreSettings settings;
  settings.kind = "postgres";
  settings.dsn = server->address() + " host=localhost " + strictly + server->certificate();
  settings.password = server->password();
  const auto store = store::open(settings);
  store->migrate();
  const auto accepted = store->accept(Ground::someBuild(), "");
  const auto watch = store->watch(accepted.id);
  waitUntil("the listener connects by the same rules", [&] { return watch->fd() >= 0; });

  const std::string password = server->password();
  says("certificate verify failed", refusal(*server, "host=localhost " + strictly + server->unrelated(), password));
  says("does not match host name",
       refusal(*server, "host=db.example.org " + strictly + server->certificate(), password));
  says("no encryption", refusal(*server, "host=localhost sslmode=disable", password));
  says("password authentication failed",
       refusal(*server, "host=localhost " + strictly + server->certificate(), "another"));
  says("taken in", refusal(*server, "host=localhost " + strictly + server->certificate(), password));
}
