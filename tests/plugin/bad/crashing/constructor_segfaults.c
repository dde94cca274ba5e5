// Touches what is not there while it is loaded.
// expect: it crashes while it is loaded (signal 11
#include "bad.h"

__attribute__((constructor)) static void crash(void) { *(volatile int*)1 = 1; }
PLUGIN_WITH_QUERY(goodQuery)
