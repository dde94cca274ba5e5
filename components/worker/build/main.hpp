#pragma once
// The two ways in which ocelot-worker is not a daemon.

namespace ocelot::worker {

// `ocelot-worker build DIR RUN`: one build, in this process; its Envelope is read from standard input. Exit status as
// `ocelot`'s: 0 passed, 1 failed or timed out, 2 error, 3 canceled.
int buildMain(int argc, char** argv);

// `ocelot-worker nursery`: see components/worker/nursery.hpp.
int nurseryMain();

}  // namespace ocelot::worker
