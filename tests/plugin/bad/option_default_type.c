// A default that is not of its type.
// expect: option timeout: its default "soon" is not of the option's own type
#include "bad.h"

static const ocelot_option kOptions[] = {{"timeout", OCELOT_DURATION, 0, "soon", "how long to wait"},
                                         {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
