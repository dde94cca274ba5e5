#pragma once
// A runtime in memory that remembers what it was asked, put behind the wire: export and import in one process.

#include <memory>
#include <string>
#include <thread>

#include "ocelot/bind/export_runtime.hpp"
#include "ocelot/bind/import_runtime.hpp"

namespace ocelot::test {

class FakeRuntime final : public Runtime, public RuntimeImages {
 public:
  explicit FakeRuntime(const Settings& settings) : settings_(settings) { last = this; }
  ~FakeRuntime() override { last = nullptr; }

  RuntimeFacts probe(Call& call) override {
    call.log(LogLevel::warning, "looking at " + settings_.text("socket"));
    return {"fake 1.0", true, "", {{"rootless", "no"}}};
  }
  Image pull(Call& call, const ImageRequest& request, const ProgressSink& progress) override {
    asked_image = request;
    progress({"fetching", 1, 2});
    progress({"unpacking", 2, 2});
    call.check("pulling");
    return {"full/" + request.reference, "sha256:1", "app:app", "/srv", {{"PATH", "/bin"}, {"EMPTY", ""}}, "amd64"};
  }
  void start(Call&, const ContainerSpec& spec) override { started = spec; }
  Exit wait(Call& call, std::string_view name) override {
    deadline = call.deadline();
    cancel_fd = call.cancelFd();
    if (name == "forgotten") return {};
    return {true, 137, true};
  }
  void kill(Call&, std::string_view name, int signal) override {
    throw Error(Status::not_found, std::string(name) + ": no such container for signal " + std::to_string(signal));
  }
  void remove(Call&, std::string_view) override {}
  std::vector<Container> list(Call&, std::string_view owner) override {
    return {{std::string(owner) + "-1", {{"a", "b"}}, true}, {std::string(owner) + "-2", {}, false}};
  }
  Image importImage(Call&, const std::string& source, const std::string& reference, const ProgressSink&) override {
    return {reference + " imported, and too long to be kept inside a string", source, "", "", {}, ""};
  }
  std::vector<StoredImage> listImages(Call&) override { return {{"r", "d", 7, 9}}; }
  void removeImage(Call&, const std::string& reference) override {
    throw std::runtime_error("cannot remove " + reference);
  }

  static inline FakeRuntime* last = nullptr;
  ImageRequest asked_image;
  ContainerSpec started;
  Call::Clock::time_point deadline;
  int cancel_fd = 0;

 private:
  const Settings& settings_;  // the wire keeps them alive
};

}  // namespace ocelot::test
