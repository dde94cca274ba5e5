// The journal's frames and their order: what a guest writes is read as it was, anything else is refused and never
// crashes.

#include "host/journal/frame.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <random>
#include <vector>

#include "host/journal/order.hpp"

namespace {

using namespace ocelot::journal;

std::vector<Frame> sample() {
  std::vector<Frame> frames(6);
  frames[0].kind = FrameKind::hello;
  frames[0].version = kJournalVersion;
  frames[0].number = 3;
  frames[0].bytes = "build";
  frames[1].kind = FrameKind::stage_started;
  frames[2].kind = FrameKind::output;
  frames[2].stream = 2;
  frames[2].bytes = std::string("a\0\xff\n", 4);
  frames[3].kind = FrameKind::notice;
  frames[3].bytes = "a sentence";
  frames[4].kind = FrameKind::stage_finished;
  frames[4].ending = Ending::failed;
  frames[4].exit_code = -1;
  frames[4].cpu_us = 1234567890123;
  frames[4].max_rss_bytes = 1 << 30;
  frames[4].out_of_memory = true;
  frames[4].bytes = "out of memory";
  frames[5].kind = FrameKind::finished;
  frames[5].ending = Ending::failed;
  frames[5].bytes = "why";
  for (std::size_t i = 0; i < frames.size(); ++i) frames[i].time_us = 1700000000000000 + i;
  return frames;
}

bool same(const Frame& a, const Frame& b) {
  return a.kind == b.kind && a.time_us == b.time_us && a.stage == b.stage && a.stream == b.stream &&
         a.bytes == b.bytes && a.number == b.number && a.version == b.version && a.ending == b.ending &&
         a.exit_code == b.exit_code && a.cpu_us == b.cpu_us && a.max_rss_bytes == b.max_rss_bytes &&
         a.out_of_memory == b.out_of_memory;
}

std::string encodedSample() {
  std::string bytes;
  for (const auto& frame : sample()) bytes += encode(frame);
  return bytes;
}

// Takes what can be taken; true when nothing was refused.
bool readable(std::string_view bytes) {
  try {
    while (takeFrame(bytes)) {
    }
    return true;
  } catch (const Tampered&) {
    return false;
  }
}

bool acceptable(const std::vector<Frame>& frames, std::uint32_t stages = 1) {
  Order order("build", 3, stages);
  try {
    for (const auto& frame : frames) order.accept(frame);
    return true;
  } catch (const Tampered&) {
    return false;
  }
}

class FrameTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FrameTest);
  CPPUNIT_TEST(readsWhatWasWritten);
  CPPUNIT_TEST(laysOutputHeadersAsEncodeDoes);
  CPPUNIT_TEST(waitsForTheRestOfATornFrame);
  CPPUNIT_TEST(refusesBadSizesAtOnce);
  CPPUNIT_TEST(refusesBadValues);
  CPPUNIT_TEST(survivesEveryFlippedBit);
  CPPUNIT_TEST(survivesNoise);
  CPPUNIT_TEST(cutsLongSentences);
  CPPUNIT_TEST(acceptsTheOrderOfAGuest);
  CPPUNIT_TEST(refusesEveryOtherOrder);
  CPPUNIT_TEST(namesBothVersionsOfAJournalThatItCannotRead);
  CPPUNIT_TEST(acceptsABrokenEndAnywhere);
  CPPUNIT_TEST_SUITE_END();

 public:
  void readsWhatWasWritten() {
    const std::string bytes = encodedSample();
    std::string_view left = bytes;
    for (const auto& frame : sample()) {
      const auto taken = takeFrame(left);
      CPPUNIT_ASSERT(taken && same(*taken, frame));
    }
    CPPUNIT_ASSERT(left.empty() && !takeFrame(left));
  }

  void laysOutputHeadersAsEncodeDoes() {
    const Frame frame = sample()[2];
    std::string bytes(kOutputHeaderBytes, '\0');
    putOutputHeader(bytes.data(), frame.time_us, frame.stage, frame.stream, frame.bytes.size());
    CPPUNIT_ASSERT(bytes + frame.bytes == encode(frame));
  }

  void waitsForTheRestOfATornFrame() {
    for (const auto& frame : sample()) {
      const std::string whole = encode(frame);
      for (std::size_t size = 0; size < whole.size(); ++size) {
        std::string_view torn(whole.data(), size);
        CPPUNIT_ASSERT(!takeFrame(torn));
        CPPUNIT_ASSERT_EQUAL(size, torn.size());
      }
    }
  }

  void refusesBadSizesAtOnce() {
    for (const std::uint32_t size : {0u, 1u, 8u, (1u << 20) + 1, 0xffffffffu, 0x80000000u}) {
      std::string bytes;
      for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(size >> shift & 0xff);
      CPPUNIT_ASSERT(!readable(bytes));
    }
    std::string started = encode(sample()[1]);
    started[0] = static_cast<char>(started[0] + 1);  // one byte more than its kind has, which are not even there
    CPPUNIT_ASSERT(!readable(std::string_view(started).substr(0, 5)));
    started[0] = static_cast<char>(started[0] - 2);
    CPPUNIT_ASSERT(!readable(started));
  }

  void refusesBadValues() {
    const auto refuses = [](const Frame& frame, std::size_t at, char value) {
      std::string bytes = encode(frame);
      bytes[at] = value;
      return !readable(bytes);
    };
    const auto frames = sample();
    CPPUNIT_ASSERT(refuses(frames[0], 4, 0));
    CPPUNIT_ASSERT(refuses(frames[0], 4, 7));
    CPPUNIT_ASSERT(refuses(frames[2], 17, 0));
    CPPUNIT_ASSERT(refuses(frames[2], 17, 3));
    CPPUNIT_ASSERT(refuses(frames[4], 17, 7));
    CPPUNIT_ASSERT(refuses(frames[4], 29, -1));  // sign of cpu_us
    CPPUNIT_ASSERT(refuses(frames[4], 38, 2));
    CPPUNIT_ASSERT(refuses(frames[5], 13, 7));
    Frame empty = frames[2];
    empty.bytes.clear();
    CPPUNIT_ASSERT(!readable(encode(empty)));
    Frame large = frames[2];
    large.bytes.assign(kMaxOutputBytes + 1, 'x');
    CPPUNIT_ASSERT_THROW(encode(large), std::length_error);
  }

  void survivesEveryFlippedBit() {
    const std::string whole = encodedSample();
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      readable(flipped);
    }
  }

  void survivesNoise() {
    std::mt19937 random(4711);
    for (int round = 0; round < 20000; ++round) {
      std::string noise(random() % 200, '\0');
      for (auto& byte : noise) byte = static_cast<char>(random());
      if (noise.size() > 5 && round % 2 == 0)
        noise.replace(0, 5, {static_cast<char>(noise.size() - 4), 0, 0, 0, static_cast<char>(1 + round / 2 % 6)});
      readable(noise);
    }
  }

  void cutsLongSentences() {
    Frame frame = sample()[3];
    frame.bytes.assign(100000, 'x');
    const std::string bytes = encode(frame);
    std::string_view left = bytes;
    CPPUNIT_ASSERT_EQUAL(kMaxSentenceBytes, takeFrame(left)->bytes.size());
  }

  void acceptsTheOrderOfAGuest() {
    CPPUNIT_ASSERT(acceptable(sample()));
    auto skipped = sample();
    skipped[4].ending = Ending::skipped;
    skipped[5].ending = Ending::passed;
    skipped.erase(skipped.begin() + 1, skipped.begin() + 3);
    CPPUNIT_ASSERT(acceptable(skipped));
  }

  void refusesEveryOtherOrder() {
    const auto good = sample();
    for (std::size_t i = 0; i + 1 < good.size(); ++i) {
      if (good[i].kind == FrameKind::notice || good[i].kind == FrameKind::output) continue;
      auto missing = good;
      missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
      CPPUNIT_ASSERT(!acceptable(missing));
      auto twice = good;
      twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), good[i]);
      CPPUNIT_ASSERT(!acceptable(twice));
    }
    const auto changed = [&](std::size_t at, const std::function<void(Frame&)>& change) {
      auto frames = good;
      change(frames[at]);
      return frames;
    };
    CPPUNIT_ASSERT(!acceptable(changed(0, [](Frame& f) { f.bytes = "another"; })));
    CPPUNIT_ASSERT(!acceptable(changed(0, [](Frame& f) { f.number = 2; })));
    CPPUNIT_ASSERT(!acceptable(changed(0, [](Frame& f) { f.version = 2; })));
    CPPUNIT_ASSERT(!acceptable(changed(2, [](Frame& f) { f.stage = 1; })));
    CPPUNIT_ASSERT(!acceptable(changed(2, [](Frame& f) { f.stage = 0xffffffff; })));
    CPPUNIT_ASSERT(!acceptable(changed(4, [](Frame& f) { f.ending = Ending::skipped; })));
    CPPUNIT_ASSERT(!acceptable(changed(5, [](Frame& f) { f.ending = Ending::passed; })));
    CPPUNIT_ASSERT(!acceptable(changed(5, [](Frame& f) { f.ending = Ending::skipped; })));
    CPPUNIT_ASSERT(!acceptable(good, 2));
    CPPUNIT_ASSERT(!acceptable(good, 0));
    auto after = good;
    after.push_back(good[3]);
    CPPUNIT_ASSERT(!acceptable(after));
  }

  void namesBothVersionsOfAJournalThatItCannotRead() {
    auto frames = sample();
    frames[0].version = kJournalVersion + 1;
    Order order("build", 3, 1);
    try {
      order.accept(frames[0]);
      CPPUNIT_FAIL("another version was taken");
    } catch (const Tampered& error) {
      CPPUNIT_ASSERT_EQUAL(std::string("journal: version 2; this worker reads version 1"), std::string(error.what()));
    }
  }

  void acceptsABrokenEndAnywhere() {
    for (std::size_t size = 0; size < sample().size(); ++size) {
      auto frames = sample();
      frames.resize(size);
      frames.push_back(sample()[5]);
      frames.back().ending = Ending::broken;
      CPPUNIT_ASSERT(acceptable(frames));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FrameTest);

}  // namespace
