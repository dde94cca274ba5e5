#pragma once
// The file `mask` of a build: all that makes its log more than the journal. What was to be masked from the beginning,
// and, in order, what the build process put between the journal's frames: secrets that it served, sentences of its own.
// With it a successor makes of the same journal the same log, byte for byte.
//
// It holds unmasked values: on tmpfs, 0600, gone with the build. Written by rename, before what it tells of is done.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ocelot::worker {

struct Interjection {
  std::uint64_t at = 0;  // offset in the journal: the frames before it came first
  std::string secret;    // its name; "": a sentence
  std::string text;      // value, or sentence
};

class MaskFile {
 public:
  // A new one. Throws std::system_error.
  static MaskFile begin(const std::string& path, std::vector<std::string> given);
  // nullopt: there is none. Throws std::runtime_error when it is damaged. One that the version before wrote is read
  // too.
  static std::optional<MaskFile> readIfPresent(const std::string& path);
  // For a build of which nobody knows what to mask; nothing is written.
  static MaskFile none() { return MaskFile(""); }

  const std::vector<std::string>& given() const { return given_; }
  const std::vector<Interjection>& interjections() const { return interjections_; }
  // Name → value of all that was served.
  std::map<std::string, std::string> served() const;
  // In the file when it returns.
  void add(Interjection interjection);

 private:
  explicit MaskFile(std::string path) : path_(std::move(path)) {}
  void write() const;

  std::string path_;
  std::vector<std::string> given_;
  std::vector<Interjection> interjections_;
};

}  // namespace ocelot::worker
