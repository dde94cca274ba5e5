#include "components/worker/build/mask_file.hpp"

#include <sstream>
#include <stdexcept>

#include "host/builddir/directory.hpp"
#include "host/builddir/order.hpp"
#include "host/http/json_view.hpp"

namespace ocelot::worker {
namespace {

// ocelot-mask 2, then a line each:
//   given <base64>
//   served <journal offset> <NAME> <base64>
//   said <journal offset> <base64>
constexpr std::string_view kMaskHead = "ocelot-mask 2\n";

// "-" for nothing: each line has all its words.
std::string maskWord(const std::string& bytes) { return bytes.empty() ? "-" : http::base64(bytes); }

bool takeMaskWord(std::istream& from, std::string& bytes) {
  std::string word;
  from >> word;
  const auto decoded = word == "-" ? std::optional(std::string()) : http::fromBase64(word);
  if (!from || !decoded) return false;
  bytes = *decoded;
  return true;
}

}  // namespace

MaskFile MaskFile::begin(const std::string& path, std::vector<std::string> given) {
  MaskFile file(path);
  file.given_ = std::move(given);
  file.write();
  return file;
}

std::optional<MaskFile> MaskFile::readIfPresent(const std::string& path) {
  const auto text = builddir::readIfPresent(path);
  if (!text) return std::nullopt;
  MaskFile file(path);
  if (text->compare(0, 1, "{") == 0) {
    // The version before kept an envelope: all that the build could be given was masked from its beginning.
    for (const auto& [name, value] : builddir::decodeEnvelope(*text).secrets)
      file.interjections_.push_back({0, name, value});
    return file;
  }
  const auto damaged = [&path]() -> std::runtime_error {
    return std::runtime_error("read what to mask in the build's log from " + path + ": it is damaged");
  };
  if (text->compare(0, kMaskHead.size(), kMaskHead) != 0) throw damaged();
  std::istringstream lines(text->substr(kMaskHead.size()));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kind, value;
    Interjection one;
    words >> kind;
    if (kind == "given" && takeMaskWord(words, value)) {
      file.given_.push_back(value);
    } else if ((kind == "said" && words >> one.at && takeMaskWord(words, one.text)) ||
               (kind == "served" && words >> one.at >> one.secret && takeMaskWord(words, one.text))) {
      file.interjections_.push_back(std::move(one));
    } else {
      throw damaged();
    }
  }
  return file;
}

std::map<std::string, std::string> MaskFile::served() const {
  std::map<std::string, std::string> values;
  for (const auto& one : interjections_)
    if (!one.secret.empty()) values[one.secret] = one.text;
  return values;
}

void MaskFile::add(Interjection interjection) {
  interjections_.push_back(std::move(interjection));
  write();
}

void MaskFile::write() const {
  if (path_.empty()) return;
  std::string text(kMaskHead);
  for (const auto& value : given_) text += "given " + maskWord(value) + "\n";
  for (const auto& one : interjections_) {
    const std::string at = std::to_string(one.at) + " ";
    text += (one.secret.empty() ? "said " + at : "served " + at + one.secret + " ") + maskWord(one.text) + "\n";
  }
  builddir::replaceFile(path_, text);
}

}  // namespace ocelot::worker
