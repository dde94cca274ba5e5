// Crashes while it is loaded.
// expect: it crashes while it is loaded (signal 11
#include <signal.h>

#include "bad.h"

// By the signal itself: a sanitizer would make a report and an exit of a bad pointer.
__attribute__((constructor)) static void crash(void) {
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
}
PLUGIN_WITH_QUERY(goodQuery)
