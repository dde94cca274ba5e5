#include "components/guest/control.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "components/guest/files.hpp"
#include "host/journal/plan.hpp"

namespace ocelot::guest {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& came_back) {
  throw Broken("control folder: " + what + ": " + came_back);
}

Fd openFile(const char* name, int flags) {
  Fd file(::open(name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) fail(std::string("open ") + name, errorText(errno));
  if (!S_ISREG(facts.st_mode)) fail(std::string("open ") + name, "not a regular file");
  return file;
}

void removeName(const char* name) {
  if (::unlink(name) != 0) fail(std::string("unlink ") + name, errorText(errno));
}

// A counter that has a second name, outside of this folder, needs this one no longer: without it a stage that runs as
// root cannot raise `alive` in the worker's stead.
void removeSecondName(const char* name, const Fd& file) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) == 0 && facts.st_nlink > 1) removeName(name);
}

}  // namespace

Control openControl(const std::string& directory) {
  if (::chdir(directory.c_str()) != 0) fail("enter " + directory, errorText(errno));
  Control control;
  control.journal = openFile("journal", O_RDWR | O_APPEND);
  struct stat facts {};
  if (::fstat(control.journal.get(), &facts) != 0 || facts.st_size != 0)
    fail("open journal", "not empty: a journal is written once");
  removeName("journal");
  control.alive = openFile("alive", O_RDONLY);
  removeSecondName("alive", control.alive);
  control.read = openFile("read", O_RDONLY);
  removeSecondName("read", control.read);
  const auto plan = readAll(openFile("plan", O_RDONLY).get(), journal::kMaxPlanBytes);
  if (!plan) fail("read plan", errorText(errno));
  control.plan = *plan;
  removeName("plan");
  // Others may pass through to the guest's own socket; the broker's is for the guest. Both may belong to a user of the
  // worker's machine whom the container cannot change: then they are as the worker made them.
  ::chmod(".", 0711);
  ::chmod("broker", 0700);
  return control;
}

}  // namespace ocelot::guest
