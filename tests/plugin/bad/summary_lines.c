// A summary of two lines.
// expect: its summary holds a control character
#include "bad.h"

PLUGIN("org.ocelot.bad", "1.0.0", "Bad\non purpose", NULL, goodQuery)
