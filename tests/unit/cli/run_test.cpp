// `ocelot run` without a container: the working copy as a build, and a build process that a script plays.

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "components/cli/run/local_build.hpp"
#include "components/cli/run/working_copy.hpp"
#include "host/logs/log_index.hpp"
#include "tests/unit/cli/ran.hpp"

using namespace ocelot;
using namespace ocelot::cli;
using test::contains;

namespace {

constexpr const char* kPipeline = R"(image: debian:12
env:
  - A=1
stages:
  - name: build
    script: make
  - name: test
    script:
      - make check
      - 'echo "yes: \"quoted\""'
  - {name: lint, script: make lint}
)";

builddir::Event resultEvent(model::BuildState state, const std::string& sentence) {
  builddir::Event event;
  event.kind = builddir::Event::Kind::result;
  event.outcome = {state, "stage_failed", sentence};
  return event;
}

}  // namespace

class RunTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RunTest);
  CPPUNIT_TEST(chosenStagesKeepTheirLines);
  CPPUNIT_TEST(theWorkingCopyIsDescribed);
  CPPUNIT_TEST(mistakesInThePipelineAreToldWithTheirPlaces);
  CPPUNIT_TEST(theLogIsPrintedAndEverythingRemoved);
  CPPUNIT_TEST(aBuildProcessThatDiesIsAnError);
  CPPUNIT_TEST(anInterruptCancelsASecondOneKillsAndAThirdOneDoesNotWait);
  CPPUNIT_TEST(aReaderThatLeavesCancels);
  CPPUNIT_TEST(aKeptFolderStaysAndALeftOneGoes);
  CPPUNIT_TEST(secretsComeFromTheEnvironment);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    person_ = std::make_unique<test::Person>();
    std::filesystem::create_directories("programs");
    installation_.programs = person_->folder() + "/programs";
    installation_.data_dir = person_->folder() + "/data";
    installation_.run_dir = person_->folder() + "/run";
  }
  void tearDown() override { person_.reset(); }

  void chosenStagesKeepTheirLines() {
    const auto all = pipeline::read(kPipeline, "ocelot.yml").pipeline.value();
    const auto some = pipeline::read(onlyStages(kPipeline, {1, 2}), "ocelot.yml").pipeline.value();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, some.stages.size());
    for (std::size_t i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT_EQUAL(all.stages[i + 1].name, some.stages[i].name);
      CPPUNIT_ASSERT_EQUAL(all.stages[i + 1].script, some.stages[i].script);
      CPPUNIT_ASSERT_EQUAL(all.stages[i + 1].line, some.stages[i].line);
    }
    CPPUNIT_ASSERT(all.image == some.image && all.env == some.env);
  }

  void theWorkingCopyIsDescribed() {
    person_->file("ocelot.yml", kPipeline);
    const WorkingCopy copy = workingCopy({"lint"});
    CPPUNIT_ASSERT_EQUAL(person_->folder(), copy.folder);
    CPPUNIT_ASSERT_EQUAL(std::string("lint"), copy.pipeline.stages.at(0).name);
    CPPUNIT_ASSERT_EQUAL(std::filesystem::path(person_->folder()).filename().string(), copy.build.repo);
    try {
      workingCopy({"lnt"});
      CPPUNIT_FAIL("there is no such stage");
    } catch (const Failure& failure) {
      CPPUNIT_ASSERT_EQUAL(std::string("the stages are: build, test, lint"), failure.hint);
    }
  }

  void mistakesInThePipelineAreToldWithTheirPlaces() {
    CPPUNIT_ASSERT(contains(test::ocelot({"run"}).err, "`ocelot init` writes one"));
    person_->file("ocelot.yml", "image: debian:12\nstages:\n  - name: x\n    scirpt: y\n");
    const auto ran = test::ocelot({"run"});
    CPPUNIT_ASSERT_EQUAL(2, ran.status);
    CPPUNIT_ASSERT_MESSAGE(ran.err, contains(ran.err, "ocelot.yml:4:5: unknown key `scirpt`"));
  }

  void theLogIsPrintedAndEverythingRemoved() {
    play(
        "cat \"$2/../../../told.log\" > \"$2/log\"; cat \"$2/../../../told.events\" > \"$2/events\"; cat > "
        "\"$2/../../../told.envelope\"");
    const std::string log = std::string(600000, 'x') + "\nlast\n";
    person_->file("told.log", log);
    person_->file("told.events", encode(resultEvent(model::BuildState::failed, "stage failed")) + removedLine());
    std::string got;
    {
      LocalBuild build(installation_, order(), false);
      builddir::Envelope envelope;
      envelope.secrets["TOKEN"] = "s3cr3t";
      build.start(envelope);
      build.follow([&got](std::string_view bytes) {
        got += bytes;
        return true;
      });
      CPPUNIT_ASSERT(build.build().state == model::BuildState::failed);
      CPPUNIT_ASSERT_EQUAL(std::string("stage failed"), build.build().sentence);
      CPPUNIT_ASSERT(!contains(test::readText(build.directory().spec()), "s3cr3t"));
      CPPUNIT_ASSERT(contains(test::readText("told.envelope"), "s3cr3t"));
    }
    CPPUNIT_ASSERT(log == got);
    CPPUNIT_ASSERT(foldersLeft().empty());
  }

  void aBuildProcessThatDiesIsAnError() {
    play("echo '{\"event\":\"phase\",\"text\":\"start\"}' > \"$2/events\"; echo 'runtime: cannot' >&2; kill -SEGV $$");
    LocalBuild build(installation_, order(), false);
    build.start({});
    build.follow([](std::string_view) { return true; });
    CPPUNIT_ASSERT(build.build().state == model::BuildState::error);
    CPPUNIT_ASSERT_MESSAGE(build.build().sentence,
                           contains(build.build().sentence, "runtime plugin 'played' crashed in start (SIGSEGV)"));
    CPPUNIT_ASSERT_MESSAGE(build.build().sentence, contains(build.build().sentence, "runtime: cannot"));
  }

  void anInterruptCancelsASecondOneKillsAndAThirdOneDoesNotWait() {
    // Says that it runs, then waits for the cancel file, which it never minds.
    play(
        "[ \"$(cat \"$3/cancel\" 2>/dev/null)\" = kill ] && { cat \"$2/../../../told.events\" >> \"$2/events\"; exit "
        "0; }\n"
        "echo running > \"$2/log\"\nuntil grep -qx cancel \"$3/cancel\"; do sleep 0.02; done; echo canceling >> "
        "\"$2/log\"\nuntil grep -qx kill \"$3/cancel\"; do sleep 0.02; done; echo killing >> \"$2/log\"; sleep 100");
    person_->file("told.events", removedLine());
    std::string got;
    {
      LocalBuild build(installation_, order(), false);
      build.start({});
      build.follow([&got](std::string_view bytes) {
        got += bytes;
        ::raise(SIGINT);  // after "running", after "canceling" and after "killing"
        return true;
      });
      CPPUNIT_ASSERT(build.build().state == model::BuildState::canceled);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("running\ncanceling\nkilling\n"), got);
    CPPUNIT_ASSERT(foldersLeft().empty());
  }

  void aReaderThatLeavesCancels() {
    play(
        "echo running > \"$2/log\"\nwhile [ ! -e \"$3/cancel\" ]; do sleep 0.02; done\ncat \"$2/../../../told.events\" "
        "> \"$2/events\"");
    person_->file("told.events", encode(resultEvent(model::BuildState::canceled, "canceled")) + removedLine());
    LocalBuild build(installation_, order(), false);
    build.start({});
    build.follow([](std::string_view) { return false; });
    CPPUNIT_ASSERT(build.build().state == model::BuildState::canceled);
  }

  void aKeptFolderStaysAndALeftOneGoes() {
    play("cat \"$2/../../../told.events\" > \"$2/events\"; echo kept > \"$2/log\"");
    person_->file("told.events", encode(resultEvent(model::BuildState::passed, "")) + removedLine());
    std::string kept;
    {
      LocalBuild build(installation_, order(), true);
      kept = build.directory().disk();
      build.start({});
      build.follow([](std::string_view) { return true; });
    }
    const std::string left = installation_.data_dir + "/run-builds/left-by-a-killed-run";
    std::filesystem::create_directories(left);
    { LocalBuild next(installation_, order(), false); }
    CPPUNIT_ASSERT_EQUAL(std::string("kept\n"), test::readText(kept + "/log"));
    CPPUNIT_ASSERT(!std::filesystem::exists(left));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, foldersLeft().size());
  }

  void secretsComeFromTheEnvironment() {
    person_->file("ocelot.yml", "image: debian:12\nsecrets: [DEPLOY_KEY]\nstages: [{name: a, script: b}]\n");
    const auto missing = test::ocelot({"run"});
    CPPUNIT_ASSERT_EQUAL(2, missing.status);
    CPPUNIT_ASSERT_MESSAGE(missing.err, contains(missing.err, "asks for the secret DEPLOY_KEY"));
    ::unsetenv("DEPLOY_KEY");
    CPPUNIT_ASSERT(contains(test::ocelot({"run", "--secret", "DEPLOY_KEY"}).err, "the environment has no DEPLOY_KEY"));
  }

 private:
  // A build process that is a shell script: $2 and $3 are the build's two folders.
  void play(const std::string& script) {
    const std::string path = person_->file("programs/ocelot-worker", "#!/bin/sh\n" + script + "\n");
    ::chmod(path.c_str(), 0755);
  }
  static builddir::Order order() {
    builddir::Order order;
    order.build.id = model::newUuid();
    order.build.attempt = 1;
    order.runtime.name = "played";
    return order;
  }
  static std::string removedLine() {
    builddir::Event event;
    event.kind = builddir::Event::Kind::removed;
    return encode(event);
  }
  std::vector<std::string> foldersLeft() const {
    std::vector<std::string> left;
    for (const std::string& base : {installation_.data_dir, installation_.run_dir})
      for (const auto& entry : std::filesystem::directory_iterator(base + "/run-builds"))
        if (entry.is_directory()) left.push_back(entry.path());
    return left;
  }

  std::unique_ptr<test::Person> person_;
  Installation installation_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(RunTest);
