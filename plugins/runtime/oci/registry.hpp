#pragma once
// Fetching images from registries, with skopeo.

#include <string>
#include <vector>

#include "ocelot/runtime.hpp"
#include "reference.hpp"
#include "store.hpp"

namespace ocelot::oci {

class Registry {
 public:
  // `mirror`: asked before docker.io ("" : none); `insecure`: registries without TLS, or with a certificate that need
  // not hold.
  Registry(std::string mirror, std::vector<std::string> insecure);

  // What the registry has under this name now: the digest of the manifest for this machine.
  struct Found {
    std::string source;  // "docker://registry/path@sha256:…": exactly that manifest
    std::string domain;
    std::string digest;
    std::uint64_t bytes = 0;
  };
  // `folder` is for temporary files. Throws not_found, unauthenticated, unavailable or invalid, naming image and
  // registry.
  Found find(Call& call, const Reference& reference, const ImageRequest& request, const std::string& folder) const;
  // Copies it to an OCI layout at `folder`/layout.
  SourceImage fetch(Call& call, const Reference& reference, const Found& found, const ImageRequest& request,
                    const std::string& folder, const ProgressSink& progress) const;
  // Copies an image of a Docker Engine on this machine.
  SourceImage fetchDocker(Call& call, const std::string& name, const std::string& folder,
                          const ProgressSink& progress) const;

 private:
  Found findAt(Call& call, const Reference& reference, const std::string& domain, const ImageRequest& request,
               const std::string& folder) const;
  bool insecure(const std::string& domain) const;
  const std::string mirror_;
  const std::vector<std::string> insecure_;
};

// Reads an OCI layout; blobs are checked when they are unpacked, manifest and configuration here.
SourceImage readLayout(const std::string& folder, const std::string& where);
// Reads the unpacked archive of `docker save`.
SourceImage readSaved(const std::string& folder, const std::string& where);

}  // namespace ocelot::oci
