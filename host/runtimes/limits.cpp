#include "host/runtimes/limits.hpp"

namespace ocelot::runtimes {

builddir::BuildLimits limitsOf(const config::Config& config) {
  builddir::BuildLimits limits;
  limits.memory_bytes = static_cast<std::uint64_t>(config.size("worker.memory_limit"));
  limits.cpu_millis = static_cast<std::uint32_t>(config.number("worker.cpu_limit"));
  limits.pids = static_cast<std::uint32_t>(config.number("worker.pids_limit"));
  limits.log_bytes = static_cast<std::uint64_t>(config.size("worker.log_limit"));
  limits.timeout_ms = config.duration("worker.build_timeout").count();
  limits.max_timeout_ms = config.duration("worker.max_build_timeout").count();
  limits.grace_ms = config.duration("worker.kill_grace").count();
  return limits;
}

}  // namespace ocelot::runtimes
