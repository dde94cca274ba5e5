/* A notifier with nothing wrong, from which each file of this folder departs in one way. The file's first lines say
   how, and `expect:` what the loader must say about it. */
#ifndef OCELOT_TESTS_BAD_H
#define OCELOT_TESTS_BAD_H

#include <ocelot/abi/notifier.h>
#include <ocelot/abi/plugin.h>
#include <ocelot/abi/runtime.h>
#include <ocelot/abi/vcs.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

UNUSED static ocelot_status goodCreate(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                                       ocelot_notifier_handle** out) {
  (void)call, (void)host, (void)settings;
  *out = (ocelot_notifier_handle*)malloc(1);
  return OCELOT_OK;
}
UNUSED static void goodDestroy(ocelot_notifier_handle* handle) { free(handle); }
UNUSED static ocelot_status goodTell(ocelot_notifier_handle* handle, ocelot_call* call,
                                     const ocelot_build_notice* notice, ocelot_str target) {
  (void)handle, (void)call, (void)notice, (void)target;
  return OCELOT_OK;
}
UNUSED static const ocelot_notifier kGoodTable = {sizeof(ocelot_notifier), goodCreate, goodDestroy, goodTell};
UNUSED static const void* goodQuery(const char* id) { return strcmp(id, OCELOT_NOTIFIER) == 0 ? &kGoodTable : NULL; }

#define PLUGIN_OF_SIZE(BYTES, ID, VERSION, SUMMARY, OPTIONS, QUERY) \
  const ocelot_plugin ocelot_plugin_v1 = {BYTES, OCELOT_ABI_MINOR, ID, VERSION, SUMMARY, OPTIONS, QUERY};
#define PLUGIN(ID, VERSION, SUMMARY, OPTIONS, QUERY) \
  PLUGIN_OF_SIZE(sizeof(ocelot_plugin), ID, VERSION, SUMMARY, OPTIONS, QUERY)
#define PLUGIN_WITH_OPTIONS(OPTIONS) PLUGIN("org.ocelot.bad", "1.0.0", "Bad on purpose", OPTIONS, goodQuery)
#define PLUGIN_WITH_QUERY(QUERY) PLUGIN("org.ocelot.bad", "1.0.0", "Bad on purpose", NULL, QUERY)

#endif
