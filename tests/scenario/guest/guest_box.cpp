#include "tests/scenario/guest/guest_box.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "host/journal/order.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {

namespace fs = std::filesystem;

void needRoot() {
  if (::geteuid() != 0) skip("needs root: makes process namespaces, users and mounts");
}

std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void await(const std::string& what, const std::function<bool()>& condition, int seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) CPPUNIT_FAIL("waited in vain for " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

bool processExists(const std::string& mark) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name[0] < '1' || name[0] > '9') continue;
    if (readFile(entry.path() / "cmdline").find(mark) != std::string::npos) return true;
  }
  return false;
}

namespace {

// [between clone and exec]
bool becomeRootOfOwnNamespace(uid_t uid, gid_t gid) {
  const auto put = [](const char* path, const char* text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    return file >= 0 && ::write(file, text, std::strlen(text)) > 0 && ::close(file) == 0;
  };
  char uids[64], gids[64];
  std::snprintf(uids, sizeof uids, "0 %u 1", uid);
  std::snprintf(gids, sizeof gids, "0 %u 1", gid);
  return put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", uids) && put("/proc/self/gid_map", gids);
}

void needUserNamespaces() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) skip("needs leave to make user namespaces");
}

}  // namespace

GuestBox::GuestBox(Place place) : place_(place) {
  if (place == Place::rootless) {
    needUserNamespaces();
  } else if (place != Place::process) {
    needRoot();
  }
  char name[] = "/tmp/ocelot-guest-test-XXXXXX";
  if (::mkdtemp(name) == nullptr) CPPUNIT_FAIL("mkdtemp");
  folder_ = name;
  ::chmod(name, 0755);
  plan.build_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  plan.attempt = 1;
  plan.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  plan.alive_timeout_ms = 0;
  if (place == Place::process && ::geteuid() != 0)
    plan.user = std::to_string(::geteuid()) + ":" + std::to_string(::getegid());
  if (place == Place::jail) {
    fs::create_directories(folder_ + "/image/bin");
    fs::create_directories(folder_ + "/image/ocelot");
    fs::copy_file("/bin/busybox", folder_ + "/image/bin/sh");
    control_ = folder_ + "/image/ocelot/control";
    plan.working_dir = "/workspace";
  } else {
    control_ = folder_ + "/control";
    plan.working_dir = folder_ + "/workspace";
  }
  journal_file = folder_ + "/journal";
  // A copy: where the program was built may be closed to a stage's user.
  fs::copy_file(OCELOT_GUEST, guest());
  fs::create_directories(control_);
  setCounter("alive", 1);
  setCounter("read", 0);
}

GuestBox::~GuestBox() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::kill(pid_, place_ == Place::process ? SIGTERM : SIGKILL);  // an ordinary guest ends its descendants itself
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string GuestBox::guest() const { return folder_ + (place_ == Place::jail ? "/image/ocelot/guest" : "/guest"); }

std::string GuestBox::path(const std::string& in_image) const {
  return place_ == Place::jail ? folder_ + "/image" + in_image : in_image;
}

void GuestBox::writeFile(const std::string& path, const std::string& bytes) const {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

void GuestBox::setCounter(const std::string& name, std::uint64_t value) const {
  const int file = ::open((control_ + "/" + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string number = std::to_string(value);
  const std::string digits = std::string(20 - number.size(), '0') + number + "\n";
  if (file < 0 || ::pwrite(file, digits.data(), digits.size(), 0) < 0) CPPUNIT_FAIL("write " + name);
  ::close(file);
}

journal::PlanStage& GuestBox::stage(const std::string& script) {
  plan.stages.emplace_back();
  plan.stages.back().name = "stage " + std::to_string(plan.stages.size());
  plan.stages.back().script = script;
  return plan.stages.back();
}

void GuestBox::start() {
  if (!fs::exists(control_ + "/plan")) writeFile(control_ + "/plan", journal::encode(plan));
  if (!fs::exists(journal_file)) writeFile(journal_file, "");
  if (!fs::exists(control_ + "/journal")) fs::create_hard_link(journal_file, control_ + "/journal");
  const std::string program = place_ == Place::jail ? "/ocelot/guest" : guest();
  const std::string control = place_ == Place::jail ? "/ocelot/control" : control_;
  const std::string root = folder_ + "/image";
  const char* arguments[] = {program.c_str(), "run", control.c_str(), nullptr};
  // What a careless runtime would leave behind, none of which may reach a stage.
  const char* environment[] = {"LEAKED=yes", nullptr};
  const int leaked = ::open("/dev/null", O_RDONLY);
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  unsigned long flags = SIGCHLD;
  if (place_ != Place::process) flags |= CLONE_NEWPID | CLONE_NEWNS;
  if (place_ == Place::rootless) flags |= CLONE_NEWUSER;
  pid_ = static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (place_ == Place::rootless && !becomeRootOfOwnNamespace(uid, gid)) ::_exit(89);
    if (place_ != Place::process && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(90);
    if ((place_ == Place::container || place_ == Place::rootless) && ::mount("proc", "/proc", "proc", 0, nullptr) != 0)
      ::_exit(91);
    if (place_ == Place::jail && (::chroot(root.c_str()) != 0 || ::chdir("/") != 0)) ::_exit(92);
    if (!join_group.empty()) {
      const int group = ::open(join_group.c_str(), O_WRONLY | O_CLOEXEC);
      if (group < 0 || ::write(group, "0", 1) != 1) ::_exit(94);
    }
    ::signal(SIGINT, SIG_IGN);
    ::execve(program.c_str(), const_cast<char**>(arguments), const_cast<char**>(environment));
    ::_exit(93);
  }
  ::close(leaked);
  if (pid_ < 0) CPPUNIT_FAIL("clone");
}

void GuestBox::signal(int number) { ::kill(pid_, number); }

int GuestBox::wait() {
  int status = 0;
  const pid_t pid = pid_;
  await(
      "the guest's end", [&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, 60);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<journal::Frame> GuestBox::frames() const {
  const std::string bytes = readFile(journal_file);
  std::string_view left = bytes;
  std::vector<journal::Frame> frames;
  while (auto frame = journal::takeFrame(left)) frames.push_back(std::move(*frame));
  return frames;
}

std::vector<journal::Frame> GuestBox::allFrames() const {
  auto all = frames();
  journal::Order order(plan.build_id, plan.attempt, static_cast<std::uint32_t>(plan.stages.size()));
  for (const auto& frame : all) order.accept(frame);
  CPPUNIT_ASSERT_MESSAGE("the journal has its last frame", order.finished());
  return all;
}

std::string GuestBox::output(std::uint32_t stage, std::uint8_t stream) const {
  std::string text;
  for (const auto& frame : frames())
    if (frame.kind == journal::FrameKind::output && frame.stage == stage && frame.stream == stream) text += frame.bytes;
  return text;
}

journal::Frame GuestBox::finished(std::uint32_t stage) const {
  for (const auto& frame : allFrames())
    if (frame.kind == journal::FrameKind::stage_finished && frame.stage == stage) return frame;
  CPPUNIT_FAIL("stage " + std::to_string(stage) + " did not finish");
  return {};
}

journal::Frame GuestBox::last() const { return allFrames().back(); }

std::string GuestBox::notices() const {
  std::string text;
  for (const auto& frame : frames())
    if (frame.kind == journal::FrameKind::notice) text += frame.bytes + "\n";
  return text;
}

std::uint64_t GuestBox::journalSize() const { return fs::file_size(journal_file); }

void GuestBox::awaitOutput(const std::string& text, std::uint32_t stage) const {
  await("\"" + text + "\" in the output", [&] { return output(stage).find(text) != std::string::npos; });
}

}  // namespace ocelot::test
