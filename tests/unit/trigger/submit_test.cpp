// From a Change to a build, with a real store (SQLite in a folder of the test) and a queue that remembers.

#include <cppunit/extensions/HelperMacros.h>

#include <map>
#include <stdexcept>

#include "host/trigger/change_json.hpp"
#include "host/trigger/trigger.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

using namespace ocelot;
using model::BuildState;
using model::Trigger;
using trigger::Decision;
using trigger::Request;
using trigger::Verdict;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
const std::string kPipeline =
    "image: debian:12\nbranches: [main, 'release-.*']\nstages: [{name: test, script: make}, {name: pack, script: make "
    "pack}]\n";

class RecordingQueue : public queue::Queue {
 public:
  void publish(const std::string& topic, int) override {
    if (away) throw std::runtime_error("queue: connection refused");
    published.push_back(topic);
  }
  bool wait(const std::vector<std::string>&, std::chrono::milliseconds) override { return false; }
  void wakeUp() override {}
  std::vector<std::string> published;
  bool away = false;
};

// A repository of a few files, or one that is away.
class FakeVcs : public Vcs {
 public:
  ocelot::Repo identify(Call&, std::string_view) override { return {}; }
  std::vector<Head> heads(Call&, const ocelot::Repo&) override { return {}; }
  std::string resolve(Call&, const ocelot::Repo&, std::string_view) override { return kCommit; }
  Change changes(Call&, const Commit&, std::string_view) override { return {}; }
  CloneAccess clone(Call&, const ocelot::Repo&) override { return {}; }
  std::string readFile(Call&, const Commit&, std::string_view path, std::uint64_t max_bytes) override {
    if (fault) throw Error(*fault, "git: show " + std::string(path) + ": it went wrong");
    const auto found = files.find(std::string(path));
    if (found == files.end()) throw Error(Status::not_found, "no such file");
    CPPUNIT_ASSERT(found->second.size() <= max_bytes);
    return found->second;
  }
  std::map<std::string, std::string> files;
  std::optional<Status> fault;
};

class SubmitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SubmitTest);
  CPPUNIT_TEST(a_push_is_queued_and_somebody_woken);
  CPPUNIT_TEST(the_build_holds_what_the_change_said);
  CPPUNIT_TEST(the_machine_tag_routes);
  CPPUNIT_TEST(a_branch_that_is_not_listed_is_skipped);
  CPPUNIT_TEST(force_rerun_and_schedule_heed_no_branches);
  CPPUNIT_TEST(skip_words_stop_what_nobody_asked_for);
  CPPUNIT_TEST(skip_words_of_other_commits_do_not_count);
  CPPUNIT_TEST(a_bad_file_is_a_rejected_build_with_its_lines);
  CPPUNIT_TEST(a_file_that_no_store_could_hold_is_rejected_too);
  CPPUNIT_TEST(no_file_is_a_rejected_build);
  CPPUNIT_TEST(two_files_are_a_rejected_build);
  CPPUNIT_TEST(ocelot_yaml_is_read_too);
  CPPUNIT_TEST(the_same_push_is_one_build);
  CPPUNIT_TEST(a_poll_and_a_hook_see_one_push);
  CPPUNIT_TEST(a_rejected_push_is_told_once);
  CPPUNIT_TEST(by_hand_there_are_no_duplicates);
  CPPUNIT_TEST(other_branches_repos_and_kinds_are_no_duplicates);
  CPPUNIT_TEST(a_queue_that_is_away_does_not_lose_the_build);
  CPPUNIT_TEST(the_outbox_is_told_once_per_topic);
  CPPUNIT_TEST(changes_that_cannot_be_are_refused);
  CPPUNIT_TEST(hostile_names_come_through_unchanged);
  CPPUNIT_TEST(files_are_read_by_both_names);
  CPPUNIT_TEST(a_repository_that_is_away_is_no_missing_file);
  CPPUNIT_TEST(a_file_that_cannot_be_read_is_a_fault_of_the_repo);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<test::TempFolder> folder_;
  std::unique_ptr<store::Store> store_;
  RecordingQueue queue_;
  Request request_;

  Decision submit() { return trigger::submit(*store_, queue_, request_); }
  model::Build buildOf(const Decision& decision) {
    const auto build = store_->findBuild(decision.build_id);
    CPPUNIT_ASSERT(build.has_value());
    return *build;
  }
  std::size_t builds() { return store_->builds({}).size(); }
  static void is(Verdict expected, const Decision& actual) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(actual.sentence, std::string(trigger::toString(expected)),
                                 std::string(trigger::toString(actual.verdict)));
  }

 public:
  void setUp() override {
    folder_ = std::make_unique<test::TempFolder>();
    store::StoreSettings settings;
    settings.path = folder_->path;
    store_ = store::open(settings);
    store_->migrate();
    queue_ = RecordingQueue();
    request_ = Request();
    request_.repo.id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    request_.repo.name = "team/app";
    request_.change.branch = "main";
    request_.change.commit = kCommit;
    request_.change.author = "Ada";
    request_.change.message = "fix";
    request_.change.files = {"a.c"};
    request_.file.yml = kPipeline;
    request_.trigger = Trigger::push;
    request_.requested_by = "hook";
  }
  void tearDown() override {
    store_.reset();
    folder_.reset();
  }

  void a_push_is_queued_and_somebody_woken() {
    const Decision decision = submit();
    is(Verdict::queued, decision);
    CPPUNIT_ASSERT_EQUAL(std::string("build " + std::to_string(decision.number) + " is queued"), decision.sentence);
    CPPUNIT_ASSERT_EQUAL(std::string(), decision.unwoken);
    CPPUNIT_ASSERT(buildOf(decision).state == BuildState::queued);
    CPPUNIT_ASSERT(queue_.published == std::vector<std::string>{"build"});
    CPPUNIT_ASSERT(store_->outbox(10).empty());
  }

  void the_build_holds_what_the_change_said() {
    request_.priority = 3;
    request_.change.message = "first\n" + std::string(5000, 'x');
    const model::Build build = buildOf(submit());
    CPPUNIT_ASSERT_EQUAL(std::string("team/app"), build.repo);
    CPPUNIT_ASSERT_EQUAL(std::string("main"), build.branch);
    CPPUNIT_ASSERT_EQUAL(kCommit, build.commit);
    CPPUNIT_ASSERT_EQUAL(std::string("Ada"), build.author);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4096}, build.message.size());
    CPPUNIT_ASSERT(build.trigger == Trigger::push);
    CPPUNIT_ASSERT_EQUAL(std::string("hook"), build.requested_by);
    CPPUNIT_ASSERT_EQUAL(3, build.priority);
    CPPUNIT_ASSERT_EQUAL(kPipeline, build.pipeline);
    const Change change = trigger::changeFromJson(build.change_json);
    CPPUNIT_ASSERT_EQUAL(request_.change.message, change.message);
    CPPUNIT_ASSERT(change.files == request_.change.files);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, build.stages.size());
    CPPUNIT_ASSERT_EQUAL(std::string("pack"), build.stages[1].name);
    CPPUNIT_ASSERT(build.stages[1].state == model::StageState::pending);
    CPPUNIT_ASSERT_EQUAL(3, build.stages[1].line);
  }

  void the_machine_tag_routes() {
    request_.file.yml = "machineTag: gpu\n" + kPipeline;
    CPPUNIT_ASSERT_EQUAL(std::string("gpu"), buildOf(submit()).machine_tag);
    CPPUNIT_ASSERT(queue_.published == std::vector<std::string>{"build_gpu"});
  }

  void a_branch_that_is_not_listed_is_skipped() {
    for (const Trigger kind : {Trigger::push, Trigger::poll, Trigger::pull_request, Trigger::manual}) {
      request_.trigger = kind;
      request_.change.branch = "mainly";
      const Decision decision = submit();
      is(Verdict::skipped, decision);
      CPPUNIT_ASSERT_EQUAL(std::string("branch"), decision.reason);
      CPPUNIT_ASSERT_EQUAL(std::string("branch `mainly` is not among the branches of ocelot.yml: main, release-.*"),
                           decision.sentence);
      CPPUNIT_ASSERT_EQUAL(std::string(), decision.build_id);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, builds());
    CPPUNIT_ASSERT(queue_.published.empty());
  }

  void force_rerun_and_schedule_heed_no_branches() {
    request_.change.branch = "other";
    for (const Trigger kind : {Trigger::rerun, Trigger::schedule}) {
      request_.trigger = kind;
      is(Verdict::queued, submit());
    }
    request_.trigger = Trigger::manual;
    request_.force = true;
    is(Verdict::queued, submit());
  }

  void skip_words_stop_what_nobody_asked_for() {
    for (const char* message : {"docs [skip ci]", "[ci skip]\n\nbody", "late\n\n[Skip CI]"}) {
      request_.change.message = message;
      for (const Trigger kind : {Trigger::push, Trigger::poll, Trigger::pull_request, Trigger::tag}) {
        request_.trigger = kind;
        const Decision decision = submit();
        is(Verdict::skipped, decision);
        CPPUNIT_ASSERT_EQUAL(std::string("skip_word"), decision.reason);
      }
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, builds());
    for (const Trigger kind : {Trigger::manual, Trigger::rerun, Trigger::schedule}) {
      request_.trigger = kind;
      is(Verdict::queued, submit());
    }
    request_.trigger = Trigger::push;
    request_.force = true;
    is(Verdict::queued, submit());
    request_.force = false;
    request_.change.message = "skip ci, ci skip";
    request_.change.commit.back() = '0';
    is(Verdict::queued, submit());
  }

  void skip_words_of_other_commits_do_not_count() {
    request_.change.messages = {"docs [skip ci]", "fix"};
    is(Verdict::queued, submit());
  }

  void a_bad_file_is_a_rejected_build_with_its_lines() {
    request_.file.yml = "image: debian:12\nstages:\n  - name: a\n    scirpt: x\n";
    const Decision decision = submit();
    is(Verdict::rejected, decision);
    CPPUNIT_ASSERT_EQUAL(std::string("bad_pipeline"), decision.reason);
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            "ocelot.yml:3:5: a stage has no `script`\nocelot.yml:4:5: unknown key `scirpt`; did you mean `script`?"),
        decision.sentence);
    const model::Build build = buildOf(decision);
    CPPUNIT_ASSERT(build.state == BuildState::rejected);
    CPPUNIT_ASSERT_EQUAL(decision.sentence, build.sentence);
    CPPUNIT_ASSERT_EQUAL(decision.reason, build.reason);
    CPPUNIT_ASSERT_EQUAL(*request_.file.yml, build.pipeline);
    CPPUNIT_ASSERT(queue_.published.empty() && store_->outbox(10).empty());

    request_.trigger = Trigger::manual;
    std::string many = "image: a\nstages:\n";
    for (int i = 0; i < 30; ++i) many += "  - {name: s" + std::to_string(i) + "}\n";
    request_.file.yml = many;
    const std::string sentence = submit().sentence;
    CPPUNIT_ASSERT_MESSAGE(sentence,
                           sentence.size() < 4096 && sentence.find("\nand 20 more problems") != std::string::npos);
  }

  void a_file_that_no_store_could_hold_is_rejected_too() {
    request_.trigger = Trigger::manual;
    for (const std::string& bytes :
         {std::string("\xFF\xFEi\0m\0", 6), std::string("a\0b", 3), std::string(5 << 20, 'x'), std::string()}) {
      request_.file.yml = bytes;
      const Decision decision = submit();
      is(Verdict::rejected, decision);
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, decision.sentence.find("ocelot.yml:"));
      CPPUNIT_ASSERT(buildOf(decision).pipeline.size() <= 256 << 10);
    }
  }

  void no_file_is_a_rejected_build() {
    request_.file = {};
    const Decision decision = submit();
    is(Verdict::rejected, decision);
    CPPUNIT_ASSERT_EQUAL(std::string("no_pipeline"), decision.reason);
    CPPUNIT_ASSERT_EQUAL(std::string("no ocelot.yml at commit 0123456789ab: add one, `ocelot init` writes a first one"),
                         decision.sentence);
  }

  void two_files_are_a_rejected_build() {
    request_.file.yaml = kPipeline;
    const Decision decision = submit();
    is(Verdict::rejected, decision);
    CPPUNIT_ASSERT_EQUAL(std::string("ocelot.yml and ocelot.yaml are both at commit 0123456789ab: keep one of them"),
                         decision.sentence);
  }

  void ocelot_yaml_is_read_too() {
    request_.file.yaml.swap(request_.file.yml);
    is(Verdict::queued, submit());
    request_.trigger = Trigger::manual;
    request_.file.yaml = "image: a\n";
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            "ocelot.yaml:1:1: the file has no `stages`; for example `stages: [{name: test, script: make test}]`"),
        submit().sentence);
  }

  void the_same_push_is_one_build() {
    const Decision first = submit();
    const Decision again = submit();
    is(Verdict::duplicate, again);
    CPPUNIT_ASSERT_EQUAL(first.build_id, again.build_id);
    CPPUNIT_ASSERT_EQUAL(first.number, again.number);
    CPPUNIT_ASSERT_EQUAL("commit 0123456789ab of branch `main` is build " + std::to_string(first.number) + " already",
                         again.sentence);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, builds());
  }

  void a_poll_and_a_hook_see_one_push() {
    submit();
    request_.trigger = Trigger::poll;
    is(Verdict::duplicate, submit());
  }

  void a_rejected_push_is_told_once() {
    request_.file = {};
    is(Verdict::rejected, submit());
    is(Verdict::duplicate, submit());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, builds());
  }

  void by_hand_there_are_no_duplicates() {
    submit();
    for (const Trigger kind :
         {Trigger::manual, Trigger::manual, Trigger::rerun, Trigger::schedule, Trigger::schedule}) {
      request_.trigger = kind;
      is(Verdict::queued, submit());
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{6}, builds());
  }

  void other_branches_repos_and_kinds_are_no_duplicates() {
    is(Verdict::queued, submit());
    request_.change.branch = "release-1";
    is(Verdict::queued, submit());
    request_.repo.id = "other";
    is(Verdict::queued, submit());
    request_.trigger = Trigger::pull_request;
    is(Verdict::queued, submit());
    is(Verdict::duplicate, submit());
    request_.change.commit = std::string(64, 'e');
    is(Verdict::queued, submit());
  }

  void a_queue_that_is_away_does_not_lose_the_build() {
    queue_.away = true;
    const Decision decision = submit();
    is(Verdict::queued, decision);
    CPPUNIT_ASSERT_EQUAL(std::string("queue: connection refused"), decision.unwoken);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_->outbox(10).size());
    CPPUNIT_ASSERT_THROW(trigger::publishOutbox(*store_, queue_), std::runtime_error);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_->outbox(10).size());
    queue_.away = false;
    CPPUNIT_ASSERT_EQUAL(1, trigger::publishOutbox(*store_, queue_));
    CPPUNIT_ASSERT(store_->outbox(10).empty());
    CPPUNIT_ASSERT_EQUAL(0, trigger::publishOutbox(*store_, queue_));
  }

  void the_outbox_is_told_once_per_topic() {
    queue_.away = true;
    request_.trigger = Trigger::manual;
    for (int i = 0; i < 3; ++i) submit();
    request_.file.yml = "machineTag: gpu\n" + kPipeline;
    submit();
    queue_.away = false;
    CPPUNIT_ASSERT_EQUAL(4, trigger::publishOutbox(*store_, queue_));
    CPPUNIT_ASSERT(queue_.published == (std::vector<std::string>{"build", "build_gpu"}));
  }

  void changes_that_cannot_be_are_refused() {
    for (const std::string& commit :
         {std::string(), std::string("HEAD"), std::string(39, 'a'), std::string(41, 'a'), std::string(40, 'A'),
          std::string(40, 'g'), "--upload-pack=" + std::string(26, 'a')}) {
      request_.change.commit = commit;
      CPPUNIT_ASSERT_THROW_MESSAGE(commit, submit(), std::invalid_argument);
    }
    request_.change.commit = kCommit;
    for (const std::string& branch : {std::string("a\nb"), std::string("a\0b", 3), std::string("\x1b[31m"),
                                      std::string("\xFF"), std::string(801, 'x')}) {
      request_.change.branch = branch;
      CPPUNIT_ASSERT_THROW(submit(), std::invalid_argument);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, builds());
    request_.force = true;
    request_.change.branch = std::string(800, 'x');
    is(Verdict::queued, submit());
  }

  void hostile_names_come_through_unchanged() {
    request_.file.yml = "image: a\nstages: [{name: a, script: b}]\n";
    for (const std::string& hostile :
         {std::string("$(touch${IFS}PWN)"), std::string("`id`"), std::string("a;b"), std::string("a&&b"),
          std::string("\"x"), std::string("'x'; DROP TABLE builds; --"), std::string("\xE2\x82\xAC"),
          std::string(255, 'x'), std::string("a|b:c")}) {
      request_.change.branch = request_.change.author = hostile;
      const model::Build build = buildOf(submit());
      CPPUNIT_ASSERT_EQUAL(hostile, build.branch);
      CPPUNIT_ASSERT_EQUAL(hostile, build.author);
      CPPUNIT_ASSERT_EQUAL(hostile, trigger::changeFromJson(build.change_json).branch);
    }
  }

  void files_are_read_by_both_names() {
    FakeVcs vcs;
    SimpleCall call;
    auto file = trigger::readPipelineFile(vcs, call, {{}, kCommit});
    CPPUNIT_ASSERT(!file.yml && !file.yaml && file.fault.empty());
    vcs.files = {{"ocelot.yml", "a"}};
    file = trigger::readPipelineFile(vcs, call, {{}, kCommit});
    CPPUNIT_ASSERT(file.yml == "a" && !file.yaml);
    vcs.files = {{"ocelot.yml", "a"}, {"ocelot.yaml", "b"}};
    file = trigger::readPipelineFile(vcs, call, {{}, kCommit});
    CPPUNIT_ASSERT(file.yml == "a" && file.yaml == "b");
  }

  void a_repository_that_is_away_is_no_missing_file() {
    FakeVcs vcs;
    SimpleCall call;
    for (const Status status : {Status::unavailable, Status::unauthenticated, Status::cancelled, Status::internal}) {
      vcs.fault = status;
      CPPUNIT_ASSERT_THROW(trigger::readPipelineFile(vcs, call, {{}, kCommit}), Error);
    }
  }

  void a_file_that_cannot_be_read_is_a_fault_of_the_repo() {
    FakeVcs vcs;
    SimpleCall call;
    vcs.fault = Status::invalid;
    request_.file = trigger::readPipelineFile(vcs, call, {{}, kCommit});
    const Decision decision = submit();
    is(Verdict::rejected, decision);
    CPPUNIT_ASSERT_EQUAL(std::string("reading ocelot.yml at commit 0123456789ab: git: show ocelot.yml: it went wrong: "
                                     "it has to be a regular file of at most 256 KiB"),
                         decision.sentence);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SubmitTest);

}  // namespace
