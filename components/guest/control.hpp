#pragma once
// The control folder (host/journal/README.md): opened once, by name, before there is any stage; afterwards the guest
// holds descriptors and the names that a stage could misuse are gone.

#include <stdexcept>
#include <string>

#include "components/guest/fd.hpp"

namespace ocelot::guest {

// Something of the worker's side is not as it must be: no stage's fault.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Control {
  Fd journal, alive, read;
  std::string plan;  // encoded
};

// Also makes the folder the working directory, so that sockets in it are reached by short relative names.
// Throws Broken.
Control openControl(const std::string& directory);

}  // namespace ocelot::guest
