#pragma once
// The partitions of log_chunks (migrations/0010_log_parts.sql): each is filled, left alone, and emptied as a whole when
// no build has its log in it any more.

#include <chrono>
#include <cstdint>
#include <mutex>

#include "host/store/sql/connection.hpp"

namespace ocelot::store {

// Opens the next part when it is time. Returns the open one.
std::int64_t openLogPart(Connection& db);

// How far a process has come with the parts of which most is gone.
struct LogPartsSeen {
  std::mutex mutex;
  std::int64_t last = -1;  // the part that was added up last
  bool leaving = false;    // what stays of it is being copied
  std::chrono::steady_clock::time_point next{};
};

}  // namespace ocelot::store
