#pragma once

#include <stdexcept>

namespace ocelot::store {

// What the store keeps is of a later ocelot, and not for this program: asking again does not help, another program
// does.
class Unfit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace ocelot::store
