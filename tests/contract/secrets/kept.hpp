#pragma once
// SECRETS_CONTRACT(aSentenceInCamelCase) { … kept … }: what holds wherever secrets are kept. Each becomes four tests:
// on the stand-in over each store, and on a real Vault with key-value engines of version 1 and 2.

#include "host/secrets/secrets.hpp"
#include "tests/contract/support/contract.hpp"

namespace ocelot::test {

struct OnVault {
  OnVault(const char* name, void (*body)(secrets::Secrets&));
};

}  // namespace ocelot::test

#define SECRETS_CONTRACT(name)                                                               \
  static void name##_body(ocelot::secrets::Secrets& kept);                                   \
  CONTRACT(name) {                                                                           \
    const ocelot::test::TemporaryFolder folder;                                              \
    name##_body(*ocelot::secrets::openStoreSecrets(ground.store(), folder.path() + "/key")); \
  }                                                                                          \
  static const ocelot::test::OnVault name##_on_vault(#name, name##_body);                    \
  static void name##_body(ocelot::secrets::Secrets& kept)
