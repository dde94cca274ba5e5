#pragma once
// What a person gives as an image: a tar of a root file system, a docker or an OCI archive, or a folder; compressed as
// they like. Each is written out as a tar that every engine takes.

#include <string>

#include "engine.hpp"

namespace ocelot::docker {

struct ImageSource {
  enum class Kind { folder, rootfs, archive } kind = Kind::rootfs;
  std::string path;
  // Of an archive: the manifest.json that the engine is given, whether the archive came with one (docker) or with an
  // index (OCI). It names no tags, so that an archive cannot rename other images.
  std::string manifest;
};

// Looks into the file. Throws Error: not_found, invalid (no tar, or not exactly one image).
ImageSource lookInto(Call& call, const std::string& path);

// Gives the tar to `put`, until it returns false. Throws Error(invalid) for a damaged source.
void writeTar(Call& call, const ImageSource& source, const Put& put);

}  // namespace ocelot::docker
