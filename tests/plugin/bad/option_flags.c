// Flags that do not exist.
// expect: option url has flags that ABI 1.0 does not have
#include "bad.h"

static const ocelot_option kOptions[] = {{"url", OCELOT_URL, 64, NULL, "where it answers"}, {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
