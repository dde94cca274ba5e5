// A secret that everyone knows.
// expect: option token is a secret and has a default
#include "bad.h"

static const ocelot_option kOptions[] = {{"token", OCELOT_TEXT, OCELOT_SECRET, "hunter2", "the key to it all"},
                                         {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
