// Crashes when it is asked what it is.
// expect: it crashes while it is loaded (signal 11
#include <signal.h>

#include "bad.h"

static const void* query(const char* id) {
  signal(SIGSEGV, SIG_DFL);
  raise(SIGSEGV);
  return goodQuery(id);
}
PLUGIN_WITH_QUERY(query)
