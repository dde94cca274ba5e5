// No version.
// expect: its version is null
#include "bad.h"

PLUGIN("org.ocelot.bad", NULL, "Bad on purpose", NULL, goodQuery)
