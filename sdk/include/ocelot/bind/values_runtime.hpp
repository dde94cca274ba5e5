#pragma once
// The values of a Runtime in both forms. A …Wire borrows from the value it is made of.

#include "ocelot/abi/runtime.h"
#include "ocelot/bind/common.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

class FactsWire : public ocelot_runtime_facts {
 public:
  explicit FactsWire(RuntimeFacts&&) = delete;  // it borrows
  explicit FactsWire(const RuntimeFacts& facts) : ocelot_runtime_facts{}, features_(facts.features) {
    size = sizeof(ocelot_runtime_facts);
    usable = facts.usable ? 1 : 0;
    engine = str(facts.engine);
    why_not = str(facts.why_not);
    features = features_.get();
  }

 private:
  LentPairs features_;
};
inline RuntimeFacts factsFrom(const ocelot_runtime_facts& lent) {
  return {text(lent.engine), lent.usable != 0, text(lent.why_not), pairs(lent.features, kMostPairs, "features")};
}

inline ocelot_image_request wire(const ImageRequest& request) {
  return {sizeof(ocelot_image_request), request.refresh ? 1u : 0u, str(request.reference), str(request.username),
          str(request.password)};
}
inline ImageRequest imageRequestFrom(const ocelot_image_request& lent) {
  return {text(lent.reference), lent.refresh != 0, text(lent.username), text(lent.password)};
}

class ImageWire : public ocelot_image {
 public:
  explicit ImageWire(Image&&) = delete;  // it borrows
  explicit ImageWire(const Image& image) : ocelot_image{}, env_(image.env) {
    size = sizeof(ocelot_image);
    reference = str(image.reference);
    digest = str(image.digest);
    user = str(image.user);
    working_dir = str(image.working_dir);
    env = env_.get();
    architecture = str(image.architecture);
  }

 private:
  LentPairs env_;
};
inline Image imageFrom(const ocelot_image& lent) {
  return {text(lent.reference),
          text(lent.digest),
          text(lent.user),
          text(lent.working_dir),
          pairs(lent.env, kMostPairs, "variables of an image"),
          text(lent.architecture)};
}

inline ocelot_pull_progress wire(const PullProgress& progress) {
  return {sizeof(ocelot_pull_progress), str(progress.text), progress.done_bytes, progress.total_bytes};
}
inline PullProgress progressFrom(const ocelot_pull_progress& lent) {
  return {text(lent.text), lent.done_bytes, lent.total_bytes};
}

class SpecWire : public ocelot_container_spec {
 public:
  explicit SpecWire(ContainerSpec&&) = delete;  // it borrows
  explicit SpecWire(const ContainerSpec& spec) : ocelot_container_spec{}, command_(spec.command), labels_(spec.labels) {
    for (const Resource& one : spec.resources)
      resources_.push_back(
          {sizeof(ocelot_resource), static_cast<std::int32_t>(one.kind), str(one.source), str(one.target)});
    size = sizeof(ocelot_container_spec);
    name = str(spec.name);
    owner = str(spec.owner);
    image = str(spec.image);
    digest = str(spec.digest);
    command = command_.get();
    labels = labels_.get();
    resources = resources_.data();
    resource_count = resources_.size();
    memory_bytes = spec.limits.memory_bytes;
    disk_bytes = spec.limits.disk_bytes;
    cpu_millis = spec.limits.cpu_millis;
    pids = spec.limits.pids;
    network = str(spec.network);
    hostname = str(spec.hostname);
  }
  SpecWire(const SpecWire&) = delete;
  SpecWire& operator=(const SpecWire&) = delete;

 private:
  LentTexts command_;
  LentPairs labels_;
  std::vector<ocelot_resource> resources_;
};
inline ContainerSpec specFrom(const ocelot_container_spec& lent) {
  ContainerSpec spec;
  spec.name = text(lent.name);
  spec.owner = text(lent.owner);
  spec.image = text(lent.image);
  spec.digest = text(lent.digest);
  spec.command = texts(lent.command, kMostPairs, "arguments of a container");
  spec.labels = pairs(lent.labels, kMostPairs, "labels of a container");
  each(lent.resources, lent.resource_count, [&](const ocelot_resource& one) {
    if (one.kind < OCELOT_RESOURCE_FILE || one.kind > OCELOT_RESOURCE_WORKSPACE)
      throw Error(Status::unsupported, "a resource of kind " + std::to_string(one.kind) + " at " + text(one.target) +
                                           ": this plugin is older than the host");
    spec.resources.push_back({static_cast<Resource::Kind>(one.kind), text(one.source), text(one.target)});
  });
  spec.limits = {lent.memory_bytes, lent.cpu_millis, lent.pids, lent.disk_bytes};
  spec.network = text(lent.network);
  spec.hostname = text(lent.hostname);
  return spec;
}

class ContainerWire : public ocelot_container {
 public:
  explicit ContainerWire(Container&&) = delete;  // it borrows
  explicit ContainerWire(const Container& container) : ocelot_container{}, labels_(container.labels) {
    size = sizeof(ocelot_container);
    running = container.running ? 1 : 0;
    name = str(container.name);
    labels = labels_.get();
  }

 private:
  LentPairs labels_;
};
inline Container containerFrom(const ocelot_container& lent) {
  return {text(lent.name), pairs(lent.labels, kMostPairs, "labels of a container"), lent.running != 0};
}

inline ocelot_stored_image wire(const StoredImage& image) {
  return {sizeof(ocelot_stored_image), str(image.reference), str(image.digest), image.size_bytes, image.last_used_us};
}
inline StoredImage storedImageFrom(const ocelot_stored_image& lent) {
  return {text(lent.reference), text(lent.digest), lent.size_bytes, lent.last_used_us};
}

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
