#pragma once
// What both halves of the wire share: strings, arrays, structs of another age, and the one firewall against exceptions.

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocelot/abi/base.h"
#include "ocelot/call.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

inline ocelot_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }

inline std::string_view view(const ocelot_str& text) {
  if (text.size == 0) return {};
  if (text.data == nullptr) throw Error(Status::internal, "a string across the plugin boundary has a size and no data");
  return {text.data, text.size};
}

inline std::string text(const ocelot_str& value) { return std::string(view(value)); }

// Our copy of a struct that may be older or newer than this code: members that its maker did not know are zero.
template <class Struct>
Struct seen(const Struct* from) {
  if (from == nullptr) throw Error(Status::internal, "a null pointer came across the plugin boundary");
  Struct copy{};
  std::memcpy(&copy, from, from->size < sizeof copy ? from->size : sizeof copy);
  return copy;
}

inline ocelot_str seen(const ocelot_str* from) {
  if (from == nullptr) throw Error(Status::internal, "a null pointer came across the plugin boundary");
  return *from;
}

// Walks an array of structs by the size of its first element.
template <class Struct, class Visit>
void each(const Struct* rows, std::size_t count, Visit&& visit) {
  if (count == 0) return;
  const std::size_t step = seen(rows).size;
  if (step < sizeof rows->size || step % alignof(Struct) != 0)
    throw Error(Status::internal, "an array across the plugin boundary has elements of an impossible size");
  const char* at = reinterpret_cast<const char*>(rows);
  for (std::size_t i = 0; i < count; ++i, at += step) visit(seen(reinterpret_cast<const Struct*>(at)));
}

// A list of strings lent to the other side: borrows from `texts`.
class LentTexts {
 public:
  explicit LentTexts(std::vector<std::string>&&) = delete;  // it borrows
  explicit LentTexts(const std::vector<std::string>& texts) {
    rows_.reserve(texts.size());
    for (const std::string& one : texts) rows_.push_back(str(one));
  }
  ocelot_strs get() const noexcept { return {rows_.data(), rows_.size()}; }

 private:
  std::vector<ocelot_str> rows_;
};

using TextPairs = std::vector<std::pair<std::string, std::string>>;

class LentPairs {
 public:
  explicit LentPairs(TextPairs&&) = delete;  // it borrows
  explicit LentPairs(const TextPairs& pairs) {
    rows_.reserve(pairs.size());
    for (const auto& [key, value] : pairs) rows_.push_back({str(key), str(value)});
  }
  ocelot_pairs get() const noexcept { return {rows_.data(), rows_.size()}; }

 private:
  std::vector<ocelot_pair> rows_;
};

inline std::vector<std::string> texts(const ocelot_strs& lent, std::size_t most, const char* what) {
  if (lent.count > most)
    throw Error(Status::internal, std::string(what) + ": " + std::to_string(lent.count) + ", and " +
                                      std::to_string(most) + " are the most");
  std::vector<std::string> all;
  all.reserve(lent.count);
  for (std::size_t i = 0; i < lent.count; ++i) all.push_back(text(lent.rows[i]));
  return all;
}

inline TextPairs pairs(const ocelot_pairs& lent, std::size_t most, const char* what) {
  if (lent.count > most)
    throw Error(Status::internal, std::string(what) + ": " + std::to_string(lent.count) + ", and " +
                                      std::to_string(most) + " are the most");
  TextPairs all;
  all.reserve(lent.count);
  for (std::size_t i = 0; i < lent.count; ++i) all.emplace_back(text(lent.rows[i].key), text(lent.rows[i].value));
  return all;
}

// Everything that carries lists across is bounded, so that a count gone wrong is a message and not an allocation.
constexpr std::size_t kMostPairs = 100000;
constexpr std::size_t kMostHeads = 10000;
constexpr std::size_t kMostMessages = 1000;
constexpr std::size_t kMostFiles = 10000;
constexpr std::size_t kMostChanges = 1000;
constexpr std::size_t kMostContainers = 100000;

// The firewall: runs `body` and turns whatever it throws into a status and a sentence. Nothing else in the SDK catches
// everything. `tell(sentence)` must not throw.
template <class Body, class Tell>
ocelot_status guarded(const char* doing, Tell&& tell, Body&& body) noexcept {
  try {
    body();
    return OCELOT_OK;
  } catch (const Error& error) {
    tell(error.what());
    return error.status() == Status::ok ? OCELOT_INTERNAL : static_cast<ocelot_status>(error.status());
  } catch (const std::exception& error) {
    // The heap may be what failed: no string is built here.
    char sentence[512];
    std::snprintf(sentence, sizeof sentence, "%s: %s", doing, error.what());
    tell(sentence);
    return OCELOT_INTERNAL;
  } catch (...) {
    char sentence[128];
    std::snprintf(sentence, sizeof sentence, "%s: something that is no std::exception was thrown", doing);
    tell(sentence);
    return OCELOT_INTERNAL;
  }
}

inline Status statusFrom(ocelot_status status) noexcept {
  return status > OCELOT_OK && status <= OCELOT_INTERNAL ? static_cast<Status>(status) : Status::internal;
}

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
