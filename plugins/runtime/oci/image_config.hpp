#pragma once
// What images are described by: indexes, manifests and configurations, in the OCI and the Docker form. Everything here
// reads text that came from outside, and throws Error(invalid) that names what is wrong with it.

#include <cstdint>
#include <string>
#include <vector>

#include "ocelot/runtime.hpp"

namespace ocelot::oci {

constexpr std::size_t kMaxDescription = 4u << 20;  // bytes of a manifest, an index or a configuration
constexpr std::size_t kMaxLayers = 127;

struct Blob {
  std::string digest;
  std::uint64_t size = 0;
};

// A manifest, or an index of them: exactly one of the two parts is filled.
struct Manifest {
  Blob config;
  std::vector<Blob> layers;
  struct Choice {
    std::string digest, architecture, os, name;
  };
  std::vector<Choice> choices;
  bool isIndex() const { return !choices.empty(); }
  std::uint64_t bytes() const;
};
Manifest parseManifest(const std::string& text, const std::string& where);

// The manifest for this machine out of an index. Throws invalid, naming the architectures that there are.
std::string chooseManifest(const Manifest& index, const std::string& where);

// The `manifest.json` of what `docker save` writes.
struct SavedImage {
  std::string config;               // paths within the archive
  std::vector<std::string> layers;  // bottom first
};
SavedImage parseSaved(const std::string& text, const std::string& where);

struct ImageConfig {
  Image image;                        // reference and digest are the caller's to fill in
  std::vector<std::string> diff_ids;  // bottom first
};
ImageConfig parseConfig(const std::string& text, const std::string& where);
// A configuration for a root file system that came without one.
std::string makeConfig(const std::string& diff_id);

std::string machineArchitecture();  // "amd64", "arm64"
// Throws Error(invalid) when programs of that architecture cannot run here.
void checkArchitecture(const std::string& architecture, const std::string& where);

// An image as the store keeps it.
struct StoredManifest {
  Image image;
  std::vector<std::string> layers;  // diff ids, bottom first
  std::uint64_t bytes = 0;
};
std::string encodeStored(const StoredManifest& manifest);
StoredManifest decodeStored(const std::string& text, const std::string& where);

}  // namespace ocelot::oci
