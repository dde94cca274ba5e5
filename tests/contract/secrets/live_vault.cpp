#include "tests/contract/secrets/live_vault.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cppunit/TestAssert.h>

#include <cstdlib>
#include <fstream>

#include "host/http/json.hpp"
#include "host/model/build.hpp"
#include "host/process/process.hpp"
#include "tests/contract/support/contract.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string urlOrSkip() {
  const std::string url = variable("OCELOT_TEST_VAULT");
  if (url.empty()) skip("OCELOT_TEST_VAULT names no server: scripts/engines start vault");
  return url;
}

int freePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, plain, size) != 0 || ::getsockname(fd, plain, &size) != 0) CPPUNIT_FAIL("no port is free");
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

LiveVault::LiveVault() : LiveVault(urlOrSkip(), variable("OCELOT_TEST_VAULT_TOKEN")) {}

http::JsonView LiveVault::root(const std::string& method, const std::string& path, const std::string& body) {
  const auto reply = http_.send(root_, {method, path, body, ""});
  CPPUNIT_ASSERT_MESSAGE(method + " " + path + ": " + secrets::said(reply), reply.status < 300);
  return reply.body;
}

std::shared_ptr<secrets::VaultSession> LiveVault::session(secrets::VaultAuth auth) {
  return std::make_shared<secrets::VaultSession>(secrets::VaultPlace{url_, "", "", kPatience}, std::move(auth),
                                                 [](LogLevel, std::string_view) {});
}

std::shared_ptr<secrets::VaultSession> LiveVault::asRoot() {
  secrets::VaultAuth auth;
  auth.token = root_;
  return session(auth);
}

LiveMount::LiveMount(LiveVault& vault, int version) : vault_(vault), path_("ocelot-test-" + model::newUuid()) {
  vault_.root("POST", "sys/mounts/" + path_,
              R"({"type":"kv","options":{"version":")" + std::to_string(version) + "\"}}");
  // Version 2 is upgraded in the background for a moment, and says so with 400.
  waitUntil(path_ + " answers", [&] {
    auto session = vault_.asRoot();
    const std::string path = path_ + (version == 2 ? "/metadata" : "") + "?list=true";
    return session->ask("probe", {"GET", path, "", ""}).status == 404;
  });
}

LiveMount::~LiveMount() {
  try {
    vault_.root("DELETE", "sys/mounts/" + path_);
  } catch (const std::exception&) {
    // A Vault that the test has killed.
  }
}

LiveAppRole::LiveAppRole(LiveVault& vault, const std::string& policy, const std::string& more)
    : vault_(vault), name_("ocelot-test-" + model::newUuid()) {
  try {
    vault_.root("POST", "sys/auth/approle", R"({"type":"approle"})");
  } catch (const CppUnit::Exception&) {
    // Enabled by an earlier test.
  }
  vault_.root("PUT", "sys/policies/acl/" + name_, "{\"policy\":" + http::quoted(policy) + "}");
  vault_.root("POST", "auth/approle/role/" + name_, "{\"token_policies\":[\"" + name_ + "\"]" + more + "}");
  role_id_ = *vault_.root("GET", "auth/approle/role/" + name_ + "/role-id")["data"]["role_id"].text();
  const auto secret = vault_.root("POST", "auth/approle/role/" + name_ + "/secret-id", "{}");
  std::ofstream(folder_.path() + "/secret-id") << *secret["data"]["secret_id"].text() << "\n";
}

LiveAppRole::~LiveAppRole() {
  try {
    vault_.root("DELETE", "auth/approle/role/" + name_);
    vault_.root("DELETE", "sys/policies/acl/" + name_);
  } catch (const std::exception&) {
    // As above.
  }
}

secrets::VaultAuth LiveAppRole::auth() const {
  secrets::VaultAuth auth;
  auth.method = "approle";
  auth.role_id = role_id_;
  auth.secret_id_file = folder_.path() + "/secret-id";
  return auth;
}

OwnVault::OwnVault() {
  const std::string program = variable("OCELOT_TEST_VAULT_PROGRAM");
  if (program.empty()) skip("OCELOT_TEST_VAULT_PROGRAM names no vault: scripts/engines start vault");
  const std::string address = "127.0.0.1:" + std::to_string(freePort());
  const std::string plugins = variable("OCELOT_TEST_VAULT_PLUGINS");
  std::ofstream(folder_.path() + "/vault.hcl") << (plugins.empty() ? "" : "plugin_directory = \"" + plugins + "\"\n")
                                               << "disable_mlock = true\nstorage \"inmem\" {}\nlistener \"tcp\" {\n"
                                               << "  address = \"" << address << "\"\n  tls_disable = true\n}\n"
                                               << "api_addr = \"http://" << address << "\"\n";
  process::Child::Start start;
  start.program = program;
  start.arguments = {"server", "-config", folder_.path() + "/vault.hcl"};
  start.environment = process::plainEnvironment();
  start.environment["HOME"] = folder_.path();
  server_ = std::make_unique<process::Child>(process::Child::start(start));
  const std::string url = "http://" + address;
  secrets::VaultHttp http({url, "", "", std::chrono::milliseconds(30000)});
  waitUntil("the test's own Vault answers", [&] {
    try {
      return http.send("", {"GET", "sys/seal-status", "", ""}).status == 200;
    } catch (const secrets::Unavailable&) {
      return false;
    }
  });
  const auto made = http.send("", {"PUT", "sys/init", R"({"secret_shares":1,"secret_threshold":1})", ""}).body;
  unseal_key_ = made["keys_base64"].texts().at(0);
  vault_ = std::make_unique<LiveVault>(url, made["root_token"].text().value());
  unseal();
}

OwnVault::~OwnVault() { kill(); }

void OwnVault::unseal() {
  secrets::VaultHttp http({vault_->url(), "", "", std::chrono::milliseconds(30000)});
  http.send("", {"PUT", "sys/unseal", "{\"key\":\"" + unseal_key_ + "\"}", ""});
  waitUntil("the test's own Vault is unsealed", [&] {
    try {
      return http.send("", {"GET", "sys/health", "", ""}).status == 200;
    } catch (const secrets::Unavailable&) {
      return false;
    }
  });
}

void OwnVault::kill() {
  if (!server_) return;
  server_->signal(SIGKILL);
  server_->wait();
  server_.reset();
}

}  // namespace ocelot::test
