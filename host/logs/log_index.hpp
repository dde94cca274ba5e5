#pragma once
// The file `index` beside a build's log: one record a line, append only.
//
//   begin <stage> <offset> <name>
//   end <stage> <offset>
//   done <bytes> <dropped> <sha256 of the log, hex>       last

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/logs/build_log.hpp"

namespace ocelot::logs {

struct LogIndex {
  std::vector<StageSlice> stages;
  std::optional<LogEnd> end;
};

inline constexpr std::size_t kMaxIndexBytes = 4u << 20;

std::string beginRecord(const StageSlice& slice);
std::string endRecord(const StageSlice& slice);
std::string doneRecord(const LogEnd& end);

// A torn last line is passed over: more will come. Throws std::runtime_error on what no writer writes.
LogIndex parseIndex(std::string_view text);

}  // namespace ocelot::logs
