// What is learnt while a build runs is masked from there on, and a successor makes the same log of the same journal.

#include "components/worker/build/recorder.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>

#include "host/logs/log_index.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {
namespace {

using journal::Frame;
using journal::FrameKind;
using worker::MaskFile;
using worker::Recorder;

const std::string kFirst = "first-secret-0451", kSecond = "second-secret-1984";

std::string readWhole(const std::string& path) { return builddir::readIfPresent(path).value_or(""); }

// A journal, and what the build process put between its frames.
struct Story {
  struct Put {
    std::size_t before = 0;  // which frame
    std::string secret, text;
  };
  std::vector<Frame> frames;
  std::vector<Put> puts;

  void add(FrameKind kind, const std::string& bytes = "", std::uint8_t stream = 0) {
    Frame frame;
    frame.kind = kind;
    frame.bytes = bytes;
    frame.stream = stream;
    frame.number = 1;
    frame.version = journal::kJournalVersion;
    frames.push_back(frame);
  }
  std::uint64_t offset(std::size_t frame) const {
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < frame; ++i) at += journal::encode(frames[i]).size();
    return at;
  }
};

// Output that is cut anywhere, of both streams; the values are in it before they are learnt, and in the middle.
Story storyOf(unsigned seed) {
  std::mt19937 random(seed);
  Story story;
  story.add(FrameKind::hello, "build-1");
  story.add(FrameKind::stage_started);
  std::string text;
  for (int i = 0; i < 12; ++i) text += std::to_string(i) + " " + kFirst + " and " + kSecond + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = 1 + random() % 60;
    story.add(FrameKind::output, text.substr(at, size), random() % 4 == 0 ? 2 : 1);
    at += size;
  }
  const std::size_t all = story.frames.size();
  story.puts = {{2 + random() % (all - 2), "FIRST", kFirst},
                {2 + random() % (all - 2), "", "waiting for secret SECOND: it is sealed"},
                {2 + random() % (all - 2), "SECOND", kSecond}};
  std::sort(story.puts.begin(), story.puts.end(), [](const auto& a, const auto& b) { return a.before < b.before; });
  story.add(FrameKind::stage_finished);
  story.add(FrameKind::finished);
  return story;
}

class Scene {
 public:
  explicit Scene(const Story& story) : story_(story), directory_(folder_.path + "/disk", folder_.path + "/run") {
    directory_.create();
    open(MaskFile::begin(directory_.mask(), {}));
  }
  // Frames from where it is up to `end`, and what is put between them.
  void play(std::size_t end) {
    for (; next_ < end; ++next_) {
      put(next_);
      recorder_->apply(story_.frames[next_], story_.offset(next_ + 1));
    }
  }
  // What is put before this frame, and was not yet.
  void put(std::size_t before) {
    for (const auto& one : story_.puts) {
      if (one.before != before || !recorder_->caughtUp() || done_.count(&one) != 0) continue;
      if (one.secret.empty()) {
        recorder_->remark(one.text);
      } else {
        recorder_->learn(one.secret, one.text);
      }
      done_.insert(&one);
    }
  }
  void save() { recorder_->save(story_.offset(next_)); }
  // Killed, and another one in its place.
  void kill() {
    recorder_.reset();
    open(MaskFile::readIfPresent(directory_.mask()).value());
    for (next_ = 0; story_.offset(next_) != recorder_->journalOffset();) ++next_;
  }
  std::string end() {
    play(story_.frames.size());
    recorder_->conclude({model::BuildState::passed, "", ""}, false);
    return log();
  }
  std::string log() const { return readWhole(directory_.log()); }
  std::string index() const { return readWhole(directory_.index()); }
  const Recorder& recorder() const { return *recorder_; }

 private:
  void open(MaskFile mask) {
    Recorder::Settings settings;
    settings.build_id = "build-1";
    settings.stages.resize(1);
    settings.stages[0].name = "one";
    recorder_.emplace(directory_, std::move(settings), std::move(mask));
  }
  const Story& story_;
  const TempFolder folder_;
  const builddir::Directory directory_;
  std::optional<Recorder> recorder_;
  std::size_t next_ = 0;
  std::set<const Story::Put*> done_;
};

class RecorderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RecorderTest);
  CPPUNIT_TEST(aSecretIsMaskedFromWhereItIsLearnt);
  CPPUNIT_TEST(theIndexSaysWhereEachWasFirstServed);
  CPPUNIT_TEST(aSuccessorMakesTheSameLog);
  CPPUNIT_TEST(nothingIsPutBeforeWhatAPredecessorPut);
  CPPUNIT_TEST(theMaskFileKeepsEveryByte);
  CPPUNIT_TEST(aMaskOfTheVersionBeforeIsRead);
  CPPUNIT_TEST(aDamagedMaskIsSaidToBeOne);
  CPPUNIT_TEST_SUITE_END();

  static Story simple() {
    Story story;
    story.add(FrameKind::hello, "build-1");
    story.add(FrameKind::stage_started);
    story.add(FrameKind::output, "forged " + kFirst + ", then " + kFirst.substr(0, 5), 1);
    story.add(FrameKind::output, kFirst.substr(5) + " and " + kFirst.substr(0, 5), 1);
    story.add(FrameKind::output, kFirst.substr(5) + ".\n", 1);
    story.puts = {{3, "FIRST", kFirst}};
    story.add(FrameKind::stage_finished);
    story.add(FrameKind::finished);
    return story;
  }

 public:
  void aSecretIsMaskedFromWhereItIsLearnt() {
    const Story story = simple();
    Scene scene(story);
    // What was let go before is gone; from there on it is masked, also split over frames.
    CPPUNIT_ASSERT_EQUAL("forged " + kFirst + ", then " + kFirst + " and [MASKED].\n", scene.end());
  }

  void theIndexSaysWhereEachWasFirstServed() {
    const Story story = simple();
    Scene scene(story);
    const std::string log = scene.end();
    const auto index = logs::parseIndex(scene.index());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, index.served.size());
    CPPUNIT_ASSERT_EQUAL(std::string("FIRST"), index.served[0].name);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(story.offset(3)), index.served[0].journal_offset);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(log.find(kFirst.substr(5) + " and")), index.served[0].offset);
    CPPUNIT_ASSERT(scene.index().find(kFirst) == std::string::npos);
  }

  // Whenever the cursor was last written, whenever the process was killed, and twice.
  void aSuccessorMakesTheSameLog() {
    for (unsigned seed = 0; seed < 3; ++seed) {
      const Story story = storyOf(seed);
      std::string log, index;
      {
        Scene scene(story);
        log = scene.end();
        index = scene.index();
      }
      CPPUNIT_ASSERT(log.find("[ocelot: waiting for secret SECOND: it is sealed]") != std::string::npos);
      const std::size_t last = story.frames.size() - 1;
      for (std::size_t saved = 0; saved < last; saved += 3)
        for (std::size_t killed = saved; killed < last; killed += 7)
          for (const bool put_before_save : {false, true}) {
            Scene scene(story);
            scene.play(saved);
            if (put_before_save) scene.put(saved);
            scene.save();
            scene.play(killed);
            scene.put(killed);
            const std::string before = scene.log();
            scene.kill();
            scene.play((saved + killed) / 2 + 1);  // perhaps before all was caught up
            scene.kill();
            const std::string where = "seed " + std::to_string(seed) + ", saved at " + std::to_string(saved) +
                                      ", killed at " + std::to_string(killed);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(where, log, scene.end());
            CPPUNIT_ASSERT_EQUAL_MESSAGE(where, before, log.substr(0, before.size()));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(where, index, scene.index());
          }
    }
  }

  void nothingIsPutBeforeWhatAPredecessorPut() {
    const Story story = simple();
    Scene scene(story);
    scene.play(2);
    scene.save();
    scene.play(4);
    scene.kill();
    CPPUNIT_ASSERT(!scene.recorder().caughtUp());
    CPPUNIT_ASSERT_MESSAGE("it can be served again all the same", scene.recorder().served().at("FIRST") == kFirst);
    scene.play(3);
    CPPUNIT_ASSERT(scene.recorder().caughtUp());
  }

  void theMaskFileKeepsEveryByte() {
    const TempFolder folder;
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    MaskFile mask = MaskFile::begin(folder.path + "/mask", {all, "x"});
    mask.add({17, "KEY", all});
    mask.add({17, "EMPTY", ""});
    mask.add({18, "", "a sentence"});
    const auto read = MaskFile::readIfPresent(folder.path + "/mask");
    CPPUNIT_ASSERT(read && read->given() == mask.given() && read->served() == mask.served());
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, read->interjections().size());
    CPPUNIT_ASSERT(read->interjections()[2].at == 18 && read->interjections()[2].text == "a sentence");
    CPPUNIT_ASSERT(!MaskFile::readIfPresent(folder.path + "/none"));
  }

  void aMaskOfTheVersionBeforeIsRead() {
    const TempFolder folder;
    builddir::replaceFile(folder.path + "/mask", R"({"secrets":{"FIRST":"first-secret-0451"},"clone":{}})");
    const auto read = MaskFile::readIfPresent(folder.path + "/mask");
    CPPUNIT_ASSERT(read && read->interjections().size() == 1 && read->interjections()[0].at == 0);
    CPPUNIT_ASSERT(read->served().at("FIRST") == kFirst);
  }

  void aDamagedMaskIsSaidToBeOne() {
    const TempFolder folder;
    for (const char* bad :
         {"", "ocelot-mask 3\n", "ocelot-mask 2\ngiven\n", "ocelot-mask 2\nserved 1 NAME\n",
          "ocelot-mask 2\nserved x NAME eA==\n", "ocelot-mask 2\nsaid 1 !\n", "ocelot-mask 2\nnew 1\n"}) {
      builddir::replaceFile(folder.path + "/mask", bad);
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, MaskFile::readIfPresent(folder.path + "/mask"), std::runtime_error);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RecorderTest);

}  // namespace
}  // namespace ocelot::test
