#pragma once
// What is known of one container, as a file in the state folder. It is written before anything is made, so that
// whatever happens afterwards, the next process knows what there is to remove.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ocelot/runtime.hpp"

namespace ocelot::oci {

struct Record {
  std::string name;
  std::string owner;
  Pairs labels;
  std::string network;           // bridge | none | host
  std::string cgroup;            // "/ocelot/<name>"
  std::string storage;           // folder in the store: upper, work, workspace, etc files
  std::string source;            // the checkout that became the workspace; removed with the container
  std::string interface_config;  // the CNI configuration that ADD was called with; "" before
  pid_t pid = 0;                 // 0: not started
  std::uint64_t started = 0;     // its start time, in clock ticks: a pid alone may be somebody else's
};

std::string encodeRecord(const Record& record);
Record decodeRecord(const std::string& text, const std::string& path);  // invalid when it is not a record

// "" when it may be the name of a container: letters, digits, '_', '.', '-', at most 128, a letter or digit first.
std::string whyBadName(std::string_view name);

}  // namespace ocelot::oci
