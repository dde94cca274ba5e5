#pragma once
// The plugin under test, and what its instances are made with.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "check/program/fake_host.hpp"
#include "ocelot/abi/plugin.h"
#include "ocelot/bind/import.hpp"
#include "ocelot/notifier.hpp"
#include "ocelot/runtime.hpp"
#include "ocelot/settings.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::check {

class Subject {
 public:
  Subject(std::string path, std::map<std::string, std::vector<std::string>> given, std::string image,
          std::string source)
      : path_(std::move(path)), given_(std::move(given)), image_(std::move(image)), source_(std::move(source)) {}

  const std::string& path() const { return path_; }
  const std::string& image() const { return image_; }    // for live tests of a runtime; "": none given
  const std::string& source() const { return source_; }  // that the image is imported from; "": it is pulled
  FakeHost& host() { return host_; }
  const ocelot_plugin& plugin();  // loaded at the first call: in the test's own process
  bool offers(const char* id) { return plugin().query(id) != nullptr; }

  // Every required option filled in, from the command line or else with something of its type; optional ones only from
  // the command line.
  Settings settings();
  // The made-up values of secret options: nothing that the plugin says may hold one.
  std::vector<std::string> secrets();

  // Instances through the import wrappers in checking mode: a broken rule is kept, see rules().
  std::unique_ptr<Runtime> runtime(const Settings& settings);
  std::unique_ptr<Vcs> vcs(const Settings& settings);
  std::unique_ptr<Notifier> notifier(const Settings& settings);
  // One of whatever kind it is.
  std::shared_ptr<void> any(const Settings& settings);

  // Fails when a rule of the ABI was broken up to now.
  void rules();

 private:
  bind::Misbehaviour watch();
  std::string invented(const ocelot_option& option);
  std::string who() { return std::string("plugin ") + plugin().id; }

  std::string path_;
  std::map<std::string, std::vector<std::string>> given_;
  std::string image_, source_;
  FakeHost host_;
  const ocelot_plugin* plugin_ = nullptr;
  std::mutex mutex_;  // guards broken_
  std::vector<std::string> broken_;
};

// Runs `action`, which may throw Error or not; gives the status. A reason that is empty fails.
template <class Action>
Status statusOf(Action&& action, std::string* why = nullptr) {
  try {
    action();
    return Status::ok;
  } catch (const Error& error) {
    if (why != nullptr) *why = error.what();
    return error.status();
  }
}
std::string nameOf(Status status);

}  // namespace ocelot::check
