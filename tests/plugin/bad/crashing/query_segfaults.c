// Crashes when it is asked what it is.
// expect: it crashes while it is loaded (signal 11
#include "bad.h"

static const void* query(const char* id) { return ((const void* const*)(const void*)1)[id[0]]; }
PLUGIN_WITH_QUERY(query)
