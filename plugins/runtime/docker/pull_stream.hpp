#pragma once
// What the engine tells while it fetches, imports or loads an image: one JSON object a line, with errors among them
// though the answer's status says 200.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "ocelot/runtime.hpp"

namespace ocelot::docker {

class PullStream {
 public:
  // `text` is what people read beside the numbers.
  PullStream(std::string text, const ProgressSink& sink);

  void line(const std::string& json);

  const std::string& error() const { return error_; }
  // The last "status" or "stream" that said that the work is done; "" when the stream broke off before.
  const std::string& conclusion() const { return conclusion_; }

 private:
  struct Layer {
    std::uint64_t done = 0, total = 0;
  };
  void tell(bool now);

  std::string text_;
  const ProgressSink& sink_;
  std::map<std::string, Layer> layers_;
  std::uint64_t told_ = 0;
  std::chrono::steady_clock::time_point toldAt_;
  std::string error_, conclusion_;
};

// Which failure the engine's words mean. It says 500, 404 or a line within 200 for the same thing.
Status pullStatus(int httpStatus, const std::string& words);

}  // namespace ocelot::docker
