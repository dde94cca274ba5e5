// A type that does not exist.
// expect: option url has type 99, which ABI 1.0 does not have
#include "bad.h"

static const ocelot_option kOptions[] = {{"url", 99, 0, NULL, "where it answers"}, {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
