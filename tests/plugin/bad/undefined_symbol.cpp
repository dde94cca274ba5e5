// Calls what nobody defines; built without -z defs.
// expect: it uses ocelot::nobodyDefinesThis(int), which neither it nor
#include "bad.h"

namespace ocelot {
int nobodyDefinesThis(int);
}
static const void* query(const char* id) { return ocelot::nobodyDefinesThis(1) > 0 ? nullptr : goodQuery(id); }
PLUGIN_WITH_QUERY(query)
