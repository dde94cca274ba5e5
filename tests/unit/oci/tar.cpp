#include "tests/unit/oci/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <stdexcept>

namespace ocelot::oci::test {

void writeTar(const std::string& path, const std::vector<TarEntry>& entries, Compression compression) {
  const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = ::uselocale(utf8);
  archive* writer = archive_write_new();
  archive_write_set_format_pax_restricted(writer);
  if (compression == Compression::gzip) archive_write_add_filter_gzip(writer);
  if (compression == Compression::zstd) archive_write_add_filter_zstd(writer);
  if (compression == Compression::xz) archive_write_add_filter_xz(writer);
  if (archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK) throw std::runtime_error("write " + path);
  for (const TarEntry& one : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, one.path.c_str());
    archive_entry_set_perm(entry, static_cast<mode_t>(one.mode));
    archive_entry_set_uid(entry, one.uid);
    archive_entry_set_gid(entry, one.gid);
    archive_entry_set_mtime(entry, 1000000000, 0);
    archive_entry_set_size(entry, 0);
    for (const auto& [name, value] : one.attributes)
      archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    switch (one.type) {
      case TarEntry::Type::file:
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, static_cast<la_int64_t>(one.content.size()));
        break;
      case TarEntry::Type::folder:
        archive_entry_set_filetype(entry, AE_IFDIR);
        break;
      case TarEntry::Type::symlink:
        archive_entry_set_filetype(entry, AE_IFLNK);
        archive_entry_set_symlink(entry, one.content.c_str());
        break;
      case TarEntry::Type::hardlink:
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_hardlink(entry, one.content.c_str());
        break;
      case TarEntry::Type::device:
        archive_entry_set_filetype(entry, AE_IFBLK);
        archive_entry_set_rdevmajor(entry, 8);
        break;
      case TarEntry::Type::fifo:
        archive_entry_set_filetype(entry, AE_IFIFO);
        break;
    }
    if (archive_write_header(writer, entry) != ARCHIVE_OK) throw std::runtime_error(archive_error_string(writer));
    if (one.type == TarEntry::Type::file) archive_write_data(writer, one.content.data(), one.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  ::uselocale(before);
  ::freelocale(utf8);
}

}  // namespace ocelot::oci::test
