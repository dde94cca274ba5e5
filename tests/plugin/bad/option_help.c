// No help.
// expect: option url: its help is null
#include "bad.h"

static const ocelot_option kOptions[] = {{"url", OCELOT_URL, 0, NULL, NULL}, {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
