// A key that no file could hold.
// expect: option row 1: a key is lower_snake_case
#include "bad.h"

static const ocelot_option kOptions[] = {{"Web Hook", OCELOT_TEXT, 0, NULL, "a key with a blank"},
                                         {NULL, 0, 0, NULL, NULL}};
PLUGIN_WITH_OPTIONS(kOptions)
