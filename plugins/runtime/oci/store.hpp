#pragma once
// The images of this machine, in one folder that several processes share:
//
//   layers/<id>/           an unpacked layer, never changed; layers/<id>.note: its whole digest and size. Or mount
//   points manifests/<hex>.json   an image: user, environment, its layers images/<hex>.json      a name, and the
//   manifest that it stands for containers/<name>/     what a running container writes; `layers` in it: what it stands
//   on; `state`: whose it is staging/<random>/      a fetch in progress lock                   held shared by whoever
//   uses or adds, exclusively by whoever deletes
//
// Everything appears by rename, whole. A layer is deleted only under the exclusive lock, when no manifest and no
// container names it. [any] thread.

#include <optional>
#include <string>
#include <vector>

#include "file.hpp"
#include "image_config.hpp"
#include "layer.hpp"
#include "ocelot/runtime.hpp"
#include "reference.hpp"

namespace ocelot::oci {

// The blobs of one image, in files, ready to be unpacked.
struct SourceImage {
  std::string digest;  // of the manifest; "": the configuration's is used
  std::string config;  // text
  struct Layer {
    std::string path;
    std::string digest;  // of the file; "": not known
  };
  std::vector<Layer> layers;  // bottom first
};

class Store {
 public:
  Store(std::string folder, bool rootless);
  const std::string& folder() const { return folder_; }
  void open();  // makes the folders; throws when the place is not writable

  Fd use(Call& call) const;  // the shared lock

  std::optional<StoredManifest> find(const Reference& reference) const;
  std::optional<StoredManifest> findDigest(const std::string& digest) const;
  void touch(const Reference& reference) const;  // was used now
  // Names of layer folders below folder(), topmost first, as an overlay wants them.
  std::vector<std::string> layerFolders(const StoredManifest& manifest) const;

  // A layer that holds nothing but the places where something is to be mounted, made once for each set of them. Below
  // an image it spares the runtime making them in every container, each with a copy of its folder. The lock is held.
  struct MountPoint {
    std::string path;
    bool folder;
    bool operator<(const MountPoint& other) const { return path < other.path; }
  };
  std::string mountPointLayer(std::vector<MountPoint> points) const;

  // Unpacks the layers that are not here yet and gives the image its name.
  StoredManifest add(Call& call, const Reference& reference, const SourceImage& source,
                     const ProgressSink& progress) const;
  StoredManifest addArchive(Call& call, const Reference& reference, const std::string& archive,
                            const ProgressSink& progress) const;
  StoredManifest addFolder(Call& call, const Reference& reference, const std::string& source,
                           const ProgressSink& progress) const;

  // Gives an image that is here one more name.
  StoredManifest name(const Reference& reference, StoredManifest manifest) const;

  std::vector<StoredImage> list() const;
  // Takes the name away, and what only it held on to. False when there is no such name.
  bool remove(Call& call, const Reference& reference) const;
  // Deletes what nothing names. Does nothing while somebody adds or a container starts: the next call does.
  void collect(Call& call) const;

  // A folder for work in progress; the caller removes it, or the next collect() after a crash.
  std::string makeStaging() const;

 private:
  std::string imageFile(const Reference& reference) const;
  std::string manifestFile(const std::string& digest) const;
  std::string layerFolder(const std::string& diff_id) const;
  bool hasLayer(const std::string& diff_id) const;
  void publishLayer(const std::string& tree, const std::string& diff_id, std::uint64_t bytes) const;
  std::uint64_t layerBytes(const std::string& diff_id) const;
  StoredManifest addTree(const Reference& reference, const std::string& tree, const Unpacked& unpacked) const;
  UnpackRules rules(bool whiteouts) const;

  const std::string folder_;
  const bool rootless_;
};

// Removes a folder when the scope ends.
class Staging {
 public:
  explicit Staging(std::string path) : path_(std::move(path)) {}
  ~Staging() { tryRemoveTree(path_); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace ocelot::oci
