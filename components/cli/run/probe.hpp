#pragma once
// What the runtimes of this machine's configuration can do.

#include <string>

#include "components/cli/up/installation.hpp"
#include "host/builddir/order.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::cli {

// Asked in a child process: a plugin that crashes is told as one that cannot be used.
RuntimeFacts probe(const builddir::RuntimeChoice& runtime);

// The named one, or the first that can be used. Throws Failure with what each of them says.
builddir::RuntimeChoice usableRuntime(const Installation& installation, const std::string& wanted);

}  // namespace ocelot::cli
