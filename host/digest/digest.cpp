#include "host/digest/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>
#include <stdexcept>

namespace ocelot::digest {
namespace {

constexpr std::size_t kBytes = 32;

unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string out(kBytes, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), raw(out), nullptr, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 of " + std::to_string(bytes.size()) + " bytes: the crypto library failed");
  return out;
}

std::string hmacSha256(std::string_view key, std::string_view bytes) {
  std::string out(kBytes, '\0');
  unsigned int size = kBytes;
  if (key.size() > INT_MAX ||
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), raw(out), &size) == nullptr)
    throw std::runtime_error("HMAC-SHA256 of " + std::to_string(bytes.size()) + " bytes: the crypto library failed");
  return out;
}

struct Sha256::Context {
  EVP_MD_CTX* of = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(of); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (context_->of == nullptr || EVP_DigestInit_ex(context_->of, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("begin a SHA-256: the crypto library failed");
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  if (EVP_DigestUpdate(context_->of, bytes.data(), bytes.size()) != 1)
    throw std::runtime_error("SHA-256 of " + std::to_string(bytes.size()) + " bytes: the crypto library failed");
}

std::string Sha256::hex() {
  std::string out(kBytes, '\0');
  if (EVP_DigestFinal_ex(context_->of, raw(out), nullptr) != 1)
    throw std::runtime_error("end a SHA-256: the crypto library failed");
  return digest::hex(out);
}

std::string hex(std::string_view bytes) {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string sha256Hex(std::string_view bytes) { return hex(sha256(bytes)); }
std::string hmacSha256Hex(std::string_view key, std::string_view bytes) { return hex(hmacSha256(key, bytes)); }

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ocelot::digest
