/* The vocabulary that every interface of the plugin ABI is written in.

     Borrow in, emit out.  Arguments are borrowed until the call returns; results go to a sink that the caller passed.
                           Who needs a thing for longer copies it.
     Append only.          A struct begins with its `size`, as its maker knew it. The reader uses no member beyond it
                           (OCELOT_HAS), so either side may be older than the other. Members are never moved or reused.
                           ocelot_str, ocelot_pair, ocelot_strs and ocelot_pairs carry no size and never change.
     Arrays.               An array of structs is walked by the `size` of its first element.
     Nothing unwinds.      A failure is a status; its reason is told to ocelot_call.fail first. No exception and no
                           longjmp crosses the boundary.

   Thread tags, one on every function:
     [any]      from any thread at any time
     [serial]   never beside another [serial] call on the same handle; the thread may change from call to call
     [calling]  only during the call that lent it, on that call's thread */
#ifndef OCELOT_ABI_BASE_H
#define OCELOT_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

/* The major is part of the exported symbol's name, ocelot_plugin_v1; the minor counts appended members. */
#define OCELOT_ABI_MAJOR 1
#define OCELOT_ABI_MINOR 0

#if defined(__GNUC__)
#define OCELOT_EXPORT __attribute__((visibility("default")))
#else
#define OCELOT_EXPORT
#endif

/* Is `member` inside what the maker of *pointer knew? */
#define OCELOT_HAS(type, pointer, member) ((pointer)->size >= offsetof(type, member) + sizeof((pointer)->member))

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes, UTF-8 where people read them; not terminated. data may be NULL when size is 0. */
typedef struct ocelot_str {
  const char* data;
  size_t size;
} ocelot_str;

typedef struct ocelot_pair {
  ocelot_str key;
  ocelot_str value;
} ocelot_pair;

typedef struct ocelot_strs {
  const ocelot_str* rows;
  size_t count;
} ocelot_strs;

typedef struct ocelot_pairs {
  const ocelot_pair* rows;
  size_t count;
} ocelot_pairs;

/* How a call ended. Each value tells the caller its next step. */
typedef int32_t ocelot_status;
enum {
  OCELOT_OK = 0,
  OCELOT_IGNORED = 1,         /* valid, and nothing to do: forget it */
  OCELOT_INVALID = 2,         /* the input is wrong: do not retry, tell its author */
  OCELOT_UNAUTHENTICATED = 3, /* the signature or credential does not hold */
  OCELOT_NOT_FOUND = 4,
  OCELOT_UNAVAILABLE = 5, /* the other side is away or busy: a retry may help */
  OCELOT_CANCELLED = 6,   /* the caller cancelled, or the deadline passed */
  OCELOT_UNSUPPORTED = 7,
  OCELOT_INTERNAL = 8 /* a fault of the plugin itself */
};

enum { OCELOT_LOG_DEBUG = 0, OCELOT_LOG_INFO = 1, OCELOT_LOG_WARNING = 2, OCELOT_LOG_ERROR = 3 };

/* One call, as its caller sees it. Dies when the call returns. */
typedef struct ocelot_call {
  uint32_t size;
  int32_t
      cancel_fd; /* readable once cancelled, to be polled beside the callee's own; never read, never closed; -1: none */
  int64_t deadline_ms;                                                         /* CLOCK_MONOTONIC; 0: none */
  int32_t (*cancelled)(const struct ocelot_call* self);                        /* [any] 1 once cancelled */
  void (*log)(const struct ocelot_call* self, int32_t level, ocelot_str text); /* [any] */
  void (*fail)(struct ocelot_call* self, ocelot_str why); /* [calling] the reason of the status about to be returned;
                                                             a sentence: what was tried, on what, what came back */
} ocelot_call;

/* A sink takes results one by one. put is [calling]; anything but OCELOT_OK means that the caller wants no more: return
   that status. A sink for a single result is put to exactly once before OCELOT_OK is returned. */
#define OCELOT_SINK(name, item)                                        \
  typedef struct name {                                                \
    uint32_t size;                                                     \
    ocelot_status (*put)(const struct name* self, const item* result); \
  } name

OCELOT_SINK(ocelot_texts, ocelot_str);

#ifdef __cplusplus
}
#endif
#endif
