#include "archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "folder_tar.hpp"
#include "json.hpp"

namespace ocelot::docker {
namespace {

constexpr std::size_t kMostManifest = 4u << 20;
constexpr std::size_t kBlock = 256u << 10;

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(Status::invalid, "docker: importing " + path + ": " + why);
}

std::string reason(archive* handle) {
  const char* text = archive_error_string(handle);
  return text != nullptr ? printable(text, 200) : "unknown error";
}

// `raw`: the bytes of the tar, decompressed; otherwise its members.
Reader openArchive(const std::string& path, bool raw) {
  Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_all(reader.get());
  if (raw) {
    archive_read_support_format_raw(reader.get());
  } else {
    archive_read_support_format_tar(reader.get());
  }
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlock) != ARCHIVE_OK) {
    refuse(path, "is not a tar archive: " + reason(reader.get()));
  }
  return reader;
}

// The next member, or null at the end.
archive_entry* nextMember(Call& call, archive* reader, const std::string& path) {
  call.check("reading " + path);
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(reader, &entry);
  if (result == ARCHIVE_EOF) return nullptr;
  if (result < ARCHIVE_WARN) refuse(path, "is not a tar archive, or a damaged one: " + reason(reader));
  return entry;
}

std::string nameOf(archive_entry* entry) {
  const char* text = archive_entry_pathname(entry);
  std::string name = text != nullptr ? text : "";
  while (name.rfind("./", 0) == 0) name.erase(0, 2);
  return name;
}

std::optional<std::string> readMember(Call& call, const std::string& path, const std::string& wanted) {
  const Reader reader = openArchive(path, false);
  while (archive_entry* entry = nextMember(call, reader.get(), path)) {
    if (nameOf(entry) != wanted) continue;
    if (archive_entry_size(entry) > static_cast<std::int64_t>(kMostManifest))
      refuse(path, wanted + " is longer than 4 MiB");
    std::string text(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    if (archive_read_data(reader.get(), text.data(), text.size()) != static_cast<la_ssize_t>(text.size())) {
      refuse(path, wanted + " is cut off");
    }
    return text;
  }
  return std::nullopt;
}

// Which of the three kinds: told by the names at the top. A root file system is known by its first folders, so that a
// large one is not read to its end.
std::string kindOf(Call& call, const std::string& path) {
  const Reader reader = openArchive(path, false);
  bool index = false, layout = false, any = false;
  while (archive_entry* entry = nextMember(call, reader.get(), path)) {
    any = true;
    const std::string name = nameOf(entry);
    if (name == "manifest.json") return "docker";
    index = index || name == "index.json";
    layout = layout || name == "oci-layout";
    for (const char* top : {"bin", "etc", "usr", "lib"}) {
      if (name == top || name.rfind(std::string(top) + "/", 0) == 0) return "rootfs";
    }
  }
  if (!any) refuse(path, "is empty");
  return index && layout ? "oci" : "rootfs";
}

bool isDigest(const std::string& text) {
  return text.size() == 71 && text.rfind("sha256:", 0) == 0 &&
         text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
}

std::string blobOf(const std::string& path, const Object& descriptor) {
  const std::string digest = textOf(descriptor, "digest");
  if (!isDigest(digest)) refuse(path, "its index is damaged: \"" + printable(digest, 80) + "\" is not a digest");
  return "blobs/sha256/" + digest.substr(7);
}

void oneImage(const std::string& path, const Array& images) {
  if (images.isNull() || images->empty()) refuse(path, "holds no image");
  if (images->size() > 1) {
    refuse(path, "holds " + std::to_string(images->size()) + " images; give an archive of one");
  }
}

std::string manifestOf(const std::string& config, const Array& layers) {
  Poco::JSON::Object image;
  image.set("Config", config);
  image.set("RepoTags", Poco::Dynamic::Var());
  image.set("Layers", layers);
  return "[" + toText(image) + "]";
}

std::string dockerManifest(Call& call, const std::string& path) {
  const Array images = parseArray(readMember(call, path, "manifest.json").value_or(""));
  oneImage(path, images);
  const Object image = objectAt(images, 0);
  const Array layers = arrayOf(image, "Layers");
  if (textOf(image, "Config").empty() || layers.isNull()) refuse(path, "its manifest.json is damaged");
  return manifestOf(textOf(image, "Config"), layers);
}

std::string ociManifest(Call& call, const std::string& path) {
  const Array images = arrayOf(parseObject(readMember(call, path, "index.json").value_or("")), "manifests");
  oneImage(path, images);
  const Object manifest = parseObject(readMember(call, path, blobOf(path, objectAt(images, 0))).value_or(""));
  const Array layers = arrayOf(manifest, "layers");
  if (layers.isNull()) {
    refuse(path, "holds an image for several platforms, or a damaged manifest; give an archive of one platform");
  }
  Array files = new Poco::JSON::Array;
  for (std::size_t i = 0; i < layers->size(); ++i) files->add(blobOf(path, objectAt(layers, i)));
  return manifestOf(blobOf(path, objectOf(manifest, "config")), files);
}

// Where libarchive's writer puts its blocks.
struct Outlet {
  const Put& put;
  bool open = true;
};

la_ssize_t putBlock(archive*, void* outlet, const void* data, std::size_t size) {
  auto& out = *static_cast<Outlet*>(outlet);
  out.open = out.open && out.put(static_cast<const char*>(data), size);
  return out.open ? static_cast<la_ssize_t>(size) : -1;
}

void writeDecompressed(Call& call, const std::string& path, const Put& put) {
  const Reader reader = openArchive(path, true);
  nextMember(call, reader.get(), path);
  std::string buffer(kBlock, '\0');
  for (;;) {
    call.check("reading " + path);
    const la_ssize_t size = archive_read_data(reader.get(), buffer.data(), buffer.size());
    if (size < 0) refuse(path, "is damaged: " + reason(reader.get()));
    if (size == 0 || !put(buffer.data(), static_cast<std::size_t>(size))) return;
  }
}

void copyData(Call& call, archive* from, archive* to, const std::string& path) {
  std::string buffer(kBlock, '\0');
  for (;;) {
    call.check("reading " + path);
    const la_ssize_t size = archive_read_data(from, buffer.data(), buffer.size());
    if (size < 0) refuse(path, "is damaged: " + reason(from));
    if (size == 0) return;
    if (archive_write_data(to, buffer.data(), static_cast<std::size_t>(size)) < 0) return;
  }
}

// The archive's members, with our manifest for its own.
void writeRewritten(Call& call, const ImageSource& source, const Put& put) {
  Outlet outlet{put};
  const Reader reader = openArchive(source.path, false);
  const std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  archive_write_set_format_gnutar(writer.get());
  archive_write_open(writer.get(), &outlet, nullptr, putBlock, nullptr);

  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> manifest(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(manifest.get(), "manifest.json");
  archive_entry_set_filetype(manifest.get(), AE_IFREG);
  archive_entry_set_perm(manifest.get(), 0644);
  archive_entry_set_size(manifest.get(), static_cast<la_int64_t>(source.manifest.size()));
  archive_write_header(writer.get(), manifest.get());
  archive_write_data(writer.get(), source.manifest.data(), source.manifest.size());

  while (archive_entry* entry = nextMember(call, reader.get(), source.path)) {
    const std::string name = nameOf(entry);
    if (name == "manifest.json" || name == "repositories") continue;
    if (archive_write_header(writer.get(), entry) < ARCHIVE_WARN) {
      if (!outlet.open) return;  // the engine hung up, and its answer says why
      refuse(source.path, printable(name, 120) + ": " + reason(writer.get()));
    }
    if (archive_entry_size(entry) > 0) copyData(call, reader.get(), writer.get(), source.path);
  }
  archive_write_close(writer.get());
}

}  // namespace

ImageSource lookInto(Call& call, const std::string& path) {
  ImageSource source;
  source.path = path;
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    throw Error(Status::not_found, "docker: importing " + path + ": there is no such file or folder");
  }
  if (S_ISDIR(about.st_mode)) {
    if (::stat((path + "/oci-layout").c_str(), &about) == 0) {
      refuse(path,
             "is an OCI layout and not a root file system; give a tar of it: tar -C " + path + " -cf image.tar .");
    }
    source.kind = ImageSource::Kind::folder;
    return source;
  }
  if (!S_ISREG(about.st_mode)) refuse(path, "is neither a file nor a folder");
  const std::string kind = kindOf(call, path);
  if (kind == "rootfs") return source;
  source.kind = ImageSource::Kind::archive;
  source.manifest = kind == "oci" ? ociManifest(call, path) : dockerManifest(call, path);
  return source;
}

void writeTar(Call& call, const ImageSource& source, const Put& put) {
  switch (source.kind) {
    case ImageSource::Kind::folder:
      return writeFolder(call, source.path, put);
    case ImageSource::Kind::rootfs:
      return writeDecompressed(call, source.path, put);
    case ImageSource::Kind::archive:
      return writeRewritten(call, source, put);
  }
}

}  // namespace ocelot::docker
