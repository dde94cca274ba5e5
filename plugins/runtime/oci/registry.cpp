#include "registry.hpp"

#include <Poco/JSON/Object.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "digest.hpp"
#include "tool.hpp"

namespace ocelot::oci {
namespace {

constexpr int kAttempts = 3;

bool contains(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// skopeo tells everything by one exit status and a text.
Error explain(const std::string& image, const std::string& domain, const ToolResult& result, bool with_password) {
  const std::string said = lastWords(result);
  const std::string text = lower(said);
  const std::string begin = "fetch " + image + " from " + domain + ": ";
  if (contains(text, {"server gave http response to https client"}))
    return {Status::unavailable,
            begin + "the registry speaks plain HTTP; add it to insecure_registries if that is meant"};
  if (contains(text, {"x509:", "certificate"}))
    return {Status::unavailable,
            begin + said + "; install its certificate authority, or add it to insecure_registries"};
  if (contains(text, {"manifest unknown", "name unknown", "repository name not known", "status 404", "not found",
                      "no such image"}) &&
      !contains(text, {"no such host"}))
    return {Status::not_found, begin + "no such image or tag (" + said + ")"};
  if (contains(text, {"unauthorized", "authentication required", "access to the resource is denied", "status 401",
                      "status 403", "forbidden", "invalid username/password", "denied"}))
    return {Status::unauthenticated, begin +
                                         (with_password ? "the registry refused the credential"
                                                        : "the registry wants a credential, or has no such image") +
                                         " (" + said + ")"};
  if (contains(text, {"digest", "does not match"}) &&
      contains(text, {"mismatch", "does not match", "unexpected digest"}))
    return {Status::unavailable, begin + "what arrived is damaged (" + said + ")"};
  return {Status::unavailable, begin + said};
}

// The credential goes by a file without a name, in memory, which skopeo inherits: a command line is seen by every
// process of the machine, and a file on a disk stays when we are killed. Without a credential, an empty one keeps
// skopeo from using whatever the account it runs under is logged in to.
Fd writeAuth(const std::string& domain, const ImageRequest& request) {
  Poco::JSON::Object auths;
  if (!request.username.empty() || !request.password.empty()) {
    const std::string plain = request.username + ":" + request.password;
    std::string encoded(4 * ((plain.size() + 2) / 3) + 1, '\0');
    encoded.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                                            reinterpret_cast<const unsigned char*>(plain.data()),
                                                            static_cast<int>(plain.size()))));
    Poco::JSON::Object entry;
    entry.set("auth", encoded);
    auths.set(domain, entry);
  }
  Poco::JSON::Object object;
  object.set("auths", auths);
  std::ostringstream text;
  object.stringify(text);
  Fd file(::memfd_create("auth.json", MFD_CLOEXEC));
  if (!file) failSystem("memfd_create", errno);
  appendAll(file.get(), text.str(), "a credential");
  return file;
}

// What skopeo finds it by.
std::string lend(Tool& tool, const Fd& auth) {
  const int fd = auth.get();
  tool.in_child = [fd] { ::fcntl(fd, F_SETFD, 0); };
  return "/proc/self/fd/" + std::to_string(fd);
}

// The operator's signature policy where there is one; skopeo refuses to run without any.
void setPolicy(Tool& tool) {
  if (!present("/etc/containers/policy.json")) tool.arguments.insert(tool.arguments.begin(), "--insecure-policy");
}

Tool skopeo(const std::string& folder) {
  Tool tool;
  tool.program = findProgram("skopeo");
  if (tool.program.empty())
    throw Error(Status::unavailable, "skopeo, which fetches images, is not installed: apt install skopeo");
  tool.environment = toolEnvironment();
  tool.environment["TMPDIR"] = folder;
  tool.environment["HOME"] = folder;
  return tool;
}

// Runs it up to three times while the reason is one that may pass.
ToolResult retried(Call& call, const Tool& tool, const std::string& image, const std::string& domain,
                   bool with_password) {
  for (int attempt = 1;; ++attempt) {
    const ToolResult result = runTool(call, tool);
    if (result.ok()) return result;
    const Error error = explain(image, domain, result, with_password);
    if (error.status() != Status::unavailable || attempt == kAttempts) throw error;
    call.log(LogLevel::warning, std::string(error.what()) + "; trying again");
    pollfd cancel{call.cancelFd(), POLLIN, 0};
    ::poll(&cancel, cancel.fd >= 0 ? 1 : 0, attempt * 500);
    call.check("fetching " + image);
  }
}

std::uint64_t bytesBelow(const std::string& folder) {
  std::uint64_t sum = 0;
  for (const std::string& name : namesIn(folder)) {
    struct stat status;
    if (::lstat((folder + "/" + name).c_str(), &status) == 0 && S_ISREG(status.st_mode))
      sum += static_cast<std::uint64_t>(status.st_size);
  }
  return sum;
}

std::string readBlob(const std::string& folder, const std::string& digest, const std::string& where) {
  const std::string text = readFile(folder + "/blobs/sha256/" + hexOf(digest), kMaxDescription);
  if (digestOf(text) != digest) throw Error(Status::invalid, where + ": the blob " + digest + " is damaged");
  return text;
}

}  // namespace

Registry::Registry(std::string mirror, std::vector<std::string> insecure)
    : mirror_(std::move(mirror)), insecure_(std::move(insecure)) {}

bool Registry::insecure(const std::string& domain) const {
  Reference reference;
  reference.domain = domain.substr(0, domain.find('/'));
  if (reference.loopback()) return true;
  return std::any_of(insecure_.begin(), insecure_.end(),
                     [&](const std::string& listed) { return sameRegistry(listed, reference.domain); });
}

Registry::Found Registry::findAt(Call& call, const Reference& reference, const std::string& domain,
                                 const ImageRequest& request, const std::string& folder) const {
  // A mirror gets no credential that was meant for somebody else.
  const ImageRequest credential = domain == reference.domain ? request : ImageRequest{};
  const bool with_password = !credential.username.empty();
  const Fd auth = writeAuth(domain, credential);
  const std::string repository = "docker://" + domain + "/" + reference.path;
  const auto inspect = [&](const std::string& name) {
    Tool tool = skopeo(folder);
    tool.arguments = {"inspect", "--raw", "--authfile", lend(tool, auth)};
    if (insecure(domain)) tool.arguments.push_back("--tls-verify=false");
    tool.arguments.push_back(name);
    return retried(call, tool, reference.full(), domain, with_password).out;
  };
  const std::string where = reference.full() + " at " + domain;
  Found found;
  found.domain = domain;
  std::string text = inspect(repository + (reference.digest.empty() ? ":" + reference.tag : "@" + reference.digest));
  found.digest = digestOf(text);
  if (!reference.digest.empty() && found.digest != reference.digest)
    throw Error(Status::unavailable, "fetch " + where + ": the registry sent another manifest, " + found.digest);
  Manifest manifest = parseManifest(text, where);
  if (manifest.isIndex()) {
    const std::string chosen = chooseManifest(manifest, where);
    text = inspect(repository + "@" + chosen);
    found.digest = digestOf(text);
    if (found.digest != chosen) throw Error(Status::unavailable, "fetch " + where + ": a manifest arrived damaged");
    manifest = parseManifest(text, where);
    if (manifest.isIndex()) throw Error(Status::invalid, where + ": an index within an index");
  }
  found.bytes = manifest.bytes();
  found.source = repository + "@" + found.digest;
  return found;
}

Registry::Found Registry::find(Call& call, const Reference& reference, const ImageRequest& request,
                               const std::string& folder) const {
  if (reference.domain == "docker.io" && !mirror_.empty()) {
    try {
      return findAt(call, reference, mirror_, request, folder);
    } catch (const Error& e) {
      if (e.status() == Status::cancelled) throw;
      call.log(LogLevel::warning, std::string(e.what()) + "; asking docker.io");
    }
  }
  return findAt(call, reference, reference.domain, request, folder);
}

SourceImage Registry::fetch(Call& call, const Reference& reference, const Found& found, const ImageRequest& request,
                            const std::string& folder, const ProgressSink& progress) const {
  const ImageRequest credential = found.domain == reference.domain ? request : ImageRequest{};
  const std::string layout = folder + "/layout";
  Tool tool = skopeo(folder);
  const Fd auth = writeAuth(found.domain, credential);
  tool.arguments = {"copy", "--quiet", "--src-authfile", lend(tool, auth)};
  if (insecure(found.domain)) tool.arguments.push_back("--src-tls-verify=false");
  tool.arguments.push_back(found.source);
  tool.arguments.push_back("oci:" + layout + ":image");
  setPolicy(tool);
  // skopeo tells its progress to terminals only; what has arrived can be seen.
  tool.waiting = [&] {
    if (progress)
      progress({"fetching " + reference.full(),
                std::min(found.bytes, bytesBelow(layout + "/blobs/sha256") + bytesBelow(layout)), found.bytes});
  };
  retried(call, tool, reference.full(), found.domain, !credential.username.empty());
  if (progress) progress({"fetching " + reference.full(), found.bytes, found.bytes});
  SourceImage image = readLayout(layout, reference.full());
  image.digest = found.digest;  // a manifest in Docker's form was rewritten on the way
  return image;
}

SourceImage Registry::fetchDocker(Call& call, const std::string& name, const std::string& folder,
                                  const ProgressSink& progress) const {
  // The engine's own names are short: "debian:12", not docker.io/library/debian:12.
  parseReference(name);
  const std::string layout = folder + "/layout";
  Tool tool = skopeo(folder);
  const bool tagged = name.find(':', name.rfind('/') + 1) != std::string::npos;
  tool.arguments = {"copy", "--quiet", "docker-daemon:" + (tagged ? name : name + ":latest"),
                    "oci:" + layout + ":image"};
  setPolicy(tool);
  // skopeo itself does not look at it.
  if (const char* engine = std::getenv("DOCKER_HOST"); engine && *engine)
    tool.arguments.insert(tool.arguments.end(), {"--src-daemon-host", engine});
  tool.waiting = [&] {
    if (progress) progress({"copying " + name + " from the Docker Engine", bytesBelow(layout + "/blobs/sha256"), 0});
  };
  const ToolResult result = runTool(call, tool);
  if (!result.ok()) {
    const std::string said = lastWords(result);
    const bool missing = lower(said).find("no such image") != std::string::npos;
    throw Error(missing ? Status::not_found : Status::unavailable, "import docker:" + name + ": " + said);
  }
  return readLayout(layout, "docker:" + name);
}

SourceImage readLayout(const std::string& folder, const std::string& where) {
  Manifest manifest = parseManifest(readFile(folder + "/index.json", kMaxDescription), where + " (index.json)");
  std::string digest;
  for (int depth = 0; manifest.isIndex(); ++depth) {
    if (depth == 4) throw Error(Status::invalid, where + ": indexes within indexes");
    digest = chooseManifest(manifest, where);
    manifest = parseManifest(readBlob(folder, digest, where), where);
  }
  SourceImage image;
  image.digest = digest;
  image.config = readBlob(folder, manifest.config.digest, where);
  for (const Blob& layer : manifest.layers)
    image.layers.push_back({folder + "/blobs/sha256/" + hexOf(layer.digest), layer.digest});
  return image;
}

SourceImage readSaved(const std::string& folder, const std::string& where) {
  const SavedImage saved = parseSaved(readFile(folder + "/manifest.json", kMaxDescription), where);
  SourceImage image;
  image.config = readFile(folder + "/" + saved.config, kMaxDescription);
  for (const std::string& layer : saved.layers) image.layers.push_back({folder + "/" + layer, ""});
  return image;
}

}  // namespace ocelot::oci
