#include "pull_stream.hpp"

#include <algorithm>
#include <cctype>

#include "json.hpp"

namespace ocelot::docker {
namespace {

constexpr std::size_t kMostLayers = 512;  // an image has at most 127
constexpr std::int64_t kMostBytes = std::int64_t(1) << 50;

std::uint64_t bytesOf(const Object& object, const char* key) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(numberOf(object, key).value_or(0), 0, kMostBytes));
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

PullStream::PullStream(std::string text, const ProgressSink& sink) : text_(std::move(text)), sink_(sink) { tell(true); }

void PullStream::line(const std::string& json) {
  const Object said = parseObject(json);
  if (said.isNull()) {
    if (error_.empty()) error_ = "the engine's progress is not JSON: " + printable(json, 100);
    return;
  }
  std::string error = textOf(said, "error");
  if (error.empty()) error = textOf(objectOf(said, "errorDetail"), "message");
  if (!error.empty()) {
    error_ = printable(error);
    return;
  }
  const std::string status = textOf(said, "status");
  const std::string stream = textOf(said, "stream");
  if (status.rfind("Status: ", 0) == 0 || status.rfind("sha256:", 0) == 0) conclusion_ = printable(status);
  if (stream.rfind("Loaded image", 0) == 0) conclusion_ = printable(stream);

  const std::string id = textOf(said, "id");
  if (id.empty() || (layers_.count(id) == 0 && layers_.size() >= kMostLayers)) return;
  const Object detail = objectOf(said, "progressDetail");
  if (status == "Downloading") {
    Layer& layer = layers_[id];
    layer.done = bytesOf(detail, "current");
    layer.total = std::max(layer.done, bytesOf(detail, "total"));
    tell(false);
  } else if (status == "Download complete" || status == "Pull complete") {
    Layer& layer = layers_[id];
    layer.done = layer.total;
    tell(false);
  }
}

// People read ten steps a second at most, and each goes through a log.
void PullStream::tell(bool now) {
  PullProgress progress;
  progress.text = text_;
  for (const auto& entry : layers_) {
    progress.done_bytes += entry.second.done;
    progress.total_bytes += entry.second.total;
  }
  const auto time = std::chrono::steady_clock::now();
  if (!now && (progress.done_bytes == told_ || time - toldAt_ < std::chrono::milliseconds(100))) return;
  told_ = progress.done_bytes;
  toldAt_ = time;
  if (sink_) sink_(progress);
}

Status pullStatus(int httpStatus, const std::string& words) {
  std::string text;
  for (const char c : words) text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // "pull access denied …, repository does not exist or may require 'docker login'" is both; a credential is what
  // helps.
  if (has(text, "unauthorized") || has(text, "authentication required") || has(text, "no basic auth") ||
      has(text, "denied") || has(text, "incorrect username or password")) {
    return Status::unauthenticated;
  }
  if (has(text, "toomanyrequests") || has(text, "no such host")) return Status::unavailable;
  if (httpStatus == 404 || has(text, "manifest unknown") || has(text, "name unknown") || has(text, "not found") ||
      has(text, "no matching manifest")) {
    return Status::not_found;
  }
  return httpStatus == 400 ? Status::invalid : Status::unavailable;
}

}  // namespace ocelot::docker
