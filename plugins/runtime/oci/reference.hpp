#pragma once
// The name of an image: "debian:12" is docker.io/library/debian:12, and everything that is not a name is refused here,
// so that nothing strange reaches a registry, a path or a command line.

#include <string>
#include <string_view>

namespace ocelot::oci {

struct Reference {
  std::string domain;  // "docker.io", "registry.example:5000", "ocelot.local"
  std::string path;    // "library/debian"
  std::string tag;     // "12"; "" only when there is a digest
  std::string digest;  // "sha256:…" or ""

  std::string name() const { return domain + "/" + path; }
  std::string full() const;  // "docker.io/library/debian:12", "…/a/b:1@sha256:…"
  bool imported() const;     // of ocelot.local: known to no registry
  bool loopback() const;     // the registry is on this machine, and may speak plain HTTP
};

// Throws Error(invalid) that quotes the text and says what is wrong with it.
Reference parseReference(std::string_view text);

// Does a list of registries ("host", "host:port") name this domain?
bool sameRegistry(std::string_view listed, std::string_view domain);

}  // namespace ocelot::oci
