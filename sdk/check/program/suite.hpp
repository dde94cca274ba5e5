#pragma once
// What a conformance test is.

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace ocelot::check {

class Subject;

struct Test {
  std::string name;      // "vcs.deadline"
  std::string sentence;  // what must hold
  std::function<void(Subject&)> run;
  bool live = false;  // starts real containers
};

// Thrown by a test that cannot be run here; the reason is shown.
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// Thrown where something is not wrong, but not good either.
struct Warned : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& otherwise) {
  if (!holds) throw Failed(otherwise);
}

std::vector<Test> libraryTests();
std::vector<Test> settingsTests();
std::vector<Test> lifecycleTests();
std::vector<Test> vcsTests();
std::vector<Test> notifierTests();
std::vector<Test> runtimeTests();

}  // namespace ocelot::check
