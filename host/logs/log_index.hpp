#pragma once
// The file `index` beside a build's log: one record a line, append only.
//
//   begin <stage> <offset> <name>
//   end <stage> <offset>
//   served <journal offset> <offset> <NAME>               a secret: what the journal holds from there on is masked for
//   it done <bytes> <dropped> <sha256 of the log, hex>       last

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/logs/build_log.hpp"

namespace ocelot::logs {

struct ServedSecret {
  std::string name;
  std::int64_t journal_offset = 0, offset = 0;  // `offset`: of the log, where what is certain ended then
};

struct LogIndex {
  std::vector<StageSlice> stages;
  std::vector<ServedSecret> served;
  std::optional<LogEnd> end;
};

inline constexpr std::size_t kMaxIndexBytes = 4u << 20;

std::string beginRecord(const StageSlice& slice);
std::string endRecord(const StageSlice& slice);
std::string servedRecord(const ServedSecret& served);
std::string doneRecord(const LogEnd& end);

// A torn last line is passed over: more will come. Throws std::runtime_error on what no writer writes.
LogIndex parseIndex(std::string_view text);

}  // namespace ocelot::logs
