#pragma once
// The stages of a plan, one after the other, and what they come to.

#include "components/guest/recorder.hpp"
#include "components/guest/watch.hpp"
#include "host/journal/plan.hpp"

namespace ocelot::guest {

// Runs all that is to run, writes every frame but hello and finished, and returns the latter, to be written when
// nothing of the build runs any more.
journal::Frame runBuild(const journal::Plan& plan, Recorder& recorder, Watch& watch);

}  // namespace ocelot::guest
