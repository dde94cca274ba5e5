// Gives the same table for every question.
// expect: ocelot.runtime/1: required and not there
#include "bad.h"

static const void* query(const char* id) {
  (void)id;
  return &kGoodTable;
}
PLUGIN_WITH_QUERY(query)
