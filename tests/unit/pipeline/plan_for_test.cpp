#include "host/pipeline/plan_for.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

namespace {

using namespace ocelot;
using namespace ocelot::pipeline;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

// "" when unset; fails when the name is there twice.
std::string valueOf(const journal::Environment& env, const std::string& name) {
  const auto is = [&](const auto& variable) { return variable.first == name; };
  CPPUNIT_ASSERT_MESSAGE(name + " is set twice", std::count_if(env.begin(), env.end(), is) <= 1);
  const auto found = std::find_if(env.begin(), env.end(), is);
  return found == env.end() ? "" : found->second;
}

bool isSet(const journal::Environment& env, const std::string& name) {
  return std::any_of(env.begin(), env.end(), [&](const auto& variable) { return variable.first == name; });
}

class PlanForTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PlanForTest);
  CPPUNIT_TEST(a_plan_holds_what_the_pipeline_says);
  CPPUNIT_TEST(defaults_fill_what_it_does_not_say);
  CPPUNIT_TEST(ocelots_own_variables);
  CPPUNIT_TEST(later_environments_win);
  CPPUNIT_TEST(path_is_there_without_the_image);
  CPPUNIT_TEST(nothing_of_a_change_reaches_a_script);
  CPPUNIT_TEST(values_are_byte_for_byte);
  CPPUNIT_TEST(an_image_cannot_smuggle_variables);
  CPPUNIT_TEST(stages_whose_triggers_do_not_hold_are_skipped);
  CPPUNIT_TEST(a_change_without_branch_is_judged_by_the_builds);
  CPPUNIT_TEST(secrets_of_the_file_reach_every_stage);
  CPPUNIT_TEST(a_plan_survives_its_encoding);
  CPPUNIT_TEST_SUITE_END();

  Pipeline pipeline_;
  model::Build build_;
  Change change_;
  Image image_;

  void readPipeline(const std::string& bytes) {
    auto result = read(bytes, "ocelot.yml");
    CPPUNIT_ASSERT_MESSAGE(describeErrors(result), result.pipeline.has_value());
    pipeline_ = std::move(*result.pipeline);
  }
  journal::Plan plan(const PlanSettings& settings = {}) {
    return planFor(pipeline_, build_, change_, image_, settings);
  }

 public:
  void setUp() override {
    readPipeline("image: a\nstages: [{name: test, script: make}]\n");
    build_ = model::Build{};
    build_.id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    build_.number = 42;
    build_.repo = "team/app";
    build_.branch = "main";
    build_.commit = kCommit;
    build_.author = "Ada <ada@example.org>";
    build_.message = "first line";
    build_.trigger = model::Trigger::push;
    build_.attempt = 2;
    change_ = Change{};
    change_.branch = "main";
    change_.message = "first line\n\nand the rest";
    image_ = Image{};
    image_.user = "1000";
    image_.env = {{"PATH", "/opt/bin:/bin"}, {"LANG", "C.UTF-8"}, {"CI", "no"}};
  }

  void a_plan_holds_what_the_pipeline_says() {
    readPipeline(
        "image: a\nuser: app\nshell: /bin/bash\ntimeout: 10m\nstages:\n"
        "  - {name: one, script: [a, b], env: {X: y}, user: root, timeout: 1m, when: always}\n");
    const journal::Plan p = plan();
    CPPUNIT_ASSERT_EQUAL(build_.id, p.build_id);
    CPPUNIT_ASSERT_EQUAL(2u, p.attempt);
    CPPUNIT_ASSERT_EQUAL(std::string("app"), p.user);
    CPPUNIT_ASSERT_EQUAL(std::string("/bin/bash"), p.shell);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{600000}, p.timeout_ms);
    const journal::PlanStage& stage = p.stages.at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("one"), stage.name);
    CPPUNIT_ASSERT_EQUAL(std::string("a\nb\n"), stage.script);
    CPPUNIT_ASSERT(stage.env == (journal::Environment{{"X", "y"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("root"), stage.user);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{60000}, stage.timeout_ms);
    CPPUNIT_ASSERT(stage.always && !stage.skip);
  }

  void defaults_fill_what_it_does_not_say() {
    PlanSettings settings;
    settings.default_timeout_ms = 1234;
    settings.grace_ms = 5;
    const journal::Plan p = plan(settings);
    CPPUNIT_ASSERT_EQUAL(std::string("1000"), p.user);
    CPPUNIT_ASSERT_EQUAL(std::string("/bin/sh"), p.shell);
    CPPUNIT_ASSERT_EQUAL(std::string("/workspace"), p.working_dir);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1234}, p.timeout_ms);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, p.grace_ms);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, p.stages.at(0).timeout_ms);
  }

  void ocelots_own_variables() {
    const journal::Environment env = plan().env;
    const journal::Environment expected = {
        {"CI", "true"},
        {"OCELOT", "true"},
        {"OCELOT_BUILD_ID", build_.id},
        {"OCELOT_BUILD_NUMBER", "42"},
        {"OCELOT_REPO", "team/app"},
        {"OCELOT_BRANCH", "main"},
        {"OCELOT_COMMIT", kCommit},
        {"OCELOT_COMMIT_SHORT", "0123456"},
        {"OCELOT_AUTHOR", "Ada <ada@example.org>"},
        {"OCELOT_MESSAGE", "first line\n\nand the rest"},
        {"OCELOT_TRIGGER", "push"},
        {"OCELOT_WORKSPACE", "/workspace"},
        {"WORKSPACE", "/workspace"},
        {"GIT_HASH", kCommit},
        {"GIT_HASH_SHORT", "0123456"},
        {"GIT_BRANCH", "main"},
        {"BUILD_ID", "42"},
    };
    for (const auto& [name, value] : expected) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, value, valueOf(env, name));
      CPPUNIT_ASSERT_MESSAGE(name + " is not in the handbook", reference().find("`" + name + "`") != std::string::npos);
    }
    CPPUNIT_ASSERT(!isSet(env, "GIT_PREVIOUS_SUCCESSFUL_COMMIT"));
    PlanSettings settings;
    settings.previous_passed_commit = "abc";
    CPPUNIT_ASSERT_EQUAL(std::string("abc"), valueOf(plan(settings).env, "GIT_PREVIOUS_SUCCESSFUL_COMMIT"));
  }

  void later_environments_win() {
    readPipeline(
        "image: a\nenv: {LANG: de, GIT_BRANCH: mine, NEW: x}\nstages: [{name: a, script: b, env: {NEW: y}}]\n");
    const journal::Plan p = plan();
    CPPUNIT_ASSERT_EQUAL(std::string("true"), valueOf(p.env, "CI"));
    CPPUNIT_ASSERT_EQUAL(std::string("de"), valueOf(p.env, "LANG"));
    CPPUNIT_ASSERT_EQUAL(std::string("mine"), valueOf(p.env, "GIT_BRANCH"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), valueOf(p.env, "NEW"));
    CPPUNIT_ASSERT_EQUAL(std::string("y"), valueOf(p.stages.at(0).env, "NEW"));
  }

  void path_is_there_without_the_image() {
    CPPUNIT_ASSERT_EQUAL(std::string("/opt/bin:/bin"), valueOf(plan().env, "PATH"));
    image_.env.clear();
    CPPUNIT_ASSERT_EQUAL(std::string("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                         valueOf(plan().env, "PATH"));
  }

  void nothing_of_a_change_reaches_a_script() {
    readPipeline("image: a\nstages: [{name: a, script: 'echo \"$OCELOT_BRANCH\" {{branch}} %s'}]\n");
    const std::string before = plan().stages.at(0).script;
    CPPUNIT_ASSERT_EQUAL(std::string("echo \"$OCELOT_BRANCH\" {{branch}} %s\n"), before);
    build_.branch = change_.branch = "$(touch${IFS}PWN)";
    build_.author = change_.message = "'; touch PWN; \"`touch PWN`";
    CPPUNIT_ASSERT_EQUAL(before, plan().stages.at(0).script);
  }

  void values_are_byte_for_byte() {
    for (const std::string& hostile :
         {std::string("$(touch${IFS}PWN)"), std::string("`id`"), std::string("a;b"), std::string("a&&b"),
          std::string("\"x"), std::string("'x"), std::string("a\nb"), std::string("${IFS}"),
          std::string("\xE2\x82\xAC\xF0\x9F\x98\x80"), std::string(255, 'x'), std::string("'\"; $() \n::set-env"),
          std::string("A=B")}) {
      build_.branch = build_.author = change_.message = hostile;
      const journal::Environment env = plan().env;
      for (const char* name : {"OCELOT_BRANCH", "GIT_BRANCH", "OCELOT_AUTHOR", "OCELOT_MESSAGE"})
        CPPUNIT_ASSERT_EQUAL(hostile, valueOf(env, name));
    }
  }

  void an_image_cannot_smuggle_variables() {
    image_.env = {{"", "x"},
                  {"A=B", "x"},
                  {std::string("C\0D", 3), "x"},
                  {"E", std::string("a\0b", 3)},
                  {"OCELOT_BRANCH", "forged"}};
    const journal::Environment env = plan().env;
    CPPUNIT_ASSERT(!isSet(env, "") && !isSet(env, "A=B") && !isSet(env, std::string("C\0D", 3)));
    CPPUNIT_ASSERT_EQUAL(std::string("ab"), valueOf(env, "E"));
    CPPUNIT_ASSERT_EQUAL(std::string("main"), valueOf(env, "OCELOT_BRANCH"));
  }

  void stages_whose_triggers_do_not_hold_are_skipped() {
    readPipeline(
        "image: a\nstages:\n"
        "  - {name: always, script: x}\n"
        "  - {name: legacy, script: x, trigger: {branches: [release-.*, next]}}\n"
        "  - {name: one, script: x, triggers: ['\\branch next']}\n"
        "  - {name: two, script: x, triggers: ['\\branch next', '\\text nothing']}\n"
        "  - {name: files, script: x, triggers: ['\\branch next', '\\filepath src/']}\n");
    change_.files = {"src/a.cpp"};
    const auto stages = plan().stages;
    CPPUNIT_ASSERT_EQUAL(std::string(), stages.at(0).skip_reason);
    CPPUNIT_ASSERT_EQUAL(std::string("branch `main` is not among the stage's branches: release-.*, next"),
                         stages.at(1).skip_reason);
    CPPUNIT_ASSERT_EQUAL(std::string("its trigger does not hold for this change: \\branch next"),
                         stages.at(2).skip_reason);
    CPPUNIT_ASSERT_EQUAL(std::string("none of its 2 triggers holds for this change"), stages.at(3).skip_reason);
    CPPUNIT_ASSERT_EQUAL(std::string(), stages.at(4).skip_reason);
    for (const auto& stage : stages) CPPUNIT_ASSERT_EQUAL(!stage.skip_reason.empty(), stage.skip);
    change_.branch = "next";
    for (const auto& stage : plan().stages) CPPUNIT_ASSERT_MESSAGE(stage.name, !stage.skip);
  }

  void a_change_without_branch_is_judged_by_the_builds() {
    readPipeline(
        "image: a\nstages: [{name: a, script: x, triggers: ['\\branch main and \\text first and \\filepath any']}]\n");
    change_ = Change{};
    change_.files_complete = false;
    CPPUNIT_ASSERT(!plan().stages.at(0).skip);
  }

  void secrets_of_the_file_reach_every_stage() {
    readPipeline("image: a\nsecrets: [TOKEN]\nstages: [{name: a, script: x}, {name: b, script: x, secrets: [KEY]}]\n");
    const auto stages = plan().stages;
    CPPUNIT_ASSERT(stages.at(0).secrets == std::vector<std::string>{"TOKEN"});
    CPPUNIT_ASSERT(stages.at(1).secrets == (std::vector<std::string>{"TOKEN", "KEY"}));
  }

  void a_plan_survives_its_encoding() {
    readPipeline(
        "image: a\nenv: {A: b}\nsecrets: [TOKEN]\nstages: [{name: a, script: x, when: always}, {name: b, script: y, "
        "triggers: ['\\branch z']}]\n");
    const journal::Plan before = plan();
    const journal::Plan after = journal::decodePlan(journal::encode(before));
    CPPUNIT_ASSERT(before.env == after.env);
    CPPUNIT_ASSERT_EQUAL(before.stages.at(1).skip_reason, after.stages.at(1).skip_reason);
    CPPUNIT_ASSERT_EQUAL(before.stages.at(0).script, after.stages.at(0).script);
    CPPUNIT_ASSERT(after.stages.at(0).always);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PlanForTest);

}  // namespace
