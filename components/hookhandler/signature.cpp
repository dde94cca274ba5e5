#include "components/hookhandler/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <array>
#include <vector>

namespace ocelot::hookhandler {

bool signedBy(const std::string& secret, const std::string& body, const std::string& header) {
  if (secret.empty()) return false;
  std::array<unsigned char, 32> raw{};
  unsigned int size = raw.size();
  const std::vector<unsigned char> bytes(body.begin(), body.end());
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes.data(), bytes.size(), raw.data(), &size);
  static const char digits[] = "0123456789abcdef";
  std::string good = "sha256=";
  for (const unsigned char byte : raw) {
    good += digits[byte >> 4];
    good += digits[byte & 15];
  }
  return header.size() == good.size() && CRYPTO_memcmp(header.data(), good.data(), good.size()) == 0;
}

}  // namespace ocelot::hookhandler
