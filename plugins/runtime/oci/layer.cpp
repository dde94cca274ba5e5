#include "layer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "digest.hpp"
#include "file.hpp"
#include "tree_writer.hpp"

namespace ocelot::oci {
namespace {

struct CloseArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, CloseArchive>;

Reader newReader(archive* reader) {
  if (!reader) throw Error(Status::unavailable, "libarchive: out of memory");
  return Reader(reader);
}

// libarchive turns names to UTF-8 by the locale, and refuses them under "C". Ours, for this thread only.
class Utf8 {
 public:
  Utf8() : ours_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(ours_ ? ::uselocale(ours_) : nullptr) {}
  ~Utf8() {
    if (!ours_) return;
    ::uselocale(before_);
    ::freelocale(ours_);
  }
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;

 private:
  locale_t ours_, before_;
};

// The archive file, hashed as it is read, and the stream within it, hashed as it is decompressed.
class Stream {
 public:
  Stream(Call& call, const std::string& path, const UnpackRules& rules, const ByteSink& progress)
      : call_(call),
        path_(path),
        rules_(rules),
        progress_(progress),
        fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
        filter_(newReader(archive_read_new())) {
    if (!fd_) failSystem("open " + path, errno);
    archive* const filter = filter_.get();
    archive_read_support_filter_gzip(filter);
    archive_read_support_filter_zstd(filter);
    archive_read_support_filter_xz(filter);
    archive_read_support_filter_bzip2(filter);
    archive_read_support_format_raw(filter);
    archive_entry* entry = nullptr;
    if (archive_read_open(filter, this, nullptr, &Stream::readFile, nullptr) != ARCHIVE_OK ||
        archive_read_next_header(filter, &entry) != ARCHIVE_OK)
      fail(filter);
  }

  // archive_read_callback of the archive within.
  static la_ssize_t readContent(archive* reader, void* self, const void** data) {
    auto& stream = *static_cast<Stream*>(self);
    const la_ssize_t got = archive_read_data(stream.filter_.get(), stream.content_.data(), stream.content_.size());
    if (got < 0) {
      archive_set_error(reader, EINVAL, "%s", archive_error_string(stream.filter_.get()));
      return -1;
    }
    stream.out_ += static_cast<std::uint64_t>(got);
    if (stream.tooDense()) {
      archive_set_error(reader, E2BIG, "more than %llu times its size: not unpacked",
                        static_cast<unsigned long long>(stream.rules_.max_ratio));
      return -1;
    }
    stream.content_hash_.update(stream.content_.data(), static_cast<std::size_t>(got));
    *data = stream.content_.data();
    return got;
  }

  // What follows the archive's end belongs to the digest too.
  void finish(archive* reader) {
    const void* ignored = nullptr;
    la_ssize_t got = 0;
    while ((got = readContent(reader, this, &ignored)) > 0) call_.check("reading " + path_);
    if (got < 0) fail(reader);
    while ((got = readFile(reader, this, &ignored)) > 0) call_.check("reading " + path_);
  }

  std::string blobDigest() { return file_hash_.digest(); }
  std::string contentDigest() { return content_hash_.digest(); }

  [[noreturn]] void fail(archive* reader) const {
    const char* said = archive_error_string(reader);
    throw Error(Status::invalid, "unpack " + path_ + ": " + (said ? said : "not a tar archive"));
  }

 private:
  static la_ssize_t readFile(archive* reader, void* self, const void** data) {
    auto& stream = *static_cast<Stream*>(self);
    if (stream.call_.cancelled()) {
      archive_set_error(reader, ECANCELED, "cancelled");
      return -1;
    }
    ssize_t got = 0;
    do {
      got = ::read(stream.fd_.get(), stream.file_.data(), stream.file_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      archive_set_error(reader, errno, "cannot be read");
      return -1;
    }
    stream.file_hash_.update(stream.file_.data(), static_cast<std::size_t>(got));
    stream.in_ += static_cast<std::uint64_t>(got);
    if (stream.progress_) stream.progress_(stream.in_);
    *data = stream.file_.data();
    return got;
  }

  bool tooDense() const { return out_ > rules_.ratio_from_bytes && out_ / rules_.max_ratio > in_; }

  Call& call_;
  const std::string path_;
  const UnpackRules rules_;
  const ByteSink progress_;
  Fd fd_;
  Reader filter_;
  std::array<char, 65536> file_{}, content_{};
  Sha256 file_hash_, content_hash_;
  std::uint64_t in_ = 0, out_ = 0;
};

void update(Sha256& hash, const char* text) {
  hash.update(text ? std::string_view(text, std::char_traits<char>::length(text) + 1) : std::string_view("", 1));
}

}  // namespace

Unpacked unpackArchive(Call& call, const std::string& path, const std::string& folder, const UnpackRules& rules,
                       const ByteSink& progress) {
  const Utf8 locale;
  auto stream = std::make_unique<Stream>(call, path, rules, progress);
  const Reader reader = newReader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  TreeWriter writer(folder, rules);
  if (archive_read_open(reader.get(), stream.get(), nullptr, &Stream::readContent, nullptr) != ARCHIVE_OK)
    stream->fail(reader.get());
  try {
    for (;;) {
      call.check("unpacking " + path);
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status < ARCHIVE_WARN) stream->fail(reader.get());
      writer.add(call, reader.get(), entry);
    }
    stream->finish(reader.get());
  } catch (const Error& e) {
    const std::string what = e.what();
    if (what.rfind("unpack ", 0) == 0) throw;
    throw Error(e.status(), "unpack " + path + ": " + what);
  }
  writer.finish();
  return {stream->blobDigest(), stream->contentDigest(), writer.bytes()};
}

bool holdsImage(Call& call, const std::string& path) {
  const Utf8 locale;
  auto stream = std::make_unique<Stream>(call, path, UnpackRules{}, ByteSink{});
  const Reader reader = newReader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open(reader.get(), stream.get(), nullptr, &Stream::readContent, nullptr) != ARCHIVE_OK)
    stream->fail(reader.get());
  for (;;) {
    call.check("reading " + path);
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status < ARCHIVE_WARN) stream->fail(reader.get());
    const char* raw = archive_entry_pathname(entry);
    const std::string name = raw ? normalPath(raw) : "";
    if (name == "oci-layout" || name == "index.json" || name == "manifest.json") return true;
    const std::string top = name.substr(0, name.find('/'));
    for (const char* known : {"bin", "usr", "etc", "lib", "sbin", "dev", "proc", "var"})
      if (top == known) return false;
  }
}

Unpacked copyFolder(Call& call, const std::string& source, const std::string& folder, const UnpackRules& rules,
                    const ByteSink& progress) {
  const Utf8 locale;
  const Reader reader = newReader(archive_read_disk_new());
  archive_read_disk_set_symlink_physical(reader.get());
  archive_read_disk_set_behavior(
      reader.get(), ARCHIVE_READDISK_NO_TRAVERSE_MOUNTS | ARCHIVE_READDISK_NO_ACL | ARCHIVE_READDISK_NO_FFLAGS);
  std::string top = source;
  while (top.size() > 1 && top.back() == '/') top.pop_back();
  const auto fail = [&](int status) {
    if (status < ARCHIVE_WARN) {
      const char* said = archive_error_string(reader.get());
      throw Error(Status::invalid, "read the folder " + top + ": " + (said ? said : "unreadable"));
    }
  };
  fail(archive_read_disk_open(reader.get(), top.c_str()));
  struct FreeLinks {
    void operator()(archive_entry_linkresolver* links) const { archive_entry_linkresolver_free(links); }
  };
  const std::unique_ptr<archive_entry_linkresolver, FreeLinks> links(archive_entry_linkresolver_new());
  archive_entry_linkresolver_set_strategy(links.get(), ARCHIVE_FORMAT_TAR_GNUTAR);
  struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
  };
  TreeWriter writer(folder, rules);
  Sha256 hash;
  for (;;) {
    call.check("copying " + top);
    std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    const int status = archive_read_next_header2(reader.get(), entry.get());
    if (status == ARCHIVE_EOF) break;
    fail(status);
    archive_read_disk_descend(reader.get());
    const std::string full = archive_entry_pathname(entry.get());
    archive_entry_set_pathname(entry.get(), ("." + full.substr(top == "/" ? 0 : top.size())).c_str());
    // The resolver may swap in a stored entry, for formats that write links last; this one never does.
    archive_entry* current = entry.get();
    archive_entry* spare = nullptr;
    archive_entry_linkify(links.get(), &current, &spare);
    update(hash, archive_entry_pathname(current));
    update(hash, archive_entry_hardlink(current));
    update(hash, archive_entry_symlink(current));
    const std::int64_t numbers[] = {archive_entry_mode(current),  archive_entry_uid(current),
                                    archive_entry_gid(current),   archive_entry_size(current),
                                    archive_entry_ctime(current), archive_entry_ctime_nsec(current)};
    hash.update(numbers, sizeof numbers);
    writer.add(call, reader.get(), current);
    if (progress) progress(writer.bytes());
  }
  writer.finish();
  const std::string digest = hash.digest();
  return {digest, digest, writer.bytes()};
}

}  // namespace ocelot::oci
