// The layout of ABI 1.0, for ever: what is asserted here was in a plugin that somebody built. A failure is an ABI
// break: put the member back, and append the new one.

#include <cppunit/extensions/HelperMacros.h>

#include "ocelot/abi/host.h"
#include "ocelot/abi/notifier.h"
#include "ocelot/abi/plugin.h"
#include "ocelot/abi/runtime.h"
#include "ocelot/abi/vcs.h"

namespace {

// Appending makes a struct longer: `>=`. Members never move: `==`.
#define LAYOUT(type, last, offset) static_assert(offsetof(type, last) == (offset) && sizeof(type) > (offset))

static_assert(sizeof(void*) == 8, "written for 64-bit machines");
static_assert(sizeof(ocelot_str) == 16 && sizeof(ocelot_pair) == 32);
static_assert(sizeof(ocelot_strs) == 16 && sizeof(ocelot_pairs) == 16 && sizeof(ocelot_option) == 32);
LAYOUT(ocelot_call, cancel_fd, 4);
LAYOUT(ocelot_call, deadline_ms, 8);
LAYOUT(ocelot_call, fail, 32);
LAYOUT(ocelot_texts, put, 8);
LAYOUT(ocelot_plugin, id, 8);
LAYOUT(ocelot_plugin, options, 32);
LAYOUT(ocelot_plugin, query, 40);
LAYOUT(ocelot_host, query, 8);
LAYOUT(ocelot_host_http, send, 8);
LAYOUT(ocelot_host_crypto, random, 32);
LAYOUT(ocelot_http_request, max_answer_bytes, 72);
LAYOUT(ocelot_http_answer, retry_after_ms, 40);
LAYOUT(ocelot_setting, values, 24);
LAYOUT(ocelot_settings, count, 32);
LAYOUT(ocelot_runtime, create, 8);
LAYOUT(ocelot_runtime, start, 40);
LAYOUT(ocelot_runtime, list, 72);
LAYOUT(ocelot_runtime_images, remove_image, 24);
LAYOUT(ocelot_runtime_facts, features, 40);
LAYOUT(ocelot_image_request, password, 40);
LAYOUT(ocelot_image, architecture, 88);
LAYOUT(ocelot_pull_progress, total_bytes, 32);
LAYOUT(ocelot_resource, target, 24);
LAYOUT(ocelot_container_spec, resources, 104);
LAYOUT(ocelot_container_spec, pids, 140);
LAYOUT(ocelot_container_spec, hostname, 160);
LAYOUT(ocelot_exit, out_of_memory, 12);
LAYOUT(ocelot_container, labels, 24);
LAYOUT(ocelot_stored_image, last_used_us, 48);
LAYOUT(ocelot_vcs, verify_hook, 24);
LAYOUT(ocelot_vcs, clone, 80);
LAYOUT(ocelot_repo, url, 24);
LAYOUT(ocelot_commit, id, 16);
LAYOUT(ocelot_head, commit, 24);
LAYOUT(ocelot_hook, body, 24);
LAYOUT(ocelot_change, files, 112);
LAYOUT(ocelot_change, files_cut, 128);
LAYOUT(ocelot_clone_access, known_hosts, 72);
LAYOUT(ocelot_notifier, tell, 24);
LAYOUT(ocelot_stage_notice, duration_ms, 40);
LAYOUT(ocelot_build_notice, stages, 200);
LAYOUT(ocelot_build_notice, previous_state, 216);

class AbiLayout : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AbiLayout);
  CPPUNIT_TEST(theVersionIsTheOneThatTheLayoutIsOf);
  CPPUNIT_TEST_SUITE_END();

 public:
  void theVersionIsTheOneThatTheLayoutIsOf() {
    CPPUNIT_ASSERT_EQUAL(1, OCELOT_ABI_MAJOR);
    CPPUNIT_ASSERT_EQUAL(0, OCELOT_ABI_MINOR);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AbiLayout);

}  // namespace
