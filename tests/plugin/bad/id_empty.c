// An empty id.
// expect: its id is empty
#include "bad.h"

PLUGIN("", "1.0.0", "Bad on purpose", NULL, goodQuery)
