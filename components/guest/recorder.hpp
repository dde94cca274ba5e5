#pragma once
// Writes the journal. Output goes from the pipe to the file through one buffer in which frames lie side by side: one
// read and one write a mebibyte. What cannot be written now is kept and goes first later; nothing is dropped and
// nothing spins.

#include <cstdint>
#include <string>
#include <vector>

#include "components/guest/files.hpp"
#include "host/journal/frame.hpp"

namespace ocelot::guest {

class Recorder {
 public:
  Recorder(Fd journal, Counter read) : journal_(std::move(journal)), read_(std::move(read)) {}

  // Unread bytes beyond which pipes are left alone.
  void limitBacklog(std::uint64_t bytes) { max_backlog_ = bytes; }

  // Appends a frame (its time is now). When there is no room the frame is kept: see flush().
  void append(journal::Frame frame);

  enum class Room {
    yes,
    backlog,   // the reader is behind: look again soon
    no_space,  // the file system of the journal is full
  };
  Room room();

  // Since when (bootMillis) the file system has refused; kNever when it does not.
  std::int64_t refusedSince() const { return refused_since_; }
  int refusal() const { return refusal_; }  // errno of it

  enum class Pipe { empty, open, ended };
  // Takes what the pipe holds, at most a mebibyte, as frames of `stage`; adds the byte count to `taken`.
  // Call it only when there is room().
  Pipe record(int pipe, std::uint32_t stage, std::uint8_t stream, std::uint64_t& taken);

  // Writes what was kept. True when nothing is left.
  bool flush();

 private:
  bool write(const char* bytes, std::size_t size);
  bool reserve(std::size_t bytes);
  void refused(int error);

  Fd journal_;
  Counter read_;
  std::uint64_t max_backlog_ = 0;
  std::uint64_t size_ = 0;         // of the journal: nobody else appends to it
  std::uint64_t read_so_far_ = 0;  // as last seen
  std::uint64_t reserved_ = 0;     // blocks are allocated up to here
  bool can_reserve_ = true;
  std::string kept_;  // what the file system did not take; begins where the file ends, maybe in a frame's middle
  std::int64_t refused_since_ = INT64_MAX;
  int refusal_ = 0;
  std::vector<char> buffer_;
};

}  // namespace ocelot::guest
