#include "host/http/json_view.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

namespace ocelot::http {
namespace {

constexpr std::size_t kDeepest = 32;
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

struct JsonView::Node {
  Poco::Dynamic::Var value;

  const Poco::JSON::Object* object() const {
    return value.type() == typeid(Poco::JSON::Object::Ptr) ? value.extract<Poco::JSON::Object::Ptr>().get() : nullptr;
  }
  const Poco::JSON::Array* array() const {
    return value.type() == typeid(Poco::JSON::Array::Ptr) ? value.extract<Poco::JSON::Array::Ptr>().get() : nullptr;
  }
};

std::optional<JsonView> JsonView::parse(std::string_view text) {
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(kDeepest);
    return JsonView(std::make_shared<const Node>(Node{parser.parse(std::string(text))}));
  } catch (const Poco::Exception&) {
    return std::nullopt;
  }
}

JsonView JsonView::operator[](const char* key) const {
  const auto* object = node_ ? node_->object() : nullptr;
  if (!object || !object->has(key)) return {};
  return JsonView(std::make_shared<const Node>(Node{object->get(key)}));
}

bool JsonView::isObject() const { return node_ && node_->object(); }
bool JsonView::isArray() const { return node_ && node_->array(); }

std::optional<std::string> JsonView::text() const {
  if (!node_ || !node_->value.isString()) return std::nullopt;
  return node_->value.extract<std::string>();
}

std::optional<std::int64_t> JsonView::number() const {
  if (!node_ || !node_->value.isInteger() || node_->value.isBoolean()) return std::nullopt;
  return node_->value.convert<std::int64_t>();
}

std::optional<bool> JsonView::flag() const {
  if (!node_ || !node_->value.isBoolean()) return std::nullopt;
  return node_->value.convert<bool>();
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> items;
  if (const auto* array = node_ ? node_->array() : nullptr)
    for (const auto& item : *array) items.push_back(JsonView(std::make_shared<const Node>(Node{item})));
  return items;
}

std::vector<std::string> JsonView::keys() const {
  const auto* object = node_ ? node_->object() : nullptr;
  return object ? object->getNames() : std::vector<std::string>();
}

std::vector<std::string> JsonView::texts() const {
  std::vector<std::string> texts;
  for (const auto& item : items())
    if (auto text = item.text()) texts.push_back(std::move(*text));
  return texts;
}

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t i) {
      return at + i < bytes.size() ? static_cast<unsigned>(static_cast<unsigned char>(bytes[at + i])) : 0u;
    };
    const unsigned three = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kDigits[three >> 18];
    out += kDigits[three >> 12 & 63];
    out += at + 1 < bytes.size() ? kDigits[three >> 6 & 63] : '=';
    out += at + 2 < bytes.size() ? kDigits[three & 63] : '=';
  }
  return out;
}

std::optional<std::string> fromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    unsigned four = 0;
    int padding = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const char c = text[at + i];
      const auto digit = kDigits.find(c);
      if (c == '=' && at + 4 == text.size() && i >= 2) {
        ++padding;
        four <<= 6;
      } else if (digit == std::string_view::npos || padding > 0) {
        return std::nullopt;
      } else {
        four = four << 6 | static_cast<unsigned>(digit);
      }
    }
    out += static_cast<char>(four >> 16);
    if (padding < 2) out += static_cast<char>(four >> 8 & 255);
    if (padding < 1) out += static_cast<char>(four & 255);
  }
  return out;
}

}  // namespace ocelot::http
