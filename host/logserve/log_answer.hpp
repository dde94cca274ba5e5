#pragma once
// A build's log over HTTP, alike from the worker that runs the build and from the store: by offset, by stage, the last
// lines, whole or followed, in every format. Memory stays flat whatever the log's length.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/http/message.hpp"
#include "host/logs/build_log.hpp"
#include "host/logs/formats.hpp"
#include "host/store/store.hpp"

namespace ocelot::logserve {

// What the request asks for.
struct Query {
  std::int64_t offset = 0;
  bool follow = false;
  std::int64_t tail = 0;  // lines; 0: from the offset
  std::string stage;      // name or index; "" : the whole log
  logs::Format format = logs::Format::plain;
};

// From ?offset, ?follow, ?tail, ?stage, ?format, Accept and Last-Event-ID. Throws http::Refusal(400).
Query queryOf(const http::Request& request);

// A log that may still grow. For one thread.
class GrowingLog {
 public:
  virtual ~GrowingLog() = default;
  virtual std::string read(std::int64_t offset, std::size_t max_bytes) = 0;
  virtual std::int64_t size() = 0;
  // How the build stands once its log is complete ("passed"); nullopt while it may grow.
  virtual std::optional<std::string> ended() = 0;
  virtual std::vector<logs::StageSlice> stages() = 0;
  // The build was begun again since this log was opened, and its log with it: what comes now is another one.
  virtual bool begunAgain() { return false; }
  virtual int fd() { return -1; }  // readable when it may have grown; -1: look again after a while
  virtual void clear() {}
};

// The log in a build's directory. Throws ocelot::Error(not_found).
std::unique_ptr<GrowingLog> openLive(const std::string& folder, logs::LogWatch& watch);
// The log in the store; an active one grows as the worker ships it.
class StoredLog : public GrowingLog {
 public:
  virtual const model::Build& build() = 0;  // as the store had it when ended() was asked last
};
std::unique_ptr<StoredLog> openStored(store::Store& store, const std::string& build_id);

// Throws http::Refusal: 404 no such stage, 416 beyond the end.
http::Answer answer(const Query& query, std::shared_ptr<GrowingLog> log);

// ── for who tells a log out of more than one place ──

// The part of a log that was asked for; end -1: as far as it will go.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = -1;
};
Range rangeOf(const Query& query, GrowingLog& log);  // throws as answer()

// The answer but for the log itself and where it begins.
http::Answer headFor(const Query& query);
void beginsAt(http::Answer& answer, std::int64_t offset);

enum class Told { whole, gone, left };
// How long to wait at one go for a log that has told all it has; 0: leave it.
using Patience = std::function<std::chrono::milliseconds()>;
// Tells from range.begin on, and moves it to where it was told to. gone: nobody listens.
Told tell(const Query& query, GrowingLog& log, Range& range, http::StreamWriter& out, const Patience& patience = {});

}  // namespace ocelot::logserve
