/* A version-control provider: where repositories live, and how their changes are told.

     create ─┬─ verify_hook ─ parse_hook ─┬─ … ─ destroy
             └─ identify, heads, resolve, read_file, changes, clone

   Who calls: the hookhandler (verify_hook before a hook is stored, parse_hook afterwards, perhaps again), the poller
   (heads, changes), admin (resolve, read_file) and the worker (clone). Every member is [serial]; distinct handles run
   in parallel. After any failure the handle is as usable as before. */
#ifndef OCELOT_ABI_VCS_H
#define OCELOT_ABI_VCS_H

#include "ocelot/abi/host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OCELOT_VCS "ocelot.vcs/1"

typedef struct ocelot_vcs_handle ocelot_vcs_handle; /* the plugin's own */

typedef struct ocelot_repo {
  uint32_t size;
  ocelot_str name; /* "account/repo", as people write it */
  ocelot_str url;  /* clone URL */
} ocelot_repo;

typedef struct ocelot_commit {
  uint32_t size;
  const ocelot_repo* repo;
  ocelot_str id; /* 40 or 64 hex digits */
} ocelot_commit;

typedef struct ocelot_head {
  uint32_t size;
  ocelot_str branch; /* without refs/heads/ */
  ocelot_str commit;
} ocelot_head;

typedef struct ocelot_hook {
  uint32_t size;
  ocelot_pairs headers; /* names are lower-case */
  ocelot_str body;      /* raw bytes */
} ocelot_hook;

enum {
  OCELOT_CHANGE_PUSH = 0,
  OCELOT_CHANGE_PULL_REQUEST = 1,
  OCELOT_CHANGE_TAG = 2,
  OCELOT_CHANGE_MANUAL = 3,
  OCELOT_CHANGE_POLL = 4,
  OCELOT_CHANGE_SCHEDULE = 5
};

typedef struct ocelot_change {
  uint32_t size;
  int32_t kind;
  const ocelot_repo* repo;
  ocelot_str branch; /* a pull request's source branch */
  ocelot_str commit;
  ocelot_str before; /* previous head of the branch; "" when there is none */
  ocelot_str author;
  ocelot_str message;   /* of the head commit, at most 64 KiB */
  ocelot_strs messages; /* of every commit of the change, at most 1,000 */
  ocelot_strs files;    /* changed paths, at most 10,000 */
  uint32_t files_cut;   /* 1: `files` is cut or unknown, and path triggers must fire */
  uint32_t reserved;
} ocelot_change;

/* What git needs to fetch. The host hands it to git by environment or helper, never on a command line. */
typedef struct ocelot_clone_access {
  uint32_t size;
  ocelot_str url;
  ocelot_str username;
  ocelot_str password;
  ocelot_str ssh_key;     /* private key, PEM or OpenSSH form */
  ocelot_str known_hosts; /* lines of an ssh known_hosts file */
} ocelot_clone_access;

OCELOT_SINK(ocelot_repos, ocelot_repo);
OCELOT_SINK(ocelot_heads, ocelot_head);
OCELOT_SINK(ocelot_changes, ocelot_change);
OCELOT_SINK(ocelot_clone_accesses, ocelot_clone_access);

/* const ocelot_vcs* by OCELOT_VCS. Members are required but for those marked optional, which may be NULL. */
typedef struct ocelot_vcs {
  uint32_t size;
  /* INVALID: the settings will not do; the reason begins with the key. On failure *out is left alone. `host` outlives
     the handle. */
  ocelot_status (*create)(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                          ocelot_vcs_handle** out);
  void (*destroy)(ocelot_vcs_handle* handle); /* [serial] NULL is fine */

  /* optional. Does the hook come from who it says? UNAUTHENTICATED. Asked before anything is stored. */
  ocelot_status (*verify_hook)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_hook* hook);
  /* optional. What it says happened; may run again. IGNORED: valid, nothing to build. */
  ocelot_status (*parse_hook)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_hook* hook,
                              const ocelot_changes* changes);

  /* Is this one of the provider's, and what is it called? NOT_FOUND when it is not. Puts once. */
  ocelot_status (*identify)(ocelot_vcs_handle* handle, ocelot_call* call, ocelot_str url_or_name,
                            const ocelot_repos* repo);
  /* Every branch and its head; more than 10,000 is INVALID. */
  ocelot_status (*heads)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_repo* repo,
                         const ocelot_heads* heads);
  /* A branch, tag or (abbreviated) commit id to a full commit id. NOT_FOUND. Puts once. */
  ocelot_status (*resolve)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_repo* repo, ocelot_str revision,
                           const ocelot_texts* commit);
  /* One file at a commit. NOT_FOUND; INVALID when larger than max_bytes or not a regular file. Puts once. */
  ocelot_status (*read_file)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_commit* commit, ocelot_str path,
                             uint64_t max_bytes, const ocelot_texts* content);
  /* What changed up to `commit` since `before` ("": the commit alone). Puts once. */
  ocelot_status (*changes)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_commit* commit, ocelot_str before,
                           const ocelot_changes* change);
  /* Puts once. */
  ocelot_status (*clone)(ocelot_vcs_handle* handle, ocelot_call* call, const ocelot_repo* repo,
                         const ocelot_clone_accesses* access);
} ocelot_vcs;

#ifdef __cplusplus
}
#endif
#endif
