#include "host/store/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "host/digest/digest.hpp"
#include "host/process/fd.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

const char* const kSum = "sha256";

// Names and sizes too: bytes that moved from one file to another are other bytes.
class ArchiveSum {
 public:
  void begin(const std::string& name, std::int64_t size) { sha256_.add(name + '\0' + std::to_string(size) + '\0'); }
  void add(const char* bytes, std::size_t size) { sha256_.add({bytes, size}); }
  std::string hex() { return sha256_.hex(); }

 private:
  digest::Sha256 sha256_;
};

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

std::string reason(archive* of) {
  const char* text = archive_error_string(of);
  return text ? text : "no reason given";
}

bool plainName(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string::npos) return false;
  for (const auto& part : std::filesystem::path(name))
    if (part == ".." || part == ".") return false;
  return true;
}

}  // namespace

struct ArchiveWriter::State {
  std::string file;
  int fd = -1;
  archive* writer = nullptr;
  bool closed = false;
  ArchiveSum sum;
};

ArchiveWriter::ArchiveWriter(const std::string& file) : state_(std::make_unique<State>()) {
  state_->file = file;
  state_->fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (state_->fd < 0) {
    if (errno == EEXIST) throw Conflict("write " + file + ": it is there already; choose another name, or remove it");
    throw Unavailable("write " + file + ": " + std::strerror(errno));
  }
  state_->writer = archive_write_new();
  archive_write_set_format_pax_restricted(state_->writer);
  if (archive_write_open_fd(state_->writer, state_->fd) != ARCHIVE_OK)
    throw Unavailable("write " + file + ": " + reason(state_->writer));
}

ArchiveWriter::~ArchiveWriter() {
  if (state_->writer != nullptr) {
    if (!state_->closed) archive_write_fail(state_->writer);
    archive_write_free(state_->writer);
  }
  if (state_->fd >= 0) ::close(state_->fd);
  if (!state_->closed) ::unlink(state_->file.c_str());
}

void ArchiveWriter::header(const std::string& name, std::int64_t size) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), ::time(nullptr), 0);
  if (archive_write_header(state_->writer, entry.get()) != ARCHIVE_OK)
    throw Unavailable("write " + state_->file + ": " + reason(state_->writer));
}

void ArchiveWriter::data(const char* bytes, std::size_t size) {
  while (size > 0) {
    const la_ssize_t done = archive_write_data(state_->writer, bytes, size);
    if (done <= 0) throw Unavailable("write " + state_->file + ": " + reason(state_->writer));
    bytes += done;
    size -= static_cast<std::size_t>(done);
  }
}

void ArchiveWriter::add(const std::string& name, std::string_view bytes) {
  state_->sum.begin(name, static_cast<std::int64_t>(bytes.size()));
  state_->sum.add(bytes.data(), bytes.size());
  header(name, static_cast<std::int64_t>(bytes.size()));
  data(bytes.data(), bytes.size());
}

bool ArchiveWriter::addFile(const std::string& name, const std::string& path, std::int64_t size) {
  const process::Fd source(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!source || ::fstat(source.get(), &status) != 0) {
    if (errno == ENOENT) return false;
    throw Unavailable("read " + path + ": " + std::strerror(errno));
  }
  if (size < 0) size = status.st_size;
  if (status.st_size < size) return false;
  state_->sum.begin(name, size);
  header(name, size);
  std::string buffer(256 * 1024, '\0');
  for (std::int64_t left = size; left > 0;) {
    const ssize_t count =
        ::read(source.get(), buffer.data(),
               static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(buffer.size()))));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Unavailable("read " + path + ": " + (count < 0 ? std::strerror(errno) : "it became shorter"));
    state_->sum.add(buffer.data(), static_cast<std::size_t>(count));
    data(buffer.data(), static_cast<std::size_t>(count));
    left -= count;
  }
  return true;
}

void ArchiveWriter::close() {
  const std::string sum = state_->sum.hex();
  header(kSum, static_cast<std::int64_t>(sum.size()));
  data(sum.data(), sum.size());
  if (archive_write_close(state_->writer) != ARCHIVE_OK)
    throw Unavailable("write " + state_->file + ": " + reason(state_->writer));
  if (::fsync(state_->fd) != 0) throw Unavailable("flush " + state_->file + ": " + std::strerror(errno));
  state_->closed = true;
}

namespace {

// The whole of the entry that the reader is at, to `take`.
void readEntry(archive* reader, const std::string& what, const std::function<void(const char*, std::size_t)>& take) {
  std::string buffer(256 * 1024, '\0');
  for (;;) {
    const la_ssize_t size = archive_read_data(reader, buffer.data(), buffer.size());
    if (size == 0) return;
    if (size < 0) throw std::runtime_error(what + ": " + reason(reader));
    take(buffer.data(), static_cast<std::size_t>(size));
  }
}

class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    out_ = process::Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!out_) throw Unavailable("write " + path + ": " + std::strerror(errno));
  }
  void write(const char* bytes, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      const ssize_t count = ::write(out_.get(), bytes + done, size - done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw Unavailable("write " + path_ + ": " + std::strerror(errno));
      done += static_cast<std::size_t>(count);
    }
  }
  void flush() {
    if (::fsync(out_.get()) != 0) throw Unavailable("flush " + path_ + ": " + std::strerror(errno));
  }

 private:
  const std::string path_;
  process::Fd out_;
};

}  // namespace

void readArchive(const std::string& file, const std::function<std::string(const std::string&)>& entry) {
  const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), file.c_str(), 256 * 1024) != ARCHIVE_OK)
    throw std::runtime_error("read " + file + ": " + reason(reader.get()));
  ArchiveSum sum;
  archive_entry* found = nullptr;
  for (;;) {
    const int result = archive_read_next_header(reader.get(), &found);
    if (result == ARCHIVE_EOF)
      throw std::runtime_error("read " + file +
                               ": its checksum is missing; its end was cut off, or it is no backup of ocelot's");
    if (result != ARCHIVE_OK) throw std::runtime_error("read " + file + ": " + reason(reader.get()));
    const char* text = archive_entry_pathname(found);
    const std::string name = text ? text : "";
    if (archive_entry_filetype(found) != AE_IFREG || archive_entry_hardlink(found) != nullptr || !plainName(name))
      throw std::runtime_error("read " + file + ": \"" + name +
                               "\" in it is no plain file; this is no backup of ocelot's");
    const std::string what = "read " + file + ", " + name;
    if (name == kSum) {
      std::string told;
      readEntry(reader.get(), what,
                [&](const char* bytes, std::size_t size) { told.append(bytes, std::min<std::size_t>(size, 64)); });
      if (told != sum.hex())
        throw std::runtime_error("read " + file +
                                 ": what is in it has another checksum than when it was made; it is "
                                 "damaged, use another backup");
      return;
    }
    sum.begin(name, archive_entry_size(found));
    NewFile out(entry(name));
    readEntry(reader.get(), what, [&](const char* bytes, std::size_t size) {
      sum.add(bytes, size);
      out.write(bytes, size);
    });
    out.flush();
  }
}

}  // namespace ocelot::store
