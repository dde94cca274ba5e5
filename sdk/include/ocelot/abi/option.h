/* One row of a table of options: what a plugin or a daemon can be told, and the text a person reads about it.
   Tables end with a row of zeros. */
#ifndef OCELOT_ABI_OPTION_H
#define OCELOT_ABI_OPTION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  OCELOT_TEXT = 0,
  OCELOT_NUMBER = 1,   /* whole, decimal */
  OCELOT_FLAG = 2,     /* true | false */
  OCELOT_DURATION = 3, /* "10s", "5m", "1h30m", "250ms"; given to the plugin in milliseconds */
  OCELOT_SIZE = 4,     /* "64MiB", "1GiB", "4096"; given to the plugin in bytes */
  OCELOT_URL = 5,      /* http:// or https:// */
  OCELOT_PATH = 6,     /* absolute path */
  OCELOT_LIST = 7      /* list of text */
};

enum {
  OCELOT_REQUIRED = 1,
  OCELOT_SECRET = 2 /* never shown, never logged; written as !secret NAME */
};

typedef struct ocelot_option {
  const char* key; /* lower_snake_case; a dot nests: "http.port" */
  int32_t type;
  uint32_t flags;
  const char* fallback; /* as written in a file; NULL: none */
  const char* help;     /* one sentence, no full stop */
} ocelot_option;

#ifdef __cplusplus
}
#endif
#endif
