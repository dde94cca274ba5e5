// A table without its size.
// expect: ocelot.notifier/1: its table says that it is 0 bytes long; ABI 1.0 has 32
#include "bad.h"

static const ocelot_notifier kTable = {0, goodCreate, goodDestroy, goodTell};
static const void* query(const char* id) { return strcmp(id, OCELOT_NOTIFIER) == 0 ? &kTable : NULL; }
PLUGIN_WITH_QUERY(query)
