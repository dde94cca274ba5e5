#pragma once
// What the worker was told, read once from the configuration.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "host/builddir/order.hpp"
#include "host/config/config.hpp"

namespace ocelot::worker {

struct Settings {
  std::string id;   // stable: kept in <data>/worker-id
  std::string key;  // likewise, in <data>/worker-key; nobody else knows it
  // "build-2 (boot 5f2c1a9e, folder 1311)": that of a copy of the machine or of <data> is another one.
  std::string place;
  std::string name;
  std::string url;  // where clients find its log server
  std::vector<std::string> admin_urls;
  std::string ca_file;  // of the authorities that daemons trust among themselves
  std::vector<std::string> tags;
  int slots = 1;
  std::string data_dir, run_dir;
  std::string program;  // this executable
  std::string guest;
  std::string network;
  std::vector<std::string> local_repos;
  builddir::BuildLimits limits;
  std::chrono::milliseconds lease{30000}, heartbeat{5000}, drain_timeout{3600000};
  std::chrono::hours mirror_keep{0};  // 0: for ever
  config::Share min_free_disk;

  // After how long without a sign of life a guest stops by itself. It sees a sign up to a second late and looks each
  // second, or five times in shorter ones; with that, and a tenth to spare, it is gone before the lease has ended. One
  // that started late, up to a third of this after the last sign, is gone before the reconciler has watched for long
  // enough.
  std::chrono::milliseconds aliveTimeout() const {
    return std::max(lease * 9 / 10 - std::chrono::milliseconds(2000), lease * 9 / 14);
  }

  std::string owner() const { return "ocelot-worker-" + id; }  // of its containers
  std::string builds() const { return data_dir + "/builds"; }
  std::string desk() const { return run_dir + "/desk/" + id; }  // where builds ask it for secrets
  std::string runBuilds() const { return run_dir + "/builds"; }
};

// Of one attempt; how it is found again.
inline std::string containerName(const std::string& build_id, int attempt) {
  return "ocelot-" + build_id + "-" + std::to_string(attempt);
}

// Makes the folders and the id. Throws std::runtime_error with what to do.
Settings settingsFrom(const config::Config& config);

}  // namespace ocelot::worker
