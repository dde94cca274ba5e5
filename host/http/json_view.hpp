#pragma once
// A JSON document that came from outside, read without trust: what is absent, or of another type than wanted, is
// nullopt, never a default. Keeps the parser out of headers.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocelot::http {

// A value of the document; shares it with the views made from it. [any] thread.
class JsonView {
 public:
  // nullopt: not JSON, or nested deeper than 32. The caller bounds the size.
  static std::optional<JsonView> parse(std::string_view text);

  JsonView() = default;                        // an absent value
  JsonView operator[](const char* key) const;  // absent when this is no object or has no such member
  JsonView operator[](const std::string& key) const { return (*this)[key.c_str()]; }
  bool isObject() const;
  bool isArray() const;
  std::optional<std::string> text() const;
  std::optional<std::int64_t> number() const;  // a whole one
  std::optional<bool> flag() const;
  std::vector<JsonView> items() const;     // of an array; else empty
  std::vector<std::string> keys() const;   // of an object; else empty
  std::vector<std::string> texts() const;  // of an array: those items that are texts

 private:
  struct Node;
  explicit JsonView(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

// Bytes as base64 and back; nullopt: not base64.
std::string base64(std::string_view bytes);
std::optional<std::string> fromBase64(std::string_view text);

}  // namespace ocelot::http
