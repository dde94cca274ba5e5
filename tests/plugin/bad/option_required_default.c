// Required, and with a default.
// expect: option url is required and has a default
#include "bad.h"

static const ocelot_option kOptions[] = {
    {"url", OCELOT_URL, OCELOT_REQUIRED, "https://example.org", "where it answers"}, {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
