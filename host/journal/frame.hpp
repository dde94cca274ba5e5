#pragma once
// The journal: what the guest tells, a file of frames, appended by the guest and read by the build process.
//
//   frame := u32 size of what follows (little endian, 1 … 1 MiB) · u8 kind · u64 time · payload
//
// `time` is CLOCK_REALTIME in microseconds. A torn tail (fewer bytes than the size says) is not an error: more will
// come. The reader trusts nothing in it: sizes, order and stage numbers are checked, and what cannot be is `tampered`.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ocelot::journal {

inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::size_t kMaxFrameBytes = 1u << 20;
inline constexpr std::size_t kMaxOutputBytes = 64u << 10;    // of one output frame
inline constexpr std::size_t kMaxSentenceBytes = 16u << 10;  // longer sentences are cut by encode()

enum class FrameKind : std::uint8_t {
  hello = 1,           // first frame: journal version, plan's build id and attempt
  stage_started = 2,   // stage index
  output = 3,          // stage index, stream (1 stdout, 2 stderr), bytes: at most 64 KiB a frame
  stage_finished = 4,  // stage index, how, exit code, resource use
  notice = 5,          // a sentence of the guest's own for the log ("stage timed out after 30 s; killing")
  finished = 6,        // last frame: how the whole went
};

// How a stage, or the whole, ended.
enum class Ending : std::uint8_t {
  passed = 0,
  failed = 1,
  timed_out = 2,
  canceled = 3,
  skipped = 4,
  abandoned = 5 /* alive stood still */,
  broken = 6 /* the guest could not go on */
};

// The exit status with which the guest ends after saying so.
int exitStatusOf(Ending ending);

struct Frame {
  FrameKind kind = FrameKind::hello;
  std::uint64_t time_us = 0;
  std::uint32_t stage = 0;
  std::uint8_t stream = 0;    // output
  std::string bytes;          // output's bytes; notice's, stage_finished's and finished's sentence; hello's build id
  std::uint32_t number = 0;   // hello: attempt
  std::uint32_t version = 0;  // hello
  Ending ending = Ending::passed;
  std::int32_t exit_code = 0;  // 128 + signal when killed; -1: there was no process whose end could be told
  std::int64_t cpu_us = 0;
  std::int64_t max_rss_bytes = 0;
  bool out_of_memory = false;
};

std::string encode(const Frame& frame);

// The bytes before an output frame's own, so that a writer can lay many frames side by side without copying output.
inline constexpr std::size_t kOutputHeaderBytes = 4 + 1 + 8 + 4 + 1;
void putOutputHeader(char* to, std::uint64_t time_us, std::uint32_t stage, std::uint8_t stream, std::size_t size);

class Tampered : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Takes the first whole frame off `bytes` (advancing it); nullopt when the rest is torn. Throws Tampered on what no
// guest writes.
std::optional<Frame> takeFrame(std::string_view& bytes);

}  // namespace ocelot::journal
