// The same key twice.
// expect: option url is declared twice
#include "bad.h"

static const ocelot_option kOptions[] = {{"url", OCELOT_URL, 0, NULL, "where it answers"},
                                         {"url", OCELOT_TEXT, 0, NULL, "the same"},
                                         {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
