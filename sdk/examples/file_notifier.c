/* A complete notifier plugin in C: writes a line to a file for each build that ended. It shows what the C++ macros do:
   a table of functions, a query that gives it out, and the one exported symbol. */
#include <errno.h>
#include <ocelot/abi/notifier.h>
#include <ocelot/abi/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ocelot_notifier_handle {
  char path[4096];
};

static ocelot_status refuse(ocelot_call* call, ocelot_status status, const char* path, const char* what) {
  char why[4352];
  snprintf(why, sizeof why, "%s: %s", path, what);
  call->fail(call, (ocelot_str){why, strlen(why)});
  return status;
}

static ocelot_status create(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                            ocelot_notifier_handle** out) {
  (void)host;
  ocelot_notifier_handle* made = calloc(1, sizeof *made);
  if (made == NULL) return refuse(call, OCELOT_INTERNAL, "create", "out of memory");
  /* Rows may be longer than this plugin knows: step by the size that they carry. */
  const char* row = (const char*)settings->rows;
  for (size_t i = 0; i < settings->count; ++i, row += settings->rows->size) {
    const ocelot_setting* setting = (const ocelot_setting*)(const void*)row;
    if (setting->key.size != 4 || memcmp(setting->key.data, "path", 4) != 0 || setting->values.count != 1) continue;
    const ocelot_str path = setting->values.rows[0];
    if (path.size < sizeof made->path) memcpy(made->path, path.data, path.size);
  }
  if (made->path[0] != '/') {
    free(made);
    return refuse(call, OCELOT_INVALID, "path", "an absolute path of at most 4095 bytes");
  }
  *out = made;
  return OCELOT_OK;
}

static void destroy(ocelot_notifier_handle* handle) { free(handle); }

static ocelot_status tell(ocelot_notifier_handle* handle, ocelot_call* call, const ocelot_build_notice* notice,
                          ocelot_str target) {
  (void)target;
  FILE* file = fopen(handle->path, "ae");
  if (file == NULL) return refuse(call, OCELOT_UNAVAILABLE, handle->path, strerror(errno));
  const int written = fprintf(file, "build %lld of %.*s: %.*s\n", (long long)notice->number, (int)notice->repo.size,
                              notice->repo.data, (int)notice->state.size, notice->state.data);
  if (fclose(file) != 0 || written < 0) return refuse(call, OCELOT_UNAVAILABLE, handle->path, "could not write");
  return OCELOT_OK;
}

static const ocelot_notifier kTable = {sizeof(ocelot_notifier), create, destroy, tell};

static const void* query(const char* interface_id) {
  return strcmp(interface_id, OCELOT_NOTIFIER) == 0 ? &kTable : NULL;
}

static const ocelot_option kOptions[] = {
    {"path", OCELOT_PATH, OCELOT_REQUIRED, NULL, "the file that lines are added to"}, {NULL, 0, 0, NULL, NULL}};

const ocelot_plugin ocelot_plugin_v1 = {sizeof(ocelot_plugin),
                                        OCELOT_ABI_MINOR,
                                        "org.ocelot.example.file",
                                        "1.0.0",
                                        "Writes a line to a file for each build",
                                        kOptions,
                                        query};
