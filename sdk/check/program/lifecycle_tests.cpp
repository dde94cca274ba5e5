// Instances come and go.

#include <filesystem>
#include <thread>

#include "check/program/subject.hpp"
#include "check/program/suite.hpp"
#include "ocelot/abi/notifier.h"
#include "ocelot/abi/runtime.h"
#include "ocelot/abi/vcs.h"

namespace ocelot::check {
namespace {

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

void needsInstance(Subject& subject) {
  std::string why;
  const Settings settings = subject.settings();
  if (statusOf([&] { subject.any(settings); }, &why) != Status::ok)
    throw Skipped("with made-up settings it refuses (" + why + "); give real ones with --set");
}

void destroyNull(Subject& subject) {
  if (const auto* table = static_cast<const ocelot_runtime*>(subject.plugin().query(OCELOT_RUNTIME)))
    table->destroy(nullptr);
  if (const auto* table = static_cast<const ocelot_vcs*>(subject.plugin().query(OCELOT_VCS))) table->destroy(nullptr);
  if (const auto* table = static_cast<const ocelot_notifier*>(subject.plugin().query(OCELOT_NOTIFIER)))
    table->destroy(nullptr);
}

void nothingIsLeft(Subject& subject) {
  const Settings settings = subject.settings();
  std::string why;
  const auto once = [&] { statusOf([&] { subject.any(settings); }, &why); };
  once();  // what is made once and kept may be
  const std::size_t files = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  for (int i = 0; i < 100; ++i) once();
  require(entries("/proc/self/fd") < files + 50, "a hundred instances left open files behind");
  require(entries("/proc/self/task") < threads + 50, "a hundred instances left threads behind");
  subject.rules();
}

void failedCreate(Subject& subject) {
  const Settings good = subject.settings();
  const Status before = statusOf([&] { subject.any(good); });
  for (int i = 0; i < 3; ++i) statusOf([&] { subject.any(Settings("check", subject.host())); });
  const Status after = statusOf([&] { subject.any(good); });
  require(before == after,
          "after a refused instance a good one answers " + nameOf(after) + " instead of " + nameOf(before));
  subject.rules();
}

void twoAtOnce(Subject& subject) {
  needsInstance(subject);
  const Settings settings = subject.settings();
  std::string faults[2];
  std::vector<std::thread> threads;
  for (std::string& fault : faults)
    threads.emplace_back([&] {
      for (int i = 0; i < 50 && fault.empty(); ++i) statusOf([&] { subject.any(settings); }, &fault);
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) require(fault.empty(), "made in two threads at a time, one failed: " + fault);
  subject.rules();
}

}  // namespace

std::vector<Test> lifecycleTests() {
  return {{"lifecycle.destroy_null", "destroying nothing is fine", destroyNull},
          {"lifecycle.nothing_left", "a hundred instances leave no open file and no thread", nothingIsLeft},
          {"lifecycle.failed_create", "a refused instance does not stand in the way of the next", failedCreate},
          {"lifecycle.two_at_once", "two threads may each have an instance", twoAtOnce}};
}

}  // namespace ocelot::check
