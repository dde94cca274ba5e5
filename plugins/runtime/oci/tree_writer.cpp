#include "tree_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ocelot::oci {
namespace {

constexpr const char* kWhiteout = ".wh.";
constexpr const char* kOpaque = ".wh..wh..opq";

std::string shown(const std::string& path) {
  std::string out;
  for (const char c : path.substr(0, 200)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
}

// Overlay's own marks would let a layer name files of others; labels and ACLs mean nothing in the container.
bool keptAttribute(const char* name) {
  if (std::strcmp(name, "security.capability") == 0) return true;
  return std::strncmp(name, "user.", 5) == 0 && std::strncmp(name, "user.overlay.", 13) != 0;
}

timespec modifiedOf(archive_entry* entry) {
  return {archive_entry_mtime_is_set(entry) ? archive_entry_mtime(entry) : 0,
          archive_entry_mtime_is_set(entry) ? archive_entry_mtime_nsec(entry) : 0};
}

}  // namespace

std::string normalPath(const std::string& path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    std::size_t end = path.find('/', at);
    if (end == std::string::npos) end = path.size();
    const std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") throw Error(Status::invalid, "entry \"" + shown(path) + "\": the path contains \"..\"");
    if (part.size() > 255)
      throw Error(Status::invalid, "entry \"" + shown(path) + "\": a name is longer than 255 bytes");
    if (!out.empty()) out += '/';
    out += part;
  }
  if (out.size() > 4000) throw Error(Status::invalid, "entry \"" + shown(path) + "\": the path is too long");
  return out;
}

TreeWriter::TreeWriter(const std::string& folder, const UnpackRules& rules)
    : rules_(rules), root_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) {
  if (!root_) failSystem("open " + folder, errno);
}

void TreeWriter::refuse(const std::string& path, const std::string& why) const {
  throw Error(Status::invalid, "entry \"" + shown(path) + "\": " + why);
}

// The kernel resolves links as if the folder were the root, absolute ones and ".." too: there is no way out of it.
Fd TreeWriter::open(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    Fd fd(static_cast<int>(::syscall(SYS_openat2, root_.get(), path.empty() ? "." : path.c_str(), &how, sizeof how)));
    if (fd || errno != EAGAIN) return fd;  // EAGAIN: something was renamed meanwhile
  }
}

int TreeWriter::parentOf(const std::string& path, std::string& name) {
  const auto slash = path.rfind('/');
  name = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  if (parent_known_ && parent == parent_path_) return parent_.get();
  parent_known_ = false;
  Fd fd = open(parent, O_PATH | O_DIRECTORY);
  if (!fd && errno == ENOENT) {
    // Archives may leave folders out.
    for (std::size_t end = parent.find('/');; end = parent.find('/', end + 1)) {
      const std::string part = parent.substr(0, end);
      fd = open(part, O_PATH | O_DIRECTORY);
      if (!fd && errno == ENOENT) {
        const auto cut = part.rfind('/');
        const Fd above = open(cut == std::string::npos ? "" : part.substr(0, cut), O_PATH | O_DIRECTORY);
        if (!above || ::mkdirat(above.get(), part.c_str() + (cut == std::string::npos ? 0 : cut + 1), 0755) != 0)
          refuse(path, "its folder cannot be made: " + std::string(std::strerror(errno)));
        fd = open(part, O_PATH | O_DIRECTORY);
      }
      if (!fd || end == std::string::npos) break;
    }
  }
  if (!fd) refuse(path, "its folder cannot be opened: " + std::string(std::strerror(errno)));
  parent_ = std::move(fd);
  parent_path_ = parent;
  parent_known_ = true;
  return parent_.get();
}

void TreeWriter::clear(int parent, const std::string& name, bool keep_folder) const {
  struct stat status;
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (!S_ISDIR(status.st_mode)) {
    ::unlinkat(parent, name.c_str(), 0);
  } else if (!keep_folder) {
    removeTree("/proc/self/fd/" + std::to_string(parent) + "/" + name);
  }
}

void TreeWriter::whiteout(int parent, const std::string& name, const std::string& path) {
  if (name == kOpaque) {
    const std::string where = "/proc/self/fd/" + std::to_string(parent);
    const char* mark = rules_.user_xattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
    if (::setxattr(where.c_str(), mark, "y", 1, 0) != 0) failSystem("mark \"" + shown(path) + "\" as opaque", errno);
    return;
  }
  const std::string hidden = name.substr(std::strlen(kWhiteout));
  if (hidden.rfind(kWhiteout, 0) == 0) return;  // what aufs left behind
  if (hidden.empty() || hidden == "." || hidden == "..") refuse(path, "a whiteout of nothing");
  // A file of the same name in the same layer replaces what is below it anyway.
  if (::mknodat(parent, hidden.c_str(), S_IFCHR, makedev(0, 0)) != 0 && errno != EEXIST)
    failSystem("make the whiteout of \"" + shown(path) + "\"", errno);
}

void TreeWriter::link(int parent, const std::string& name, const std::string& path, const char* target) {
  const std::string source = normalPath(target);
  const auto slash = source.rfind('/');
  const Fd folder = open(slash == std::string::npos ? "" : source.substr(0, slash), O_PATH | O_DIRECTORY);
  const std::string source_name = slash == std::string::npos ? source : source.substr(slash + 1);
  if (!folder || source.empty()) refuse(path, "a hard link to \"" + shown(source) + "\", which is not there");
  if (source == path) return;
  clear(parent, name, false);
  if (::linkat(folder.get(), source_name.c_str(), parent, name.c_str(), 0) != 0)
    refuse(path, "a hard link to \"" + shown(source) + "\": " + std::strerror(errno));
}

void TreeWriter::setAttributes(int fd, archive_entry* entry, const std::string& path) const {
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (!name || !keptAttribute(name)) continue;
    // A file system without them, or a user who may not grant capabilities, does without.
    if (::fsetxattr(fd, name, value, size, 0) != 0 && errno != ENOTSUP && errno != EPERM)
      failSystem("set " + shown(name) + " of \"" + shown(path) + "\"", errno);
  }
}

void TreeWriter::writeContent(Call& call, archive* reader, int fd, const std::string& path) {
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader, &data, &size, &offset);
    if (status == ARCHIVE_EOF) return;
    if (status < ARCHIVE_WARN) refuse(path, std::string("cannot be read: ") + archive_error_string(reader));
    call.check("unpacking " + shown(path));
    bytes_ += size;
    if (bytes_ > rules_.max_bytes)
      refuse(path, "the archive holds more than " + std::to_string(rules_.max_bytes) + " bytes");
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t written = ::pwrite(fd, from, size, offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) failSystem("write \"" + shown(path) + "\"", errno);
      from += written;
      offset += written;
      size -= static_cast<std::size_t>(written);
    }
  }
}

void TreeWriter::folder(int parent, const std::string& name, const std::string& path, archive_entry* entry) {
  if (!path.empty()) {
    clear(parent, name, true);
    if (::mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST)
      failSystem("make folder \"" + shown(path) + "\"", errno);
  }
  // The name was made or found to be a folder just now, and nobody else writes here.
  const Fd fd(path.empty() ? ::dup(root_.get())
                           : ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) failSystem("open folder \"" + shown(path) + "\"", errno);
  if (rules_.owners && ::fchown(fd.get(), static_cast<uid_t>(archive_entry_uid(entry)),
                                static_cast<gid_t>(archive_entry_gid(entry))) != 0)
    failSystem("give \"" + shown(path) + "\" its owner", errno);
  ::fchmod(fd.get(), archive_entry_perm(entry) | (rules_.owners ? 0 : 0700));
  setAttributes(fd.get(), entry, path);
  folders_.push_back({path, modifiedOf(entry)});
}

void TreeWriter::add(Call& call, archive* reader, archive_entry* entry) {
  if (++entries_ > rules_.max_entries)
    throw Error(Status::invalid, "the archive has more than " + std::to_string(rules_.max_entries) + " entries");
  const char* raw = archive_entry_pathname(entry);
  if (!raw) throw Error(Status::invalid, "entry " + std::to_string(entries_) + ": its name cannot be read");
  const std::string path = normalPath(raw);
  const auto type = archive_entry_filetype(entry);
  if (path.empty()) {
    if (type == AE_IFDIR) folder(-1, "", "", entry);
    return;
  }
  std::string name;
  const int parent = parentOf(path, name);
  if (rules_.whiteouts && name.rfind(kWhiteout, 0) == 0) return whiteout(parent, name, path);
  if (const char* target = archive_entry_hardlink(entry)) return link(parent, name, path, target);

  const auto owner = static_cast<uid_t>(archive_entry_uid(entry));
  const auto group = static_cast<gid_t>(archive_entry_gid(entry));
  const timespec times[2] = {modifiedOf(entry), modifiedOf(entry)};
  switch (type) {
    case AE_IFDIR:
      // A folder may replace what the last parent's path went through.
      parent_known_ = false;
      return folder(parent, name, path, entry);
    case AE_IFREG: {
      if (archive_entry_size(entry) > static_cast<la_int64_t>(rules_.max_bytes)) refuse(path, "the file is too large");
      clear(parent, name, false);
      const Fd fd(::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (!fd) failSystem("make \"" + shown(path) + "\"", errno);
      writeContent(call, reader, fd.get(), path);
      if (archive_entry_size_is_set(entry) && ::ftruncate(fd.get(), archive_entry_size(entry)) != 0)
        failSystem("set the size of \"" + shown(path) + "\"", errno);
      if (rules_.owners && ::fchown(fd.get(), owner, group) != 0)
        failSystem("give \"" + shown(path) + "\" its owner", errno);
      ::fchmod(fd.get(), archive_entry_perm(entry));  // after the owner, whose change clears setuid
      setAttributes(fd.get(), entry, path);
      ::futimens(fd.get(), times);
      return;
    }
    case AE_IFLNK: {
      const char* target = archive_entry_symlink(entry);
      if (!target || !*target) refuse(path, "a symbolic link to nothing");
      clear(parent, name, false);
      if (::symlinkat(target, parent, name.c_str()) != 0) failSystem("make the link \"" + shown(path) + "\"", errno);
      break;
    }
    case AE_IFIFO:
      clear(parent, name, false);
      if (::mkfifoat(parent, name.c_str(), 0600) != 0) failSystem("make the pipe \"" + shown(path) + "\"", errno);
      if (::fchmodat(parent, name.c_str(), archive_entry_perm(entry), 0) != 0)
        failSystem("give \"" + shown(path) + "\" its mode", errno);
      break;
    default:
      return;  // devices and sockets: the container has its own /dev
  }
  parent_known_ = parent_known_ && type != AE_IFLNK;
  if (rules_.owners && ::fchownat(parent, name.c_str(), owner, group, AT_SYMLINK_NOFOLLOW) != 0)
    failSystem("give \"" + shown(path) + "\" its owner", errno);
  ::utimensat(parent, name.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

void TreeWriter::finish() {
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    const timespec times[2] = {folder->modified, folder->modified};
    const Fd fd = open(folder->path, O_RDONLY | O_DIRECTORY);
    if (fd) ::futimens(fd.get(), times);
  }
}

}  // namespace ocelot::oci
