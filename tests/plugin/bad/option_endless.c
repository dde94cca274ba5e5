// A table without an end.
// expect: its option table does not end within 1000 rows
#include "bad.h"

#define ROW \
  { "a", OCELOT_TEXT, 0, NULL, "a row" }
#define TEN ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW
#define HUNDRED TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN
static const ocelot_option kOptions[] = {HUNDRED, HUNDRED, HUNDRED, HUNDRED, HUNDRED, HUNDRED,
                                         HUNDRED, HUNDRED, HUNDRED, HUNDRED, HUNDRED};
PLUGIN_WITH_OPTIONS(kOptions)
