#pragma once
// Reads the journal that the guest writes. The file comes from inside the container: nothing in it is trusted.

#include <cstdint>
#include <functional>
#include <string>

#include "host/journal/frame.hpp"

namespace ocelot::worker {

class JournalReader {
 public:
  // Goes on at `offset`, the beginning of a frame. Throws std::system_error when it cannot be opened.
  JournalReader(const std::string& path, std::uint64_t offset);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  // Gives every whole frame that is there, at most about 4 MiB a call; true when there may be more. Throws
  // journal::Tampered when the file shrank or holds what no guest writes.
  bool read(const std::function<void(const journal::Frame&)>& take);

  std::uint64_t offset() const { return offset_; }  // of the first frame not given yet
  // Gives the memory before `offset` back to the system; the file keeps its size.
  void punch(std::uint64_t offset);

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t punched_ = 0;
  std::string buffer_;
};

}  // namespace ocelot::worker
