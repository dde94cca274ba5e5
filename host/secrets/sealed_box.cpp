#include "host/secrets/sealed_box.hpp"

#include <openssl/evp.h>
#include <sys/random.h>

#include <memory>
#include <stdexcept>

namespace ocelot::secrets {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonce = 12, kTag = 16, kHeader = 1 + kNonce + kTag;

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string associated(std::string_view name) { return "ocelot secret 1:" + std::string(name); }

void require(int result) {
  if (result != 1) throw std::runtime_error("encrypt a secret: OpenSSL refused AES-256-GCM");
}

}  // namespace

std::string seal(const Key& key, std::string_view name, std::string_view value) {
  std::string box(kHeader + value.size(), '\0');
  box[0] = kVersion;
  // Random nonces: by chance two of them meet only after billions of values under one key.
  if (::getrandom(bytes(box) + 1, kNonce, 0) != static_cast<ssize_t>(kNonce))
    throw std::runtime_error("encrypt a secret: the kernel gave no random bytes");
  const std::string data = associated(name);
  const Context context(EVP_CIPHER_CTX_new());
  int length = 0;
  require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(box) + 1));
  require(EVP_EncryptUpdate(context.get(), nullptr, &length, bytes(data), static_cast<int>(data.size())));
  require(
      EVP_EncryptUpdate(context.get(), bytes(box) + kHeader, &length, bytes(value), static_cast<int>(value.size())));
  require(EVP_EncryptFinal_ex(context.get(), bytes(box) + kHeader + length, &length));
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTag), bytes(box) + 1 + kNonce));
  return box;
}

std::optional<std::string> unseal(const Key& key, std::string_view name, std::string_view box) {
  if (box.size() < kHeader || box[0] != kVersion) return std::nullopt;
  const std::string data = associated(name);
  std::string tag(box.substr(1 + kNonce, kTag));
  std::string value(box.size() - kHeader, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int length = 0;
  require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(box) + 1));
  require(EVP_DecryptUpdate(context.get(), nullptr, &length, bytes(data), static_cast<int>(data.size())));
  require(
      EVP_DecryptUpdate(context.get(), bytes(value), &length, bytes(box) + kHeader, static_cast<int>(value.size())));
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTag), tag.data()));
  int rest = 0;
  if (EVP_DecryptFinal_ex(context.get(), bytes(value) + length, &rest) != 1) return std::nullopt;
  return value;
}

}  // namespace ocelot::secrets
