#pragma once
// A runtime plugin, loaded and made from its description.

#include <memory>

#include "host/builddir/order.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::runtimes {

// Never unloads: the library stays until the process ends.
class LoadedRuntime {
 public:
  // Throws Error with a sentence for every way in which a plugin can be wrong.
  explicit LoadedRuntime(const builddir::RuntimeChoice& choice);
  ~LoadedRuntime();
  LoadedRuntime(LoadedRuntime&&) noexcept;
  Runtime& get() { return *runtime_; }

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace ocelot::runtimes
