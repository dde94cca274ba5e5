// A table that ends before what 1.0 requires.
// expect: ocelot.notifier/1: required and not there: tell
#include "bad.h"

static const ocelot_notifier kTable = {offsetof(ocelot_notifier, tell), goodCreate, goodDestroy, goodTell};
static const void* query(const char* id) { return strcmp(id, OCELOT_NOTIFIER) == 0 ? &kTable : NULL; }
PLUGIN_WITH_QUERY(query)
