#include "store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <set>
#include <sstream>

#include "digest.hpp"

namespace ocelot::oci {
namespace {

// 96 bits of a layer's digest name its folder: the option string of an overlay has one page for all of them.
constexpr std::size_t kShortName = 24;
// A manifest that lost its name to a newer one may have been promised to a build that is about to start.
constexpr std::chrono::hours kGrace{1};

std::int64_t modifiedUs(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

std::int64_t nowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// An image's name and the digest of its manifest, a line each.
struct Name {
  std::string reference, digest;
};
std::optional<Name> readName(const std::string& path) {
  const auto text = readFileIfPresent(path, 4096);
  if (!text) return std::nullopt;
  Name name;
  std::istringstream lines(*text);
  if (!std::getline(lines, name.reference) || !std::getline(lines, name.digest) || !isDigest(name.digest))
    return std::nullopt;
  return name;
}

}  // namespace

Store::Store(std::string folder, bool rootless) : folder_(std::move(folder)), rootless_(rootless) {}

void Store::open() {
  makeFolders(folder_, 0711);
  for (const char* name : {"/layers", "/manifests", "/images", "/containers", "/staging"})
    makeFolder(folder_ + name, name == std::string("/layers") || name == std::string("/containers") ? 0711 : 0700);
}

Fd Store::use(Call& call) const { return lockFile(call, folder_ + "/lock", LockKind::shared); }

std::string Store::imageFile(const Reference& reference) const {
  return folder_ + "/images/" + hexOf(digestOf(reference.full()));
}
std::string Store::manifestFile(const std::string& digest) const {
  return folder_ + "/manifests/" + hexOf(digest) + ".json";
}
std::string Store::layerFolder(const std::string& diff_id) const {
  return folder_ + "/layers/" + hexOf(diff_id).substr(0, kShortName);
}

bool Store::hasLayer(const std::string& diff_id) const {
  const auto note = readFileIfPresent(layerFolder(diff_id) + ".note", 4096);
  return note && note->rfind(diff_id + " ", 0) == 0 && present(layerFolder(diff_id));
}

std::uint64_t Store::layerBytes(const std::string& diff_id) const {
  const auto note = readFileIfPresent(layerFolder(diff_id) + ".note", 4096).value_or("");
  const auto space = note.find(' ');
  return space == std::string::npos ? 0 : std::strtoull(note.c_str() + space + 1, nullptr, 10);
}

std::optional<StoredManifest> Store::findDigest(const std::string& digest) const {
  if (!isDigest(digest)) return std::nullopt;
  const std::string path = manifestFile(digest);
  const auto text = readFileIfPresent(path, kMaxDescription);
  if (!text) return std::nullopt;
  StoredManifest manifest = decodeStored(*text, path);
  for (const std::string& layer : manifest.layers)
    if (!hasLayer(layer)) return std::nullopt;
  return manifest;
}

std::optional<StoredManifest> Store::find(const Reference& reference) const {
  const auto name = readName(imageFile(reference));
  if (!name) return std::nullopt;
  auto manifest = findDigest(name->digest);
  if (manifest) manifest->image.reference = reference.full();
  return manifest;
}

void Store::touch(const Reference& reference) const { ::utimensat(AT_FDCWD, imageFile(reference).c_str(), nullptr, 0); }

std::vector<std::string> Store::layerFolders(const StoredManifest& manifest) const {
  std::vector<std::string> folders;
  for (auto layer = manifest.layers.rbegin(); layer != manifest.layers.rend(); ++layer)
    folders.push_back("layers/" + hexOf(*layer).substr(0, kShortName));
  return folders;
}

std::string Store::mountPointLayer(std::vector<MountPoint> points) const {
  std::sort(points.begin(), points.end());  // a folder before what is in it
  std::string list;
  for (const MountPoint& point : points) list += point.path + (point.folder ? "/\n" : "\n");
  const std::string layer = "layers/" + hexOf(digestOf("mount points\n" + list)).substr(0, kShortName);
  const std::string place = folder_ + "/" + layer;
  if (present(place)) return layer;
  const Staging staging(makeStaging());
  const std::string tree = staging.path() + "/tree";
  makeFolder(tree, 0755);
  for (const MountPoint& point : points) {
    for (std::size_t end = point.path.find('/', 1); end != std::string::npos; end = point.path.find('/', end + 1))
      makeFolder(tree + point.path.substr(0, end), 0755);
    if (point.folder)
      makeFolder(tree + point.path, 0755);
    else
      writeFile(tree + point.path, "", 0644);
  }
  if (::rename(tree.c_str(), place.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST)
    failSystem("rename " + tree + " to " + place, errno);
  return layer;
}

std::string Store::makeStaging() const {
  const std::string path = folder_ + "/staging/" + randomName();
  makeFolder(path);
  return path;
}

UnpackRules Store::rules(bool whiteouts) const {
  UnpackRules rules;
  rules.whiteouts = whiteouts;
  rules.owners = !rootless_;
  rules.user_xattr = rootless_;
  return rules;
}

void Store::publishLayer(const std::string& tree, const std::string& diff_id, std::uint64_t bytes) const {
  // The note says that the layer is whole: its content must reach the disk first.
  const Fd fd(::open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) failSystem("write " + tree + " to the disk", errno);
  const std::string place = layerFolder(diff_id);
  if (::rename(tree.c_str(), place.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST)
    failSystem("rename " + tree + " to " + place, errno);
  // Already there: by somebody else just now, and with the same digest.
  replaceFile(place + ".note", diff_id + " " + std::to_string(bytes) + "\n");
}

StoredManifest Store::name(const Reference& reference, StoredManifest manifest) const {
  manifest.bytes = 0;
  for (const std::string& layer : manifest.layers) manifest.bytes += layerBytes(layer);
  replaceFile(manifestFile(manifest.image.digest), encodeStored(manifest));
  replaceFile(imageFile(reference), reference.full() + "\n" + manifest.image.digest + "\n");
  manifest.image.reference = reference.full();
  return manifest;
}

StoredManifest Store::add(Call& call, const Reference& reference, const SourceImage& source,
                          const ProgressSink& progress) const {
  const std::string where = reference.full();
  ImageConfig config = parseConfig(source.config, where);
  checkArchitecture(config.image.architecture, where);
  if (config.diff_ids.size() != source.layers.size())
    throw Error(Status::invalid, where + ": the configuration lists " + std::to_string(config.diff_ids.size()) +
                                     " layers and the manifest " + std::to_string(source.layers.size()));
  const Staging staging(makeStaging());
  for (std::size_t i = 0; i < source.layers.size(); ++i) {
    const std::string& diff_id = config.diff_ids[i];
    if (hasLayer(diff_id)) continue;
    const std::string tree = staging.path() + "/" + std::to_string(i);
    makeFolder(tree, 0755);
    struct stat status {};
    ::stat(source.layers[i].path.c_str(), &status);
    const std::string text = "unpacking layer " + std::to_string(i + 1) + " of " + std::to_string(source.layers.size());
    Unpacked unpacked;
    try {
      unpacked = unpackArchive(call, source.layers[i].path, tree, rules(true), [&](std::uint64_t done) {
        if (progress) progress({text, done, static_cast<std::uint64_t>(status.st_size)});
      });
    } catch (const Error& e) {
      throw Error(e.status(), where + ": layer " + std::to_string(i + 1) + ": " + e.what());
    }
    if (!source.layers[i].digest.empty() && unpacked.blob_digest != source.layers[i].digest)
      throw Error(Status::unavailable, where + ": layer " + std::to_string(i + 1) + " arrived damaged: its digest is " +
                                           unpacked.blob_digest + ", not " + source.layers[i].digest);
    if (unpacked.diff_id != diff_id)
      throw Error(Status::invalid, where + ": layer " + std::to_string(i + 1) +
                                       " is not what the configuration says: " + unpacked.diff_id + ", not " + diff_id);
    publishLayer(tree, diff_id, unpacked.bytes);
  }
  StoredManifest manifest;
  manifest.image = config.image;
  if (manifest.image.architecture.empty()) manifest.image.architecture = machineArchitecture();
  manifest.image.digest = source.digest.empty() ? digestOf(source.config) : source.digest;
  manifest.layers = config.diff_ids;
  return name(reference, std::move(manifest));
}

StoredManifest Store::addTree(const Reference& reference, const std::string& tree, const Unpacked& unpacked) const {
  if (!hasLayer(unpacked.diff_id)) publishLayer(tree, unpacked.diff_id, unpacked.bytes);
  const std::string text = makeConfig(unpacked.diff_id);
  StoredManifest manifest;
  manifest.image = parseConfig(text, reference.full()).image;
  manifest.image.digest = digestOf(text);
  manifest.layers = {unpacked.diff_id};
  return name(reference, std::move(manifest));
}

StoredManifest Store::addArchive(Call& call, const Reference& reference, const std::string& archive,
                                 const ProgressSink& progress) const {
  const Staging staging(makeStaging());
  const std::string tree = staging.path() + "/tree";
  makeFolder(tree, 0755);
  struct stat status {};
  ::stat(archive.c_str(), &status);
  const Unpacked unpacked = unpackArchive(call, archive, tree, rules(false), [&](std::uint64_t done) {
    if (progress) progress({"unpacking " + archive, done, static_cast<std::uint64_t>(status.st_size)});
  });
  return addTree(reference, tree, unpacked);
}

StoredManifest Store::addFolder(Call& call, const Reference& reference, const std::string& source,
                                const ProgressSink& progress) const {
  const Staging staging(makeStaging());
  const std::string tree = staging.path() + "/tree";
  makeFolder(tree, 0755);
  const Unpacked unpacked = copyFolder(call, source, tree, rules(false), [&](std::uint64_t done) {
    if (progress) progress({"copying " + source, done, 0});
  });
  return addTree(reference, tree, unpacked);
}

std::vector<StoredImage> Store::list() const {
  std::vector<StoredImage> images;
  for (const std::string& file : namesIn(folder_ + "/images")) {
    const std::string path = folder_ + "/images/" + file;
    const auto name = readName(path);
    if (!name) continue;
    const auto manifest = findDigest(name->digest);
    if (!manifest) continue;
    images.push_back({name->reference, name->digest, manifest->bytes, modifiedUs(path)});
  }
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.reference < b.reference; });
  return images;
}

bool Store::remove(Call& call, const Reference& reference) const {
  const std::string path = imageFile(reference);
  const auto name = readName(path);
  if (!name) return false;
  ::unlink(path.c_str());
  // Taken away on purpose, so its manifest has no grace, unless another name stands for it.
  ::utimensat(AT_FDCWD, manifestFile(name->digest).c_str(), std::array<timespec, 2>{}.data(), 0);
  collect(call);
  return true;
}

void Store::collect(Call& call) const {
  const Fd lock = tryLockFile(folder_ + "/lock", LockKind::exclusive);
  if (!lock) return;
  call.check("removing unused images");
  std::set<std::string> named, used;
  for (const std::string& file : namesIn(folder_ + "/images"))
    if (const auto name = readName(folder_ + "/images/" + file)) named.insert(hexOf(name->digest) + ".json");
  const std::int64_t recent = nowUs() - std::chrono::microseconds(kGrace).count();
  for (const std::string& file : namesIn(folder_ + "/manifests")) {
    const std::string path = folder_ + "/manifests/" + file;
    if (!named.count(file) && modifiedUs(path) < recent) {
      ::unlink(path.c_str());
      continue;
    }
    const auto text = readFileIfPresent(path, kMaxDescription);
    if (!text) continue;
    for (const std::string& layer : decodeStored(*text, path).layers) used.insert(hexOf(layer).substr(0, kShortName));
  }
  for (const std::string& container : namesIn(folder_ + "/containers")) {
    std::istringstream lines(
        readFileIfPresent(folder_ + "/containers/" + container + "/layers", 1u << 20).value_or(""));
    for (std::string layer; std::getline(lines, layer);) used.insert(layer.substr(layer.rfind('/') + 1));
  }
  for (const std::string& entry : namesIn(folder_ + "/layers")) {
    if (used.count(entry.substr(0, entry.find('.')))) continue;
    if (entry.size() > kShortName) {
      // The note goes first: a half-removed layer must not look whole.
      ::unlink((folder_ + "/layers/" + entry).c_str());
      continue;
    }
    ::unlink((folder_ + "/layers/" + entry + ".note").c_str());
    removeTree(folder_ + "/layers/" + entry);
  }
  // Whoever fetches holds the lock; these belong to the dead.
  for (const std::string& entry : namesIn(folder_ + "/staging")) removeTree(folder_ + "/staging/" + entry);
}

}  // namespace ocelot::oci
