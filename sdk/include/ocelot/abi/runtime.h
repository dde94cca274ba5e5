/* A place to run one build: one container whose main process is the guest.

     create ─ probe ─ pull ─ start ─┬─ wait ────────┬─ remove ─ … ─ destroy
                                    └─ kill ─ wait ─┘

   A container outlives the process that started it: list finds it again by its owner label, and wait, kill and remove
   take its name, not a pointer, so that the next process can go on where the last one died.
   wait blocks for the whole build: wait, kill, remove and list are [any], also beside each other and beside a [serial]
   call in progress. The others are [serial]. destroy comes when no call is in progress; it leaves containers alone. */
#ifndef OCELOT_ABI_RUNTIME_H
#define OCELOT_ABI_RUNTIME_H

#include "ocelot/abi/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OCELOT_RUNTIME "ocelot.runtime/1"

typedef struct ocelot_runtime_handle ocelot_runtime_handle; /* the plugin's own */

typedef struct ocelot_runtime_facts {
  uint32_t size;
  uint32_t usable;       /* 1: builds may be run here */
  ocelot_str engine;     /* "crun 1.8.1" */
  ocelot_str why_not;    /* a sentence with the remedy, when not usable */
  ocelot_pairs features; /* {"network.bridge", "yes"}, {"rootless", "no"}, … */
} ocelot_runtime_facts;

typedef struct ocelot_image_request {
  uint32_t size;
  uint32_t refresh;     /* 1: ask the registry even when the image is here */
  ocelot_str reference; /* as written in ocelot.yml */
  ocelot_str username;  /* registry credential; "": anonymous */
  ocelot_str password;
} ocelot_image_request;

/* What the image says about itself. */
typedef struct ocelot_image {
  uint32_t size;
  ocelot_str reference; /* full: "docker.io/library/debian:12" */
  ocelot_str digest;    /* "sha256:…" of what is really run */
  ocelot_str user;      /* USER as written */
  ocelot_str working_dir;
  ocelot_pairs env;
  ocelot_str architecture; /* "amd64" */
} ocelot_image;

typedef struct ocelot_pull_progress {
  uint32_t size;
  ocelot_str text; /* for people: "unpacking layer 2 of 3" */
  uint64_t done_bytes;
  uint64_t total_bytes; /* 0 while unknown */
} ocelot_pull_progress;

enum {
  OCELOT_RESOURCE_FILE = 0,     /* read-only file, executable when its mode says so (the guest) */
  OCELOT_RESOURCE_FOLDER = 1,   /* folder shared both ways while the container runs (control) */
  OCELOT_RESOURCE_WORKSPACE = 2 /* folder that the build owns; `source`, when given, is the checkout to start from */
};

/* Something of the worker's that the container must see. A plugin realises it by bind mount, volume or copy. */
typedef struct ocelot_resource {
  uint32_t size;
  int32_t kind;
  ocelot_str source; /* path on the worker */
  ocelot_str target; /* absolute path in the container */
} ocelot_resource;

/* Always besides: capabilities CHOWN DAC_OVERRIDE FOWNER FSETID SETUID SETGID KILL and no others, no-new-privileges,
   the engine's default seccomp profile, user 0 of the container, no tty, no engine-side log, no restart. */
typedef struct ocelot_container_spec {
  uint32_t size;
  ocelot_str name;  /* unique on this engine */
  ocelot_str owner; /* whose containers these are: what list asks for */
  ocelot_str image; /* full reference, pulled before */
  ocelot_str digest;
  ocelot_strs command; /* the guest and its arguments; replaces ENTRYPOINT and CMD */
  ocelot_pairs labels;
  const ocelot_resource* resources;
  size_t resource_count;
  uint64_t memory_bytes; /* 0: no limit, and so for the next three; swap is never added */
  uint64_t disk_bytes;   /* what the container may write beside the workspace; where unsupported, probe says so */
  uint32_t cpu_millis;   /* 1000: one core */
  uint32_t pids;
  ocelot_str network; /* bridge | none | host */
  ocelot_str hostname;
} ocelot_container_spec;

typedef struct ocelot_exit {
  uint32_t size; /* set by the caller */
  int32_t known; /* 0: it is over, and the runtime forgot its code */
  int32_t code;  /* exit status; 128 + signal when killed */
  int32_t out_of_memory;
} ocelot_exit;

typedef struct ocelot_container {
  uint32_t size;
  uint32_t running;
  ocelot_str name;
  ocelot_pairs labels;
} ocelot_container;

OCELOT_SINK(ocelot_facts, ocelot_runtime_facts);
OCELOT_SINK(ocelot_images, ocelot_image);
OCELOT_SINK(ocelot_pull_progresses, ocelot_pull_progress);
OCELOT_SINK(ocelot_containers, ocelot_container);

/* const ocelot_runtime* by OCELOT_RUNTIME. Every member is required. */
typedef struct ocelot_runtime {
  uint32_t size;
  /* INVALID: the settings will not do; the reason begins with the key. On failure *out is left alone. `host` outlives
     the handle. */
  ocelot_status (*create)(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                          ocelot_runtime_handle** out);
  void (*destroy)(ocelot_runtime_handle* handle); /* [serial] NULL is fine */

  /* [serial] Looks at the engine for real, and starts nothing. An engine that is away is not a failure: usable = 0 and
     a sentence. Puts once. */
  ocelot_status (*probe)(ocelot_runtime_handle* handle, ocelot_call* call, const ocelot_facts* facts);
  /* [serial] Makes the image present and says what it says about itself. Asks no registry when it is here, unless
     refresh. Reasons name the full reference and the registry: NOT_FOUND, UNAUTHENTICATED, UNAVAILABLE. Puts once to
     `image`, as often as it likes to `progress`. */
  ocelot_status (*pull)(ocelot_runtime_handle* handle, ocelot_call* call, const ocelot_image_request* request,
                        const ocelot_pull_progresses* progress, const ocelot_images* image);
  /* [serial] Created and running, or nothing left. */
  ocelot_status (*start)(ocelot_runtime_handle* handle, ocelot_call* call, const ocelot_container_spec* spec);
  /* [any] Blocks until the container has ended or the call is cancelled. NOT_FOUND when there is none. */
  ocelot_status (*wait)(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str name, ocelot_exit* out);
  /* [any] Signal to the main process. NOT_FOUND when there is none running. */
  ocelot_status (*kill)(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str name, int32_t signal);
  /* [any] Every trace: processes, mounts, network, workspace, state. Safe twice, on unknown names and after any
     failure. */
  ocelot_status (*remove)(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str name);
  /* [any] Every container, running or ended, that was started with this owner. */
  ocelot_status (*list)(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str owner,
                        const ocelot_containers* containers);
} ocelot_runtime;

/* Optional ability: images that come from no registry. */
#define OCELOT_RUNTIME_IMAGES "ocelot.runtime.images/1"

typedef struct ocelot_stored_image {
  uint32_t size;
  ocelot_str reference;
  ocelot_str digest;
  uint64_t size_bytes;
  int64_t last_used_us; /* microseconds since the epoch */
} ocelot_stored_image;

OCELOT_SINK(ocelot_stored_images, ocelot_stored_image);

/* const ocelot_runtime_images* by OCELOT_RUNTIME_IMAGES, on the handles of OCELOT_RUNTIME. Every member is required and
   [serial]. */
typedef struct ocelot_runtime_images {
  uint32_t size;
  /* `source`: a tar file of a root file system, an OCI or docker archive, a folder, or "docker:NAME". Puts once to
     `image`. */
  ocelot_status (*import_image)(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str source,
                                ocelot_str reference, const ocelot_pull_progresses* progress,
                                const ocelot_images* image);
  ocelot_status (*list_images)(ocelot_runtime_handle* handle, ocelot_call* call, const ocelot_stored_images* images);
  ocelot_status (*remove_image)(ocelot_runtime_handle* handle, ocelot_call* call, ocelot_str reference);
} ocelot_runtime_images;

#ifdef __cplusplus
}
#endif
#endif
