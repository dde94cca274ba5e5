#pragma once
// A guest that really runs, and the part of the build process that it knows: control folder, journal, `alive`, `read`.

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "host/journal/frame.hpp"
#include "host/journal/plan.hpp"

namespace ocelot::test {

enum class Place {
  process,    // an ordinary child: a guest that is not process 1
  container,  // process 1 of a namespace of its own, with its own /proc; needs root
  rootless,  // the same in a user namespace that maps the one user who runs the test to root; needs leave to make those
  jail,      // the same in an empty image: a root folder with nothing but /bin/sh, no /proc, no /dev; needs root
};

class GuestBox {
 public:
  explicit GuestBox(Place place = Place::process);
  ~GuestBox();  // nothing is left: no process, no file

  journal::Plan plan;  // what to run; working directory and PATH are set

  journal::PlanStage& stage(const std::string& script);  // appends one

  std::string
      journal_file;        // the build process's name for the journal: beside the control folder unless a test moves it
  std::string join_group;  // a cgroup.procs file that the guest puts itself in before it starts

  // Starts the guest. What a test has put in the control folder before stays as it is.
  void start();
  void signal(int number);
  int wait();  // exit status; 128 + signal
  int run() {
    start();
    return wait();
  }
  pid_t pid() const { return pid_; }

  const std::string& folder() const { return folder_; }
  const std::string& control() const { return control_; }
  std::string guest() const;                            // the program, on the machine, for every user to run
  std::string path(const std::string& in_image) const;  // on the machine
  void writeFile(const std::string& path, const std::string& bytes) const;
  void setCounter(const std::string& name, std::uint64_t value) const;

  std::vector<journal::Frame> frames() const;     // so far; fails the test on what takeFrame refuses
  std::vector<journal::Frame> allFrames() const;  // of a guest that ended: also held against Order
  std::string output(std::uint32_t stage, std::uint8_t stream = 1) const;
  journal::Frame finished(std::uint32_t stage) const;
  journal::Frame last() const;
  std::string notices() const;
  std::uint64_t journalSize() const;
  // Waits until the stage has written `text` to stdout.
  void awaitOutput(const std::string& text, std::uint32_t stage = 0) const;

 private:
  Place place_;
  std::string folder_, control_;
  pid_t pid_ = -1;
};

// Waits for `condition`; the test fails after `seconds`.
void await(const std::string& what, const std::function<bool()>& condition, int seconds = 20);

void needRoot();

std::string readFile(const std::string& path);

// Is there a process on this machine whose command line holds `mark`?
bool processExists(const std::string& mark);

}  // namespace ocelot::test
