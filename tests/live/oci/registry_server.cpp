#include "tests/live/oci/registry_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "plugins/runtime/oci/digest.hpp"

namespace ocelot::oci::test {
namespace {

std::string message(const std::string& status, const std::string& type, const std::string& body,
                    const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + more + "\r\n" + body;
}

std::string error(const std::string& status, const std::string& code) {
  return message(status, "application/json", R"({"errors":[{"code":")" + code + R"(","message":")" + code + R"("}]})");
}

}  // namespace

RegistryServer::RegistryServer(const ImageLayout& layout) : layout_(layout), thread_([this] { serve(); }) {}

RegistryServer::~RegistryServer() {
  ::shutdown(listener_.fd(), SHUT_RDWR);
  thread_.join();
}

std::vector<std::string> RegistryServer::requests() const {
  const std::lock_guard guard(mutex_);
  return requests_;
}

void RegistryServer::serve() {
  for (;;) {
    const Fd peer(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return;
    answer(peer.get());
  }
}

void RegistryServer::answer(int peer) {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::read(peer, buffer, sizeof buffer);
    if (got <= 0) return;  // a client that tries TLS first hangs up
    request.append(buffer, static_cast<std::size_t>(got));
    if (request[0] != 'G' && request[0] != 'H') return;
  }
  const std::string text = respond(request);
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t written = ::send(peer, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (written <= 0) return;
    sent += static_cast<std::size_t>(written);
  }
}

std::string RegistryServer::respond(const std::string& request) {
  const std::string line = request.substr(0, request.find(" HTTP/"));
  {
    const std::lock_guard guard(mutex_);
    requests_.push_back(line);
  }
  if (!credential.empty() && request.find("Authorization: Basic " + credential + "\r\n") == std::string::npos)
    return message("401 Unauthorized", "application/json",
                   R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})",
                   "WWW-Authenticate: Basic realm=\"test\"\r\n");
  const std::string path = line.substr(line.find(' ') + 1);
  if (path == "/v2/") return message("200 OK", "application/json", "{}");
  if (failures > 0) {
    --failures;
    return error("500 Internal Server Error", "UNKNOWN");
  }
  if (missing) return error("404 Not Found", "MANIFEST_UNKNOWN");
  const std::string last = path.substr(path.rfind('/') + 1);
  const bool manifest = path.find("/manifests/") != std::string::npos;
  const std::string digest = manifest && !isDigest(last) ? layout_.manifest_digest : last;
  const auto content = isDigest(digest) ? readFileIfPresent(layout_.blob(digest), 64u << 20) : std::nullopt;
  if (!content) return error("404 Not Found", manifest ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN");
  std::string body = *content;
  if (damaged && !manifest) body[body.size() / 2] = static_cast<char>(body[body.size() / 2] ^ 1);
  return message("200 OK", manifest ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream", body,
                 "Docker-Content-Digest: " + digest + "\r\n");
}

}  // namespace ocelot::oci::test
