// No query function.
// expect: its query function is null
#include "bad.h"

PLUGIN("org.ocelot.bad", "1.0.0", "Bad on purpose", NULL, NULL)
