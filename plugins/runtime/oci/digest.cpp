#include "digest.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "ocelot/call.hpp"

namespace ocelot::oci {

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (!context_->evp || EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1)
    throw Error(Status::internal, "sha256: OpenSSL refused to begin");
}

Sha256::~Sha256() = default;

void Sha256::update(const void* data, std::size_t size) { EVP_DigestUpdate(context_->evp, data, size); }

std::string Sha256::digest() {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_->evp, bytes, &size);
  std::string text = "sha256:";
  for (unsigned int i = 0; i < size; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

std::string digestOf(std::string_view data) {
  Sha256 sha;
  sha.update(data);
  return sha.digest();
}

bool isDigest(std::string_view text) {
  return text.size() == 71 && text.substr(0, 7) == "sha256:" && std::all_of(text.begin() + 7, text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string hexOf(std::string_view digest) { return std::string(digest.substr(digest.find(':') + 1)); }

}  // namespace ocelot::oci
