// What good files mean.

#include <cppunit/extensions/HelperMacros.h>

#include "host/pipeline/pipeline.hpp"

namespace {

using namespace ocelot;
using pipeline::Environment;
using pipeline::Pipeline;
using Texts = std::vector<std::string>;

Pipeline readWell(const std::string& bytes) {
  auto result = pipeline::read(bytes, "ocelot.yml");
  CPPUNIT_ASSERT_MESSAGE(pipeline::describeErrors(result), result.pipeline.has_value());
  return std::move(*result.pipeline);
}

const std::string kRest = "\nimage: debian:12\nstages: [{name: test, script: make test}]\n";

std::string scriptOf(const std::string& stage_lines) {
  return readWell("image: a\nstages:\n  - name: t\n" + stage_lines).stages.at(0).script;
}

class ReadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReadTest);
  CPPUNIT_TEST(two_lines_are_a_whole_file);
  CPPUNIT_TEST(a_file_of_the_first_ocelot_is_read);
  CPPUNIT_TEST(a_build_without_a_checkout);
  CPPUNIT_TEST(every_key_at_once);
  CPPUNIT_TEST(a_script_is_a_text_or_a_list_of_commands);
  CPPUNIT_TEST(a_block_in_a_script_is_kept_as_it_is);
  CPPUNIT_TEST(texts_are_taken_as_they_are_written);
  CPPUNIT_TEST(a_script_with_expansions_is_not_touched);
  CPPUNIT_TEST(an_environment_is_a_list_or_a_map);
  CPPUNIT_TEST(one_text_stands_for_a_list_of_one);
  CPPUNIT_TEST(line_ends_of_windows_are_read);
  CPPUNIT_TEST(a_byte_order_mark_is_skipped);
  CPPUNIT_TEST(anchors_and_merge_keys_work);
  CPPUNIT_TEST(the_limits_themselves_are_allowed);
  CPPUNIT_TEST(packages_are_a_warning);
  CPPUNIT_TEST(a_stage_knows_its_line);
  CPPUNIT_TEST(branches_decide_what_is_built);
  CPPUNIT_TEST(notifications_know_which_ends_they_tell);
  CPPUNIT_TEST(a_problem_is_one_printable_line);
  CPPUNIT_TEST(reading_again_gives_the_same);
  CPPUNIT_TEST_SUITE_END();

  void two_lines_are_a_whole_file() {
    const Pipeline p = readWell("image: debian:12\nstages: [{name: test, script: make test}]\n");
    CPPUNIT_ASSERT_EQUAL(std::string("debian:12"), p.image);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, p.stages.size());
    CPPUNIT_ASSERT_EQUAL(std::string("test"), p.stages[0].name);
    CPPUNIT_ASSERT_EQUAL(std::string("make test\n"), p.stages[0].script);
    CPPUNIT_ASSERT_EQUAL(std::string("bridge"), p.network);
    CPPUNIT_ASSERT_EQUAL(50, p.clone.depth);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, p.timeout_ms);
    CPPUNIT_ASSERT(p.branches.empty() && p.env.empty() && p.secrets.empty() && p.notify.empty() &&
                   p.machine_tag.empty());
    CPPUNIT_ASSERT(!p.stages[0].always);
  }

  void a_file_of_the_first_ocelot_is_read() {
    const Pipeline p = readWell(R"(
image: golang:1.10.2-alpine3.7
machineTag: ivy
buildTool: go
branches:
  - master
  - release\/.*
env:
  - "BUILD_ROOT=/go/src"
  - FLAGS=-a -b=c
stages:
  - name: install
    trigger:
      branches: [master]
    script:
      - apk update
      - cd src && go get
    env:
      - "CGO=0"
  - name: deploy
    triggers:
      - \branch master and \filepath src||lib
    script: [make deploy]
notify:
  slack:
    channel: "@team"
    identifier: workspace
    on: [pass, "FAIL"]
)");
    CPPUNIT_ASSERT_EQUAL(std::string("ivy"), p.machine_tag);
    CPPUNIT_ASSERT_EQUAL(std::string("go"), p.build_tool);
    CPPUNIT_ASSERT(p.branches == (Texts{"master", "release\\/.*"}));
    CPPUNIT_ASSERT(p.env == (Environment{{"BUILD_ROOT", "/go/src"}, {"FLAGS", "-a -b=c"}}));
    CPPUNIT_ASSERT(p.stages.at(0).branches == Texts{"master"});
    CPPUNIT_ASSERT_EQUAL(std::string("apk update\ncd src && go get\n"), p.stages[0].script);
    CPPUNIT_ASSERT(p.stages[0].env == (Environment{{"CGO", "0"}}));
    CPPUNIT_ASSERT(p.stages.at(1).triggers == Texts{"\\branch master and \\filepath src||lib"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, p.notify.size());
    CPPUNIT_ASSERT_EQUAL(std::string("slack"), p.notify[0].via);
    CPPUNIT_ASSERT_EQUAL(std::string("@team"), p.notify[0].target);
    CPPUNIT_ASSERT_EQUAL(std::string("workspace"), p.notify[0].identifier);
    CPPUNIT_ASSERT(p.notify[0].on_pass && p.notify[0].on_fail);
  }

  void a_build_without_a_checkout() {
    const std::string file = "image: a\nstages: [{name: a, script: b}]\nclone: ";
    CPPUNIT_ASSERT(readWell(file + "false\n").clone.none);
    CPPUNIT_ASSERT(!readWell(file + "true\n").clone.none);
    CPPUNIT_ASSERT(!readWell(file + "{depth: 1}\n").clone.none);
    CPPUNIT_ASSERT(!pipeline::read(file + "never\n", "ocelot.yml").pipeline);
  }

  void every_key_at_once() {
    const Pipeline p = readWell(R"(
image: registry.example:5000/team/base:v1.2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
user: app:1000
shell: /bin/bash
timeout: 1h30m
network: none
resources: {memory: 512m, cpus: 1.5, pids: 200, disk: 2GiB}
secrets: [TOKEN, KEY_2]
clone: {depth: 0, tags: true, submodules: true, lfs: false}
keep: {days: 30, builds: 100}
stages:
  - {name: a, script: b, env: {X: y}, user: "0", timeout: 90s, secrets: DEPLOY_KEY, when: always}
notify:
  - {via: team-chat, target: "#builds", on: FAIL}
  - via: mail
)");
    CPPUNIT_ASSERT_EQUAL(std::string("app:1000"), p.user);
    CPPUNIT_ASSERT_EQUAL(std::string("/bin/bash"), p.shell);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5400000}, p.timeout_ms);
    CPPUNIT_ASSERT_EQUAL(std::string("none"), p.network);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{512} << 20, p.resources.memory_bytes);
    CPPUNIT_ASSERT_EQUAL(1500u, p.resources.cpu_millis);
    CPPUNIT_ASSERT_EQUAL(200u, p.resources.pids);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2} << 30, p.resources.disk_bytes);
    CPPUNIT_ASSERT(p.secrets == (Texts{"TOKEN", "KEY_2"}));
    CPPUNIT_ASSERT(p.clone.depth == 0 && p.clone.tags && p.clone.submodules);
    CPPUNIT_ASSERT(p.keep.days == 30 && p.keep.builds == 100);
    const pipeline::Stage& stage = p.stages.at(0);
    CPPUNIT_ASSERT(stage.env == (Environment{{"X", "y"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("0"), stage.user);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{90000}, stage.timeout_ms);
    CPPUNIT_ASSERT(stage.secrets == Texts{"DEPLOY_KEY"});
    CPPUNIT_ASSERT(stage.always);
    CPPUNIT_ASSERT_EQUAL(std::string("#builds"), p.notify.at(0).target);
    CPPUNIT_ASSERT(!p.notify[0].on_pass && p.notify[0].on_fail);
    CPPUNIT_ASSERT(p.notify.at(1).on_pass && p.notify[1].on_fail);
  }

  void a_script_is_a_text_or_a_list_of_commands() {
    CPPUNIT_ASSERT_EQUAL(std::string("make\n"), scriptOf("    script: make\n"));
    // Joined by `&&` the comment would swallow what follows it, and `||` would change its meaning.
    CPPUNIT_ASSERT_EQUAL(std::string("cd src\nfalse || true\nmake # all\nserve &\n"),
                         scriptOf("    script: [cd src, false || true, 'make # all', serve &]\n"));
  }

  void a_block_in_a_script_is_kept_as_it_is() {
    CPPUNIT_ASSERT_EQUAL(std::string("first\ncat <<'END'\n\tindented: \"as is\"\n\nEND\nlast\n"),
                         scriptOf("    script:\n      - first\n      - |\n        cat <<'END'\n        \tindented: "
                                  "\"as is\"\n\n        END\n      - last\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("a\nb\n"), scriptOf("    script: |\n      a\n      b\n"));
  }

  void texts_are_taken_as_they_are_written() {
    const Pipeline p =
        readWell("env: {A: 012, B: yes, C: 1.10, D: 1_000, E: 0x1F, F: , G: ~, H: 'null', I: on, J: 1e3}" + kRest);
    CPPUNIT_ASSERT(p.env == (Environment{{"A", "012"},
                                         {"B", "yes"},
                                         {"C", "1.10"},
                                         {"D", "1_000"},
                                         {"E", "0x1F"},
                                         {"F", ""},
                                         {"G", ""},
                                         {"H", "null"},
                                         {"I", "on"},
                                         {"J", "1e3"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("12"), readWell("image: 12\nstages: [{name: 1, script: true}]").image);
    CPPUNIT_ASSERT_EQUAL(std::string("1.10"), readWell("machineTag: 1.10" + kRest).machine_tag);
  }

  void a_script_with_expansions_is_not_touched() {
    const std::string script = "echo \"$OCELOT_BRANCH\" ${A} {{ b }} <% c %> $(d) `e` %s \\n";
    CPPUNIT_ASSERT_EQUAL(script + "\n", scriptOf("    script:\n      - '" + script + "'\n"));
  }

  void an_environment_is_a_list_or_a_map() {
    const Environment expected{{"A", "1"}, {"B", "x=y z"}, {"C", ""}};
    CPPUNIT_ASSERT(readWell("env: [A=1, B=x=y z, C=]" + kRest).env == expected);
    CPPUNIT_ASSERT(readWell("env: {A: 1, B: x=y z, C: ''}" + kRest).env == expected);
  }

  void one_text_stands_for_a_list_of_one() {
    const Pipeline p = readWell("branches: main\nsecrets: TOKEN\nenv: A=1" + kRest);
    CPPUNIT_ASSERT(p.branches == Texts{"main"});
    CPPUNIT_ASSERT(p.secrets == Texts{"TOKEN"});
    CPPUNIT_ASSERT(p.env == (Environment{{"A", "1"}}));
  }

  void line_ends_of_windows_are_read() {
    const Pipeline p = readWell("image: a\r\nstages:\r\n  - name: t\r\n    script: |\r\n      a\r\n      b\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("a\nb\n"), p.stages.at(0).script);
  }

  void a_byte_order_mark_is_skipped() {
    CPPUNIT_ASSERT_EQUAL(std::string("debian:12"),
                         readWell("\xEF\xBB\xBFimage: debian:12\nstages: [{name: a, script: b}]").image);
  }

  void anchors_and_merge_keys_work() {
    const Pipeline p = readWell(R"(
x-defaults: &defaults {script: make, env: {A: base}}
x-more: &more {script: other, user: app}
image: a
stages:
  - {<<: *defaults, name: one}
  - {name: two, script: own, <<: *defaults}
  - {<<: [*defaults, *more], name: three}
)");
    CPPUNIT_ASSERT_EQUAL(std::string("make\n"), p.stages.at(0).script);
    CPPUNIT_ASSERT(p.stages[0].env == (Environment{{"A", "base"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("own\n"), p.stages.at(1).script);
    CPPUNIT_ASSERT_EQUAL(std::string("make\n"), p.stages.at(2).script);
    CPPUNIT_ASSERT_EQUAL(std::string("app"), p.stages[2].user);
  }

  void the_limits_themselves_are_allowed() {
    std::string stages;
    for (int i = 0; i < 500; ++i) stages += "  - {name: s" + std::to_string(i) + ", script: x}\n";
    CPPUNIT_ASSERT_EQUAL(std::size_t{500}, readWell("image: a\nstages:\n" + stages).stages.size());
    const std::string name(100, 'n');
    CPPUNIT_ASSERT_EQUAL(name, readWell("image: a\nstages: [{name: " + name + ", script: x}]").stages.at(0).name);
    std::string list;
    for (int i = 0; i < 100; ++i) list += (i == 0 ? "*a" : ", *a");
    readWell("x-a: &a x\nx-b: [" + list + "]" + kRest);
    readWell("x-a: " + std::string(49, '[') + std::string(49, ']') + kRest);
    readWell("x-a: '" + std::string(65536, 'x') + "'" + kRest);
    std::string file = "image: a\nstages: [{name: a, script: x}]\n";
    file += std::string(pipeline::kMaxFileBytes - file.size(), '#');
    readWell(file);
  }

  void packages_are_a_warning() {
    const auto result = pipeline::read("packages: [git]" + kRest, "ocelot.yml");
    CPPUNIT_ASSERT(result.pipeline.has_value());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, result.problems.size());
    CPPUNIT_ASSERT(result.problems[0].severity == pipeline::Severity::warning);
    CPPUNIT_ASSERT_EQUAL(
        std::string("ocelot.yml:1:1: warning: `packages` has no effect; install them in the image or in a script"),
        pipeline::toString(result.problems[0], result.file_name));
    CPPUNIT_ASSERT_EQUAL(std::string(), pipeline::describeErrors(result));
  }

  void a_stage_knows_its_line() {
    const Pipeline p = readWell("image: a\nstages:\n  - name: one\n    script: x\n\n  - name: two\n    script: y\n");
    CPPUNIT_ASSERT_EQUAL(3, p.stages.at(0).line);
    CPPUNIT_ASSERT_EQUAL(6, p.stages.at(1).line);
  }

  void branches_decide_what_is_built() {
    CPPUNIT_ASSERT(pipeline::buildsBranch(readWell(kRest), "anything"));
    const Pipeline p = readWell("branches: [main, 'release-.*|next']" + kRest);
    CPPUNIT_ASSERT(pipeline::buildsBranch(p, "main"));
    CPPUNIT_ASSERT(pipeline::buildsBranch(p, "release-1"));
    CPPUNIT_ASSERT(pipeline::buildsBranch(p, "next"));
    CPPUNIT_ASSERT(!pipeline::buildsBranch(p, "mainly"));
    CPPUNIT_ASSERT(!pipeline::buildsBranch(p, "my-next"));
    CPPUNIT_ASSERT(!pipeline::buildsBranch(p, ""));
    CPPUNIT_ASSERT(pipeline::buildsBranch(readWell("branches: ALL" + kRest), "x/y"));
  }

  void notifications_know_which_ends_they_tell() {
    using model::BuildState;
    const auto notify = readWell("notify: [{via: a, on: PASS}, {via: b, on: FAIL}]" + kRest).notify;
    for (const BuildState state :
         {BuildState::failed, BuildState::timed_out, BuildState::error, BuildState::rejected}) {
      CPPUNIT_ASSERT(!notify.at(0).tells(state));
      CPPUNIT_ASSERT(notify.at(1).tells(state));
    }
    CPPUNIT_ASSERT(notify[0].tells(BuildState::passed) && !notify[1].tells(BuildState::passed));
    for (const BuildState state : {BuildState::canceled, BuildState::queued, BuildState::running}) {
      CPPUNIT_ASSERT(!notify[0].tells(state) && !notify[1].tells(state));
    }
  }

  void a_problem_is_one_printable_line() {
    const auto result = pipeline::read("\"a\\n\\e[31m\\u009b\": 1" + kRest, "ocelot.yml");
    CPPUNIT_ASSERT(!result.pipeline);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.yml:1:1: unknown key `a\\x0a\\x1b[31m\\x9b`"),
                         pipeline::describeErrors(result));
  }

  void reading_again_gives_the_same() {
    const std::string bytes = "image: A\nquux: 1\nstages: [{nme: x}]\n";
    CPPUNIT_ASSERT_EQUAL(pipeline::describeErrors(pipeline::read(bytes, "a")),
                         pipeline::describeErrors(pipeline::read(bytes, "a")));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReadTest);

}  // namespace
