#pragma once
// How a log is told over HTTP. An encoder is given the log's bytes in order from any offset, and may start at any
// offset: what it says carries the offset to go on from.
//
//   plain    the bytes
//   ndjson   {"offset":120,"next":131,"stage":0,"text":"make: done"}            one line of the log each
//   sse      id: 131⏎ data: {…the same…}⏎⏎        the id is `next`: what a browser sends back as Last-Event-ID
//
// `text` is without its newline and valid UTF-8 (what is not becomes U+FFFD). A record whose line goes on in the next
// one (longer than 64 KiB, or let go by flush) has "partial":true. `stage` is absent outside of any stage.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/logs/build_log.hpp"

namespace ocelot::logs {

enum class Format { plain, ndjson, sse };

inline constexpr std::size_t kMaxRecordBytes = 64u << 10;

// "plain", "ndjson", "sse", or a media type as in an Accept header.
std::optional<Format> formatFrom(std::string_view text);
std::string_view contentType(Format format);

class Encoder {
 public:
  virtual ~Encoder() = default;
  // `bytes` begin at the offset where the last ones ended. Appends what is certain to `out`.
  virtual void encode(std::string_view bytes, std::string& out) = 0;
  // Lets an unfinished line go, as a partial record: before a wait, and at the end.
  virtual void flush(std::string& out) = 0;
  // Last words: ndjson and sse name the end, so that a reader can tell it from a broken connection.
  // {"end":true,"bytes":N,"state":"passed"}
  virtual void finish(std::int64_t bytes, std::string_view state, std::string& out) = 0;
  // Something without meaning that keeps a connection open; empty for plain.
  virtual void keepAlive(std::string& out) = 0;
  // The offset up to which it has told: an unfinished line is not.
  virtual std::int64_t told() const = 0;
  // Stages begun so far; to be told before the bytes that belong to a new one.
  virtual void setStages(std::vector<StageSlice> stages) = 0;
};

std::unique_ptr<Encoder> makeEncoder(Format format, std::int64_t offset, std::vector<StageSlice> stages = {});

// Passes on what an Encoder of another machine made: whole records, unchanged, as long as they go on where the last one
// ended; what only keeps a connection open, and its end, are left out.
class Passage {
 public:
  virtual ~Passage() = default;
  // Appends what can be passed on. false: what came is no log in this format that goes on at told(), and nothing of it
  // or after it is passed on.
  virtual bool take(std::string_view bytes, std::string& out) = 0;
  // The offset up to which the log was passed on.
  virtual std::int64_t told() const = 0;
};

std::unique_ptr<Passage> makePassage(Format format, std::int64_t offset);

// `text` as the inside of a JSON string: valid UTF-8, escaped.
void appendJsonText(std::string_view text, std::string& out);

}  // namespace ocelot::logs
