// A VCS that left out what it found hard.
// expect: ocelot.vcs/1: required and not there: identify, heads, resolve, read_file, changes, clone
#include "bad.h"

static ocelot_status create(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                            ocelot_vcs_handle** out) {
  (void)call, (void)host, (void)settings, (void)out;
  return OCELOT_UNSUPPORTED;
}
static void destroy(ocelot_vcs_handle* handle) { (void)handle; }
static const ocelot_vcs kTable = {sizeof(ocelot_vcs), create, destroy, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
static const void* query(const char* id) { return strcmp(id, OCELOT_VCS) == 0 ? &kTable : NULL; }
PLUGIN_WITH_QUERY(query)
