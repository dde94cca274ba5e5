#pragma once
// Writes the entries of an archive below one folder, and nowhere else.

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "file.hpp"
#include "layer.hpp"

struct archive;
struct archive_entry;

namespace ocelot::oci {

class TreeWriter {
 public:
  TreeWriter(const std::string& folder, const UnpackRules& rules);
  // Writes one entry; its data is read from `reader`. Throws Error(invalid) for an entry that may not be.
  void add(Call& call, archive* reader, archive_entry* entry);
  // Times of folders, which every file written into them has changed.
  void finish();
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Folder {
    std::string path;
    timespec modified;
  };

  int parentOf(const std::string& path, std::string& name);
  Fd open(const std::string& path, int flags) const;
  void clear(int parent, const std::string& name, bool keep_folder) const;
  void writeContent(Call& call, archive* reader, int fd, const std::string& path);
  void whiteout(int parent, const std::string& name, const std::string& path);
  void link(int parent, const std::string& name, const std::string& path, const char* target);
  void folder(int parent, const std::string& name, const std::string& path, archive_entry* entry);
  void setAttributes(int fd, archive_entry* entry, const std::string& path) const;
  [[noreturn]] void refuse(const std::string& path, const std::string& why) const;

  const UnpackRules rules_;
  Fd root_;
  Fd parent_;  // of the last entry: archives list a folder's files together
  std::string parent_path_;
  bool parent_known_ = false;
  std::vector<Folder> folders_;
  std::uint64_t entries_ = 0, bytes_ = 0;
};

// "./a//b/" becomes "a/b", "/" becomes "". Throws Error(invalid) for ".." and for names that are too long.
std::string normalPath(const std::string& path);

}  // namespace ocelot::oci
