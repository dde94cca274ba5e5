#pragma once
// A place to run one build: one container whose main process is the guest.
//
//   create ─ probe ─ pull ─ start ─┬─ wait ────────┬─ remove ─ … ─ destroy
//                                  └─ kill ─ wait ─┘
//
// A container outlives the process that started it: list() finds it again by its owner label, and wait, kill and remove
// take its name, so that the next process can go on where the last one died.
//
// Threads: probe, pull and start are [serial]; wait, kill, remove and list may run at any time from any thread, also
// beside each other and beside a call in progress.
// Failures: every member throws Error; a failed start leaves nothing behind.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocelot/call.hpp"

namespace ocelot {
inline namespace v1 {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct RuntimeFacts {
  std::string engine;   // "crun 1.8.1", "Docker Engine 20.10.24"
  bool usable = false;  // may builds be run here?
  std::string why_not;  // a sentence with the remedy, when not usable
  Pairs features;       // {"network.bridge", "yes"}, {"rootless", "no"}, {"cgroup", "v2"}, …
};

struct ImageRequest {
  std::string reference;  // as written in ocelot.yml: "debian:12", "registry:5000/a/b@sha256:…", "ocelot.local/base"
  bool refresh = false;   // ask the registry even when the image is here
  std::string username;   // registry credential; empty: anonymous
  std::string password;
};

// What the image says about itself, which the plan needs because the guest starts the stages.
struct Image {
  std::string reference;     // full: "docker.io/library/debian:12"
  std::string digest;        // "sha256:…" of the manifest or the config: what was really run
  std::string user;          // USER as written: "", "1000", "app:app"
  std::string working_dir;   // WORKDIR, "" when unset
  Pairs env;                 // ENV
  std::string architecture;  // "amd64"
};

// A step of fetching an image, for people: total is 0 while unknown.
struct PullProgress {
  std::string text;  // "fetching docker.io/library/debian:12", "unpacking layer 2 of 3"
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
};
using ProgressSink = std::function<void(const PullProgress&)>;

// Something of the worker's that the container must see. A plugin realises it by bind mount, volume or copy.
struct Resource {
  enum class Kind : int {
    file = 0,       // read-only file, executable when its mode says so (the guest)
    folder = 1,     // folder shared both ways while the container runs (control)
    workspace = 2,  // folder that the build owns; `source`, when given, holds the checkout to start from
  };
  Kind kind = Kind::file;
  std::string source;  // path on the worker
  std::string target;  // absolute path in the container
};

struct Limits {
  std::uint64_t memory_bytes = 0;  // 0: none; swap is never added
  std::uint32_t cpu_millis = 0;    // 1000: one core; 0: none
  std::uint32_t pids = 0;          // 0: none
  std::uint64_t disk_bytes =
      0;  // what the container may write beside the workspace; 0: none; where unsupported: probe says so
};

struct ContainerSpec {
  std::string name;   // unique on this engine: "ocelot-<build uuid>-<attempt>"
  std::string owner;  // whose containers these are (installation and worker): what list() asks for
  std::string image;  // full reference, pulled before
  std::string digest;
  std::vector<std::string> command;  // the guest and its arguments; replaces ENTRYPOINT and CMD
  Pairs labels;                      // "ocelot.build" → uuid, "ocelot.attempt" → "1", …
  std::vector<Resource> resources;
  Limits limits;
  std::string network = "bridge";  // bridge | none | host
  std::string hostname = "build";
  // Always: capabilities CHOWN DAC_OVERRIDE FOWNER FSETID SETUID SETGID KILL and no others, no-new-privileges, the
  // engine's default seccomp profile, user 0 of the container, no tty, no engine-side log, no restart.
};

struct Exit {
  bool known = false;  // the runtime saw the end; false: it is over, and its code was forgotten
  int code = 0;        // exit status; 128 + signal when killed
  bool out_of_memory = false;
};

struct Container {
  std::string name;
  Pairs labels;
  bool running = false;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  // Can builds run here? Looks at the engine for real (and starts nothing). Never throws for an engine that is away:
  // that is `usable = false` and a sentence.
  virtual RuntimeFacts probe(Call&) = 0;

  // Makes the image present and says what it says about itself. Asks no registry when it is here, unless refresh.
  // Errors name the full reference and the registry: not_found (no such image), unauthenticated, unavailable.
  virtual Image pull(Call&, const ImageRequest&, const ProgressSink&) = 0;

  // Creates and starts; returns when the main process runs. On failure nothing is left.
  virtual void start(Call&, const ContainerSpec&) = 0;

  // Blocks until the container has ended or the call is cancelled. not_found when there is no such container.
  virtual Exit wait(Call&, std::string_view name) = 0;

  // Signal to the main process (the guest). not_found when there is none running.
  virtual void kill(Call&, std::string_view name, int signal) = 0;

  // Every trace: processes, mounts, network, workspace, state. Safe twice, on unknown names and after any failure.
  virtual void remove(Call&, std::string_view name) = 0;

  // Every container, running or ended, that was started with this owner.
  virtual std::vector<Container> list(Call&, std::string_view owner) = 0;
};

// Optional ability "ocelot.runtime.images/1": images that come from no registry. A Runtime that has it also derives
// from this. [serial]
struct StoredImage {
  std::string reference;
  std::string digest;
  std::uint64_t size_bytes = 0;
  std::int64_t last_used_us = 0;  // microseconds since the epoch
};

class RuntimeImages {
 public:
  virtual ~RuntimeImages() = default;
  // `source`: a tar file of a root file system, an OCI or docker archive, a folder, or "docker:NAME".
  virtual Image importImage(Call&, const std::string& source, const std::string& reference, const ProgressSink&) = 0;
  virtual std::vector<StoredImage> listImages(Call&) = 0;
  virtual void removeImage(Call&, const std::string& reference) = 0;
};

}  // namespace v1
}  // namespace ocelot
