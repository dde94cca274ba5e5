// The part of Oci that is about images: fetching, importing, listing and removing them.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.hpp"
#include "oci.hpp"

namespace ocelot::oci {
namespace {

[[noreturn]] void notImported(const Reference& reference) {
  throw Error(Status::not_found, "image " + reference.full() +
                                     ": not imported here, and ocelot.local is no registry; " +
                                     "ocelot image import TAR|FOLDER|docker:NAME " + reference.full());
}

}  // namespace

Image Oci::pull(Call& call, const ImageRequest& request, const ProgressSink& progress) {
  const Reference reference = parseReference(request.reference);
  open();
  const Fd used = store_.use(call);
  const auto here = [&]() -> std::optional<Image> {
    const auto manifest = store_.find(reference);
    if (!manifest) return std::nullopt;
    store_.touch(reference);
    return manifest->image;
  };
  if (reference.imported()) {
    if (const auto image = here()) return *image;
    notImported(reference);
  }
  if (!request.refresh)
    if (const auto image = here()) return *image;

  // Two builds that want the same image fetch it once: the second finds it.
  const Fd turn =
      lockFile(call, store_.folder() + "/staging/." + hexOf(digestOf(reference.full())), LockKind::exclusive);
  if (!request.refresh)
    if (const auto image = here()) return *image;
  if (progress) progress({"asking for " + reference.full(), 0, 0});
  const Staging staging(store_.makeStaging());
  const Registry::Found found = registry_.find(call, reference, request, staging.path());
  if (const auto known = store_.findDigest(found.digest)) {
    StoredManifest manifest = store_.name(reference, *known);
    return manifest.image;
  }
  const SourceImage source = registry_.fetch(call, reference, found, request, staging.path(), progress);
  return store_.add(call, reference, source, progress).image;
}

Image Oci::importImage(Call& call, const std::string& source, const std::string& name, const ProgressSink& progress) {
  const Reference reference = parseReference(name);
  if (!reference.digest.empty())
    throw Error(Status::invalid, "import as " + name + ": a name with a digest cannot be given");
  open();
  const Fd used = store_.use(call);
  const Staging staging(store_.makeStaging());
  if (source.rfind("docker:", 0) == 0)
    return store_
        .add(call, reference, registry_.fetchDocker(call, source.substr(7), staging.path(), progress), progress)
        .image;

  struct stat status {};
  if (::stat(source.c_str(), &status) != 0) failSystem("import " + source, errno);
  if (S_ISDIR(status.st_mode)) {
    if (present(source + "/oci-layout") && present(source + "/index.json"))
      return store_.add(call, reference, readLayout(source, source), progress).image;
    if (!present(source + "/bin") && !present(source + "/usr"))
      throw Error(Status::invalid, "import " + source +
                                       ": neither an OCI layout (oci-layout, index.json) nor a root file "
                                       "system (bin or usr)");
    return store_.addFolder(call, reference, source, progress).image;
  }
  if (!S_ISREG(status.st_mode))
    throw Error(Status::invalid,
                "import " + source + ": neither a file nor a folder; a tar archive, a folder or docker:NAME");

  const std::string tree = staging.path() + "/archive";
  if (holdsImage(call, source)) {
    makeFolder(tree);
    UnpackRules rules;
    rules.whiteouts = false;
    rules.owners = false;
    unpackArchive(call, source, tree, rules, [&](std::uint64_t done) {
      if (progress) progress({"reading " + source, done, static_cast<std::uint64_t>(status.st_size)});
    });
    const SourceImage image = present(tree + "/index.json") ? readLayout(tree, source) : readSaved(tree, source);
    return store_.add(call, reference, image, progress).image;
  }
  return store_.addArchive(call, reference, source, progress).image;
}

std::vector<StoredImage> Oci::listImages(Call&) {
  open();
  return store_.list();
}

void Oci::removeImage(Call& call, const std::string& name) {
  const Reference reference = parseReference(name);
  open();
  if (!store_.remove(call, reference))
    throw Error(Status::not_found, "remove image " + reference.full() +
                                       ": there is no such image; `ocelot image list` shows those that are there");
}

}  // namespace ocelot::oci
