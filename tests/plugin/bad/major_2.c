// Built with the SDK of the next major.
// expect: it is built for plugin ABI 2, and this host has ABI 1.0
#include "bad.h"

OCELOT_EXPORT extern const ocelot_plugin ocelot_plugin_v2;
const ocelot_plugin ocelot_plugin_v2 = {sizeof(ocelot_plugin), 0,    "org.ocelot.bad", "1.0.0",
                                        "Bad on purpose",      NULL, goodQuery};
