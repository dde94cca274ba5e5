// An id that would leave its place in a path.
// expect: its id "../../etc/x" may hold letters
#include "bad.h"

PLUGIN("../../etc/x", "1.0.0", "Bad on purpose", NULL, goodQuery)
