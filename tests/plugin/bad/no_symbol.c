// Exports something else.
// expect: it exports no ocelot_plugin_v1: it is no Ocelot plugin
#include "bad.h"

OCELOT_EXPORT int ocelot_plugin_answer(void);
int ocelot_plugin_answer(void) { return 42; }
