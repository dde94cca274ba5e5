// Offers what nobody asks for.
// expect: it offers none of ocelot.runtime/1, ocelot.vcs/1, ocelot.notifier/1
#include "bad.h"

static const void* query(const char* id) { return strcmp(id, "ocelot.teapot/1") == 0 ? &kGoodTable : NULL; }
PLUGIN_WITH_QUERY(query)
