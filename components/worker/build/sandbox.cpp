#include "components/worker/build/sandbox.hpp"

#include <iostream>

#include "components/worker/settings.hpp"

namespace ocelot::worker {

void StoppableCall::stop() {
  stopped_ = true;
  event_.set();
}

void StoppableCall::log(LogLevel, std::string_view text) { std::cerr << text << std::endl; }

Sandbox::Sandbox(Runtime& runtime, const builddir::Order& order, const builddir::Directory& directory)
    : runtime_(runtime),
      order_(order),
      directory_(directory),
      name_(containerName(order.build.id, order.build.attempt)) {}

Sandbox::~Sandbox() {
  if (waiter_.joinable()) {
    waiting_.stop();
    waiter_.join();
  }
}

bool Sandbox::exists(Call& call) {
  for (const Container& container : runtime_.list(call, order_.owner))
    if (container.name == name_) return true;
  return false;
}

void Sandbox::start(Call& call, const Image& image, const Limits& limits, const std::string& network) {
  ContainerSpec spec;
  spec.name = name_;
  spec.owner = order_.owner;
  spec.image = image.reference;
  spec.digest = image.digest;
  spec.command = {"/ocelot/guest", "run", "/ocelot/control"};
  spec.labels = {{"ocelot.build", order_.build.id},
                 {"ocelot.attempt", std::to_string(order_.build.attempt)},
                 {"ocelot.repo", order_.build.repo}};
  spec.resources = {{Resource::Kind::file, order_.guest, "/ocelot/guest"},
                    {Resource::Kind::folder, directory_.control(), "/ocelot/control"},
                    {Resource::Kind::workspace, directory_.workspace(), "/workspace"}};
  spec.limits = limits;
  spec.network = network;
  spec.hostname = "build-" + std::to_string(order_.build.number);
  runtime_.start(call, spec);
}

void Sandbox::watch() {
  waiter_ = std::thread([this] {
    try {
      exit_ = runtime_.wait(waiting_, name_);
    } catch (const Error& error) {
      if (error.status() == Status::cancelled) return;
      // The engine forgot the container, or is away for good: the end is known, its code is not.
      std::cerr << "wait for " << name_ << ": " << error.what() << std::endl;
    }
    ended_ = true;
    end_.set();
  });
}

void Sandbox::signal(Call& call, int number) {
  try {
    runtime_.kill(call, name_, number);
  } catch (const Error& error) {
    if (error.status() != Status::not_found) std::cerr << "signal " << name_ << ": " << error.what() << std::endl;
  }
}

void Sandbox::remove(Call& call) { runtime_.remove(call, name_); }

}  // namespace ocelot::worker
