#include "host/pipeline/grant.hpp"

#include <algorithm>
#include <array>

namespace ocelot::pipeline {
namespace {

// As a file writes it: "48h", "1h30m".
std::string written(std::int64_t milliseconds) {
  struct Unit {
    std::int64_t size;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits{{{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}}};
  std::string out;
  for (const Unit& unit : kUnits) {
    if (milliseconds >= unit.size) out += std::to_string(milliseconds / unit.size) + unit.name;
    milliseconds %= unit.size;
  }
  return out.empty() ? "0s" : out;
}

std::string size(std::uint64_t bytes) {
  for (const auto& [shift, name] : {std::pair{30, "GiB"}, std::pair{20, "MiB"}, std::pair{10, "KiB"}})
    if (bytes >= (1ull << shift) && bytes % (1ull << shift) == 0) return std::to_string(bytes >> shift) + name;
  return std::to_string(bytes) + " bytes";
}

std::string cores(std::uint32_t millis) {
  std::string out = std::to_string(millis / 1000);
  if (millis % 1000 == 0) return out;
  std::string part = std::to_string(1000 + millis % 1000).substr(1);
  while (part.back() == '0') part.pop_back();
  return out + "." + part;
}

// What is asked for where it is, and else what there is.
template <class Number, class Words>
Number take(Number asked, Number most, const char* key, const char* setting, Words words, std::string& excess) {
  if (asked == 0) return most;
  if (most != 0 && asked > most)
    excess += std::string(excess.empty() ? "" : "; ") + "resources." + key + " " + words(asked) + ", and " + setting +
              " is " + words(most);
  return asked;
}

}  // namespace

Grant grant(const Pipeline& pipeline, const Ceiling& ceiling) {
  Grant out;
  const Limits& asked = pipeline.resources;
  const Limits& most = ceiling.resources;
  std::string excess;
  out.resources.memory_bytes =
      take(asked.memory_bytes, most.memory_bytes, "memory", "worker.memory_limit", size, excess);
  out.resources.cpu_millis = take(asked.cpu_millis, most.cpu_millis, "cpus", "worker.cpu_limit", cores, excess);
  out.resources.pids = take(
      asked.pids, most.pids, "pids", "worker.pids_limit", [](std::uint32_t n) { return std::to_string(n); }, excess);
  out.resources.disk_bytes = asked.disk_bytes;
  if (!excess.empty())
    out.refusal = "ocelot.yml asks for more than this worker gives: " + excess +
                  "; ask for less, or have an operator raise the limit";

  out.timeout_ms = pipeline.timeout_ms > 0 ? pipeline.timeout_ms : ceiling.timeout_ms;
  if (ceiling.max_timeout_ms > 0 && out.timeout_ms > ceiling.max_timeout_ms) {
    out.timeout_ms = ceiling.max_timeout_ms;
    if (pipeline.timeout_ms > 0)
      out.note = "ocelot.yml asks for timeout: " + written(pipeline.timeout_ms) + ", and this worker gives at most " +
                 written(ceiling.max_timeout_ms) + " (worker.max_build_timeout): the build has until then";
  }

  out.network = pipeline.network == "none" ? "none" : ceiling.network;
  if (out.refusal.empty() && pipeline.network == "host" && ceiling.network != "host")
    out.refusal =
        "ocelot.yml asks for network: host, and this worker does not give it; an operator can, by worker.network";
  return out;
}

}  // namespace ocelot::pipeline
