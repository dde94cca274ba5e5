/* Somewhere to tell people, or other programs, how a build ended.

     create ─ tell ─ tell ─ … ─ destroy        every member is [serial] */
#ifndef OCELOT_ABI_NOTIFIER_H
#define OCELOT_ABI_NOTIFIER_H

#include "ocelot/abi/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OCELOT_NOTIFIER "ocelot.notifier/1"

typedef struct ocelot_notifier_handle ocelot_notifier_handle; /* the plugin's own */

typedef struct ocelot_stage_notice {
  uint32_t size;
  int32_t exit_code;
  ocelot_str name;
  ocelot_str state; /* passed | failed | skipped | timed_out | canceled */
  int64_t duration_ms;
} ocelot_stage_notice;

/* A build that has ended. */
typedef struct ocelot_build_notice {
  uint32_t size;
  ocelot_str id; /* UUID: the key by which a receiver drops a notice told twice */
  int64_t number;
  ocelot_str repo;
  ocelot_str branch;
  ocelot_str commit;
  ocelot_str author;
  ocelot_str message;
  ocelot_str state; /* passed | failed | timed_out | canceled | error | rejected */
  ocelot_str reason;
  ocelot_str sentence;
  ocelot_str url;       /* where a person looks; "" when no address is configured */
  int64_t queued_at_us; /* microseconds since the epoch */
  int64_t started_at_us;
  int64_t finished_at_us;
  const ocelot_stage_notice* stages;
  size_t stage_count;
  ocelot_str previous_state; /* of the same branch; "" for the first */
} ocelot_build_notice;

/* const ocelot_notifier* by OCELOT_NOTIFIER. Every member is required. */
typedef struct ocelot_notifier {
  uint32_t size;
  /* INVALID: the settings will not do; the reason begins with the key. On failure *out is left alone. `host` outlives
     the handle. */
  ocelot_status (*create)(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                          ocelot_notifier_handle** out);
  void (*destroy)(ocelot_notifier_handle* handle); /* NULL is fine */
  /* Tells once. `target` is what the repo's ocelot.yml names, "" for the instance's own. UNAVAILABLE: the host tries
     again later, with backoff; anything else is final. */
  ocelot_status (*tell)(ocelot_notifier_handle* handle, ocelot_call* call, const ocelot_build_notice* notice,
                        ocelot_str target);
} ocelot_notifier;

#ifdef __cplusplus
}
#endif
#endif
