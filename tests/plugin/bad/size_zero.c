// Forgot the size.
// expect: ocelot_plugin_v1 says that it is 0 bytes long; ABI 1.0 has 48
#include "bad.h"

PLUGIN_OF_SIZE(0, "org.ocelot.bad", "1.0.0", "Bad on purpose", NULL, goodQuery)
