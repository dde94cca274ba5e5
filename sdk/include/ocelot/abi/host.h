/* What the host lends every plugin, found by id like everything else, so that a plugin need not link an HTTP or TLS
   library of its own. The host outlives every handle. */
#ifndef OCELOT_ABI_HOST_H
#define OCELOT_ABI_HOST_H

#include "ocelot/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ocelot_host {
  uint32_t size;
  uint32_t abi_minor;                                                             /* what the host was built against */
  const void* (*query)(const struct ocelot_host* self, const char* interface_id); /* [any] a table, or NULL */
} ocelot_host;

#define OCELOT_HOST_HTTP "ocelot.host.http/1"

typedef struct ocelot_http_request {
  uint32_t size;
  ocelot_str method;
  ocelot_str url; /* whole: https://… or http://… */
  ocelot_pairs headers;
  ocelot_str body;
  uint64_t max_answer_bytes; /* a longer answer is OCELOT_INVALID; 0: the host's default */
} ocelot_http_request;

typedef struct ocelot_http_answer {
  uint32_t size;
  int32_t status;
  ocelot_pairs headers;
  ocelot_str body;        /* whole: a cut-off answer is OCELOT_UNAVAILABLE */
  int64_t retry_after_ms; /* from Retry-After; -1: none */
} ocelot_http_answer;

OCELOT_SINK(ocelot_http_answers, ocelot_http_answer);

/* const ocelot_host_http* by OCELOT_HOST_HTTP. TLS is verified, no redirect is followed, the call's deadline holds. */
typedef struct ocelot_host_http {
  uint32_t size;
  /* [any] Puts once, for every answer that has a status, 4xx and 5xx too. UNAVAILABLE: there was none. */
  ocelot_status (*send)(const ocelot_host* host, ocelot_call* call, const ocelot_http_request* request,
                        const ocelot_http_answers* answer);
} ocelot_host_http;

#define OCELOT_HOST_CRYPTO "ocelot.host.crypto/1"

/* const ocelot_host_crypto* by OCELOT_HOST_CRYPTO. Digests are 32 raw bytes, written to `out`. */
typedef struct ocelot_host_crypto {
  uint32_t size;
  ocelot_status (*hmac_sha256)(const ocelot_host* host, ocelot_str key, ocelot_str data,
                               unsigned char* out);                                      /* [any] */
  ocelot_status (*sha256)(const ocelot_host* host, ocelot_str data, unsigned char* out); /* [any] */
  int32_t (*equal)(const ocelot_host* host, ocelot_str a,
                   ocelot_str b); /* [any] 1 or 0; constant time for equal lengths */
  ocelot_status (*random)(const ocelot_host* host, unsigned char* out, size_t bytes); /* [any] */
} ocelot_host_crypto;

/* What the operator wrote for one instance, checked against the plugin's option table: required keys are there, types
   hold, defaults are filled in, secrets are resolved. Numbers are decimal, flags true or false, durations in
   milliseconds, sizes in bytes. */
typedef struct ocelot_setting {
  uint32_t size;
  ocelot_str key;
  ocelot_strs values; /* one, unless the option is a list */
} ocelot_setting;

typedef struct ocelot_settings {
  uint32_t size;
  ocelot_str instance; /* the name in the configuration, for messages */
  const ocelot_setting* rows;
  size_t count;
} ocelot_settings;

#ifdef __cplusplus
}
#endif
#endif
