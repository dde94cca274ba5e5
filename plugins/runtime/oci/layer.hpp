#pragma once
// Unpacking: from an archive, or a folder, to the folder that an overlay takes as one layer. Nothing in an archive is
// trusted: paths stay below the folder whatever its links say, devices are left out, only harmless extended attributes
// are kept, and there are bounds on entries, bytes and the ratio of compression.

#include <cstdint>
#include <functional>
#include <string>

#include "ocelot/call.hpp"

namespace ocelot::oci {

struct UnpackRules {
  bool owners = true;       // false: everything belongs to us, for an ordinary user
  bool whiteouts = true;    // ".wh.x" means that x is removed: in layers, not in plain archives
  bool user_xattr = false;  // mark opaque folders by user.overlay.opaque instead of trusted.overlay.opaque
  std::uint64_t max_entries = 4'000'000;
  std::uint64_t max_bytes = 64ull << 30;
  // More than this many bytes of content for each byte of archive, past so many bytes of content, is an attack.
  std::uint64_t max_ratio = 400;
  std::uint64_t ratio_from_bytes = 1ull << 30;
};

struct Unpacked {
  std::string blob_digest;  // of the file as it was
  std::string diff_id;      // of the archive within, uncompressed
  std::uint64_t bytes = 0;  // of content
};

using ByteSink = std::function<void(std::uint64_t done_bytes)>;  // of the archive file, now and then

// `folder` must be there and empty. Throws Error(invalid) for what an archive may not contain; what was unpacked until
// then is the caller's to remove. Reads tar, plain or compressed by gzip, zstd, xz or bzip2.
Unpacked unpackArchive(Call& call, const std::string& archive, const std::string& folder, const UnpackRules& rules,
                       const ByteSink& progress);

// Is the archive an image as `docker save` or an OCI tool writes it, rather than a root file system? Reads until the
// first entry that tells.
bool holdsImage(Call& call, const std::string& archive);

// Copies the tree `source`. The digest is of names, metadata and change times: the same for an untouched tree.
Unpacked copyFolder(Call& call, const std::string& source, const std::string& folder, const UnpackRules& rules,
                    const ByteSink& progress);

}  // namespace ocelot::oci
