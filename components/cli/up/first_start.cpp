#include "components/cli/up/first_start.hpp"

#include "components/cli/context.hpp"
#include "host/digest/digest.hpp"
#include "host/engines/engines.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::cli {
namespace {

// The context whose token this store knows.
bool knows(store::Store& store, const Contexts& contexts, const std::string& name, const std::string& url) {
  const auto found = contexts.all.find(name);
  return found != contexts.all.end() && found->second.url == url &&
         store.findToken(digest::sha256Hex(found->second.token)).has_value();
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
  token.sha256_hex = digest::sha256Hex(value);
  engines.store->addToken(token);
  contexts.all[made.context] = {made.context, url, value, "", false};
  contexts.current = made.context;
  writeContexts(contexts);
  made.token = true;
  return made;
}

}  // namespace ocelot::cli
