#pragma once
// Numbers and texts as they lie in plan and journal: little endian, texts after their u32 length. Bounds are checked
// here; what a value may be is checked where it is known what it means.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ocelot::journal::wire {

inline void put8(std::string& to, std::uint8_t value) { to.push_back(static_cast<char>(value)); }

inline void put32(std::string& to, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<char>(value >> shift & 0xff));
}

inline void put64(std::string& to, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) to.push_back(static_cast<char>(value >> shift & 0xff));
}

inline void putText(std::string& to, std::string_view text) {
  put32(to, static_cast<std::uint32_t>(text.size()));
  to.append(text);
}

// Takes values off the front of `bytes`; throws Error(where + ": cut short") when there are too few.
template <class Error>
class Reader {
 public:
  explicit Reader(std::string_view bytes, std::string where = {}) : left_(bytes), where_(std::move(where)) {}

  void at(std::string where) { where_ = std::move(where); }
  const std::string& where() const { return where_; }
  std::size_t left() const { return left_.size(); }

  std::uint8_t take8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t take32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t take64() { return number(8); }
  std::string_view takeText() { return take(take32()); }
  std::string_view takeRest() { return take(left_.size()); }

  // A yes or no; anything but 0 and 1 is an error.
  bool takeFlag() {
    const auto value = take8();
    if (value > 1) fail("a flag that is neither 0 nor 1");
    return value == 1;
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error(where_ + ": " + what); }

 private:
  std::string_view take(std::size_t size) {
    if (size > left_.size()) fail("cut short");
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const auto bytes = take(size);
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }

  std::string_view left_;
  std::string where_;
};

}  // namespace ocelot::journal::wire
