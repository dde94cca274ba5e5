#pragma once
// The name of an image, whole: "debian:12" is docker.io/library/debian:12 on every runtime alike.

#include <string>
#include <string_view>

namespace ocelot::docker {

struct Reference {
  std::string registry;    // "docker.io", "registry:5000", "ocelot.local"
  std::string repository;  // "library/debian"
  std::string tag;         // "" when there is a digest alone
  std::string digest;      // "sha256:…", or ""

  std::string name() const { return registry + "/" + repository; }
  std::string full() const;
  // What the engine is asked by: a digest is stronger than a tag, and both at once are refused by some engines.
  std::string asked() const { return name() + (digest.empty() ? ":" + tag : "@" + digest); }
  // Images of this registry exist only where they were imported.
  bool local() const { return registry == "ocelot.local"; }
};

// Throws Error(invalid) with what is wrong.
Reference parseReference(std::string_view text);

}  // namespace ocelot::docker
