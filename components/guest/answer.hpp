#pragma once
// What both ends of a secret's way say: a line asks, and the answer is "OK <size>\n" and so many bytes, or "ERR
// <sentence>\n".

#include <cstddef>
#include <string>
#include <string_view>

namespace ocelot::guest {

inline constexpr std::size_t kMaxSecret = 64u << 10;
inline constexpr std::size_t kMaxAnswer = kMaxSecret + 4096;

enum class Answer {
  incomplete,  // more bytes will come
  given,       // `content` is the secret
  refused,     // `content` is the sentence
  garbled,     // nothing that a broker says
};
Answer parseAnswer(std::string_view bytes, std::string& content);

bool isSecretName(std::string_view name);

}  // namespace ocelot::guest
