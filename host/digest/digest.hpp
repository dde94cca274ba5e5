#pragma once
// SHA-256 as it is written down: 64 lower-case hex digits. [any] thread; throws std::runtime_error when the crypto
// library fails.

#include <memory>
#include <string>
#include <string_view>

namespace ocelot::digest {

std::string sha256Hex(std::string_view bytes);
std::string hmacSha256Hex(std::string_view key, std::string_view bytes);

// The digests themselves, 32 bytes.
std::string sha256(std::string_view bytes);
std::string hmacSha256(std::string_view key, std::string_view bytes);

std::string hex(std::string_view bytes);

// SHA-256 of what comes in parts. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string hex();  // of all that was added; once, at the end

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// In a time that tells nothing but whether the sizes are the same.
bool equal(std::string_view a, std::string_view b);

}  // namespace ocelot::digest
