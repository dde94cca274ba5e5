#pragma once
// What the tests of the plugin share: settings, a call that can be cancelled, and folders that go away.

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "ocelot/runtime.hpp"
#include "ocelot/settings.hpp"

namespace ocelot::docker::test {

// The plugin asks nothing of its host.
class NoHost final : public Host {
 public:
  Http& http() override { throw Error(Status::internal, "the docker plugin uses no host HTTP"); }
  Crypto& crypto() override { throw Error(Status::internal, "the docker plugin uses no host crypto"); }
};

inline Settings settingsFor(const std::string& socket, const std::string& timeoutMs = "30000") {
  static NoHost host;
  Settings settings("docker", host);
  settings.set("socket", {socket});
  settings.set("network", {"bridge"});
  settings.set("timeout", {timeoutMs});
  return settings;
}

class CancellableCall final : public Call {
 public:
  explicit CancellableCall(std::chrono::milliseconds timeout = std::chrono::minutes(2))
      : deadline_(Clock::now() + timeout) {
    if (::pipe(ends_) != 0) throw Error(Status::internal, "pipe");
  }
  ~CancellableCall() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void cancel() {
    cancelled_ = true;
    (void)!::write(ends_[1], "x", 1);
  }
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override { return cancelled_; }
  int cancelFd() const override { return ends_[0]; }
  void log(LogLevel, std::string_view text) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.emplace_back(text);
  }
  std::string logged() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::string out;
    for (const auto& line : lines_) out += line + "\n";
    return out;
  }

 private:
  Clock::time_point deadline_;
  std::atomic<bool> cancelled_{false};
  int ends_[2] = {-1, -1};
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ocelot-docker-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error(Status::internal, "mkdtemp");
    path_ = pattern;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  static std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string path_;
};

// Runs `action`, which must throw Error of `status`; gives its sentence.
inline std::string refused(Status status, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(e.what(), static_cast<int>(status), static_cast<int>(e.status()));
    return e.what();
  }
  CPPUNIT_FAIL("an error was expected, and none came");
  return "";
}

inline void contains(const std::string& text, const std::string& part) {
  CPPUNIT_ASSERT_MESSAGE("\"" + text + "\" lacks \"" + part + "\"", text.find(part) != std::string::npos);
}

}  // namespace ocelot::docker::test
