#include "components/cli/up/first_start.hpp"

#include <openssl/evp.h>

#include <array>

#include "components/cli/context.hpp"
#include "host/engines/engines.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::cli {
namespace {

std::string sha256Hex(const std::string& text) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = digest.size();
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

// The context whose token this store knows.
bool knows(store::Store& store, const Contexts& contexts, const std::string& name, const std::string& url) {
  const auto found = contexts.all.find(name);
  return found != contexts.all.end() && found->second.url == url &&
         store.findToken(sha256Hex(found->second.token)).has_value();
}

}  // namespace

Made makeReady(const Installation& installation, const std::string& url) {
  installation.makeFolders();
  auto engines = engines::open(installation.config);
  engines::sharedKey(engines, ticket::kKeySecret);
  Made made;
  // Another installation on this machine has other ports.
  const std::string port = url.substr(url.rfind(':') + 1);
  made.context = port == "7700" ? "local" : "local-" + port;
  Contexts contexts = readContexts();
  if (knows(*engines.store, contexts, made.context, url)) {
    contexts.current = made.context;
    writeContexts(contexts);
    return made;
  }
  store::Token token;
  token.id = model::newUuid().substr(0, 8);
  token.name = "ocelot up";
  token.role = "admin";
  token.created_at = engines.store->now();
  const std::string value = "oct_" + model::newClaimId() + model::newClaimId();
  token.sha256_hex = sha256Hex(value);
  engines.store->addToken(token);
  contexts.all[made.context] = {made.context, url, value, "", false};
  contexts.current = made.context;
  writeContexts(contexts);
  made.token = true;
  return made;
}

}  // namespace ocelot::cli
