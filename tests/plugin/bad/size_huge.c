// Another struct altogether.
// expect: ocelot_plugin_v1 says that it is 3735928559 bytes long
#include "bad.h"

PLUGIN_OF_SIZE(0xdeadbeef, "org.ocelot.bad", "1.0.0", "Bad on purpose", NULL, goodQuery)
