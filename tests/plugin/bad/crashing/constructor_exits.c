// Ends the program that loads it.
// expect: it ends the program that loads it (exit status 7)
#include "bad.h"

#include <unistd.h>

__attribute__((constructor)) static void leave(void) { _exit(7); }
PLUGIN_WITH_QUERY(goodQuery)
