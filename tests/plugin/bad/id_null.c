// No id.
// expect: its id is null
#include "bad.h"

PLUGIN(NULL, "1.0.0", "Bad on purpose", NULL, goodQuery)
