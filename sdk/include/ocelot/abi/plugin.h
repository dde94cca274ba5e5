/* The one symbol that a plugin exports. It is data: loading a plugin runs none of its code. */
#ifndef OCELOT_ABI_PLUGIN_H
#define OCELOT_ABI_PLUGIN_H

#include "ocelot/abi/base.h"
#include "ocelot/abi/option.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ocelot_plugin {
  uint32_t size;
  uint32_t abi_minor;           /* OCELOT_ABI_MINOR that it was built against */
  const char* id;               /* "com.example.gitea": letters, digits, '.', '-', '_' */
  const char* version;          /* "1.4.0" */
  const char* summary;          /* one line for people */
  const ocelot_option* options; /* ends with a row of zeros; NULL: none */
  /* [any] "ocelot.vcs/1" gives a const ocelot_vcs*, and so on; NULL for everything it does not know. Optional abilities
     are ids too. What is returned lives as long as the plugin is loaded, and that is for ever: *Rationale:* code cannot
     be unloaded while anything of it may still be referred to, and nobody can know that. */
  const void* (*query)(const char* interface_id);
} ocelot_plugin;

/* The name carries the major. A plugin may serve several by exporting several. */
OCELOT_EXPORT extern const ocelot_plugin ocelot_plugin_v1;

#ifdef __cplusplus
}
#endif
#endif
