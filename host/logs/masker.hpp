#pragma once
// Takes secrets out of a stream: what a build prints is masked before it is written anywhere.
//
// A seat belt, not a wall. Masked: a secret as it is, in base64 (three shifts, both alphabets, wrapped or not), hex,
// percent-encoded, escaped for JSON, XML or a shell, and each line of 8 bytes or more of a secret of several lines. Not
// masked: reversed, spelled out letter by letter, encrypted.
//
// What is masked is the union of all occurrences: each run of occurrences that share bytes becomes one "[MASKED]",
// every other byte stays as it is. The result does not depend on how the stream was cut into feeds. Held back is only
// what may still become a secret, at most the longest form's length; it is let go as soon as it cannot.
//
// One thread at a time.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocelot::logs {

class PatternSet;

inline constexpr std::string_view kMask = "[MASKED]";
inline constexpr std::size_t kMinSecretBytes = 6;

class Masker {
 public:
  explicit Masker(const std::vector<std::string>& secrets = {});
  ~Masker();
  Masker(const Masker&) = delete;
  Masker& operator=(const Masker&) = delete;

  // Masks this one too, from the next byte that is not yet let go. "" when it was taken, else why it cannot be masked
  // (too short, a common word, too large): a sentence that does not show the secret.
  std::string add(std::string_view secret);
  // What add() and the constructor refused, in order.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Appends to `out` what is certain after `in`.
  void feed(std::string_view in, std::string& out);
  // The same without copying where nothing had to be masked: returns a part of `in`, or `scratch` (which is replaced).
  // The answer is valid until `in` or `scratch` changes.
  std::string_view mask(std::string_view in, std::string& scratch);
  // Lets go what is held back: at the end of a stage only, for what follows is then a new stream.
  void flush(std::string& out);
  // Bytes held back.
  std::size_t pending() const { return held_.size(); }

  // What a successor needs to go on in mid-stream. It holds unmasked bytes: for memory and tmpfs only. restore() wants
  // the same secrets added before, and throws std::invalid_argument on what save() did not write.
  std::string save() const;
  void restore(std::string_view saved);

 private:
  using Span = std::pair<std::int64_t, std::int64_t>;  // [begin, end) in stream offsets

  void prepare();
  void found(std::int64_t begin, std::int64_t end);
  std::size_t walk(std::string_view in, std::int64_t at);
  void release(std::int64_t certain, std::string_view text, std::int64_t text_at, std::string& out);

  std::vector<std::string> forms_;
  std::vector<std::string> warnings_;
  std::size_t form_bytes_ = 0;
  bool stale_ = false;  // forms were added since patterns_ was made
  std::unique_ptr<PatternSet> patterns_;
  std::uint32_t state_ = 0;
  std::int64_t offset_ = 0;     // of the stream: bytes fed so far
  std::int64_t masked_to_ = 0;  // bytes before this belong to a mask already written
  std::string held_;            // the last bytes of the stream, not let go
  std::deque<Span> spans_;      // occurrences not yet written, disjoint and in order
};

}  // namespace ocelot::logs
