#pragma once
// What a build process is told: one build, where its source is, and by which runtime to run it. Written to the build's
// directory as spec.json by the worker or by `ocelot run`, and read by `ocelot-worker build`.
//
// Nothing secret is in an Order: secrets come in an Envelope, over the build process's standard input.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/build.hpp"

namespace ocelot::builddir {

// A runtime plugin as configured; what is needed to load it again in another process.
struct RuntimeChoice {
  std::string name;     // instance name in the configuration, "oci"
  std::string library;  // path of the shared object
  std::map<std::string, std::vector<std::string>> options;
};

struct Source {
  enum class Kind { git, folder } kind = Kind::git;
  std::string url;     // git: clone URL
  std::string folder;  // folder: copied as it is (`ocelot run`)
};

struct BuildLimits {
  std::uint64_t memory_bytes = 0;  // 0: none, and so for the next two. Of a build whose ocelot.yml names none, and
  std::uint32_t cpu_millis = 0;    // the most that one may name
  std::uint32_t pids = 0;
  std::uint64_t log_bytes = 0;
  std::int64_t timeout_ms = 0;      // of a build whose ocelot.yml names none
  std::int64_t max_timeout_ms = 0;  // the most that one may name; 0: no limit
  std::int64_t grace_ms = 10000;    // between TERM and KILL of a stage
};

struct Order {
  model::Build build;  // id, number, attempt, repo, branch, commit, pipeline, change_json, …
  Source source;
  RuntimeChoice runtime;
  BuildLimits limits;
  std::string network = "bridge";
  std::string owner;                     // of the containers: installation and worker
  std::string guest;                     // path of ocelot-guest
  std::string mirrors;                   // folder of git mirrors
  std::vector<std::string> local_repos;  // folders below which local-path repositories may lie
  bool refresh_image = false;
  std::int64_t alive_timeout_ms = 0;   // after which the guest stops by itself unless `alive` is raised; 0: never
  std::string previous_passed_commit;  // of the same branch; "" : there is none
  std::string version;                 // of the program that wrote it
};

std::string encode(const Order& order);
// Throws std::runtime_error naming what is wrong.
Order decodeOrder(std::string_view json);

// How to reach a private repository, as its VCS plugin told.
struct CloneAccess {
  std::string username, password, ssh_key, known_hosts;
};

// What opens the registry of the build's image; empty: nothing is known, or it is open to all.
struct RegistryAccess {
  std::string username, password;
};

// Where a build process gets the secrets that ocelot.yml names, each when it is first asked for.
struct SecretsAccess {
  std::string prefix;  // of their names in the secret store: "repo/<id>/"; "": there is nowhere to ask
  std::string desk;    // the worker's socket, who reads them itself; "": Vault, with the build's own pass
  std::string pass;    // in its wrapping, to be taken out at once; "": it was, and lies in the build's directory
  std::string url, ca_file, name_space, mount, kv_prefix;  // of Vault
  int kv_version = 0;
  std::int64_t timeout_ms = 0;
};

// What must never touch a disk.
struct Envelope {
  std::string directory;                       // of the build; "" when given on the command line
  std::string run_directory;                   // its half on tmpfs
  std::map<std::string, std::string> secrets;  // name → value, where a person gave them (`ocelot run`)
  SecretsAccess access;                        // of all other builds
  CloneAccess clone;
  RegistryAccess registry;
};

std::string encode(const Envelope& envelope);
Envelope decodeEnvelope(std::string_view json);

std::string encode(const RuntimeChoice& runtime);
RuntimeChoice decodeRuntimeChoice(std::string_view json);

}  // namespace ocelot::builddir
