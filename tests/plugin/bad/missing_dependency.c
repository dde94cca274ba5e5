// Needs a library that is gone when it is loaded.
// expect: it needs libocelot-gone.so, which is not installed
#include "bad.h"

extern int ocelotGone(void);
static const void* query(const char* id) { return ocelotGone() ? NULL : goodQuery(id); }
PLUGIN_WITH_QUERY(query)
