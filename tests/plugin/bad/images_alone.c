// An ability without the kind that it belongs to.
// expect: ocelot.runtime.images/1 comes without ocelot.runtime/1
#include "bad.h"

static ocelot_status importImage(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str source,
                                 ocelot_str reference, const ocelot_pull_progresses* progress,
                                 const ocelot_images* image) {
  (void)handle, (void)call, (void)source, (void)reference, (void)progress, (void)image;
  return OCELOT_UNSUPPORTED;
}
static ocelot_status listImages(ocelot_runtime_handle* handle, ocelot_call* call, const ocelot_stored_images* images) {
  (void)handle, (void)call, (void)images;
  return OCELOT_OK;
}
static ocelot_status removeImage(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str reference) {
  (void)handle, (void)call, (void)reference;
  return OCELOT_OK;
}
static const ocelot_runtime_images kTable = {sizeof(ocelot_runtime_images), importImage, listImages, removeImage};
static const void* query(const char* id) {
  if (strcmp(id, OCELOT_RUNTIME_IMAGES) == 0) return &kTable;
  return goodQuery(id);
}
PLUGIN_WITH_QUERY(query)
