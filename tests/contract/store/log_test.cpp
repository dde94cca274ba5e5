#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

namespace {

std::string everyByte() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return all;
}

}  // namespace

CONTRACT(aChunkIsAcceptedOnlyAtTheStoredSize) {
  const auto claimed = ground.running();
  auto& store = ground.store();
  CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, store.appendLog(claimed.claim, 0, "hello").value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("a gap", std::int64_t{5}, store.appendLog(claimed.claim, 6, "world").value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("an overlap", std::int64_t{5}, store.appendLog(claimed.claim, 3, "lo world").value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("the same again", std::int64_t{5}, store.appendLog(claimed.claim, 0, "hello").value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("before the beginning", std::int64_t{5},
                               store.appendLog(claimed.claim, -1, "x").value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("nothing", std::int64_t{5}, store.appendLog(claimed.claim, 5, "").value());
  CPPUNIT_ASSERT_EQUAL(std::int64_t{11}, store.appendLog(claimed.claim, 5, " world").value());
  CPPUNIT_ASSERT_EQUAL(std::string("hello world"), store.readLog(claimed.claim.build_id, 0, 1000));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{11}, store.findBuild(claimed.claim.build_id)->log_bytes);
}

CONTRACT(aLogIsBytes) {
  const auto claimed = ground.running();
  const std::string bytes = everyByte() + std::string("\0\0\0", 3) + everyByte();
  ground.store().appendLog(claimed.claim, 0, bytes);
  CPPUNIT_ASSERT(ground.store().readLog(claimed.claim.build_id, 0, 10'000) == bytes);
}

CONTRACT(aLogIsReadFromAnyOffsetAcrossChunks) {
  const auto claimed = ground.running();
  std::string whole;
  for (int i = 0; i < 100; ++i) {
    const std::string chunk(static_cast<std::size_t>(i % 7 + 1), static_cast<char>('a' + i % 26));
    CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, static_cast<std::int64_t>(whole.size()), chunk));
    whole += chunk;
  }
  const std::string& id = claimed.claim.build_id;
  for (std::size_t offset = 0; offset <= whole.size() + 1; ++offset) {
    const std::string expected = offset < whole.size() ? whole.substr(offset, 13) : "";
    CPPUNIT_ASSERT_EQUAL(expected, ground.store().readLog(id, static_cast<std::int64_t>(offset), 13));
  }
  CPPUNIT_ASSERT_EQUAL(whole, ground.store().readLog(id, 0, 1'000'000));
  CPPUNIT_ASSERT_EQUAL(std::string(), ground.store().readLog(id, -1, 10));
  CPPUNIT_ASSERT_EQUAL(std::string(), ground.store().readLog(id, 0, 0));
  CPPUNIT_ASSERT_EQUAL(std::string(), ground.store().readLog(model::newUuid(), 0, 10));
  CPPUNIT_ASSERT_EQUAL(std::string(), ground.store().readLog("../../etc/passwd", 0, 10));
}

CONTRACT(aBigLogIsRead) {
  const auto claimed = ground.running();
  std::string chunk;
  while (chunk.size() < 64 * 1024) chunk += everyByte();
  for (int i = 0; i < 64; ++i)
    CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, static_cast<std::int64_t>(chunk.size()) * i, chunk));
  const std::string read = ground.store().readLog(claimed.claim.build_id, 100'000, 3'000'000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{3'000'000}, read.size());
  CPPUNIT_ASSERT(read.substr(0, 65'536) == (chunk + chunk).substr(100'000 % 65'536, 65'536));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{64} * 65'536, ground.store().logBytes());
  CPPUNIT_ASSERT_THROW(ground.store().appendLog(claimed.claim, 64 * 65'536, std::string(17 * 1024 * 1024, 'x')),
                       std::invalid_argument);
}

CONTRACT(aShortLogComesWholeWithTheEnd) {
  const auto claimed = ground.running();
  auto end = Ground::ending(claimed.claim);
  end.tail = everyByte();
  end.tail_offset = 0;
  end.log_bytes = 256;
  end.log_sha256 = std::string(64, 'a');
  CPPUNIT_ASSERT(ground.store().finish(end));
  const auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{256}, build->log_bytes);
  CPPUNIT_ASSERT_EQUAL(end.log_sha256, build->log_sha256);
  CPPUNIT_ASSERT(ground.store().readLog(build->id, 0, 1000) == everyByte());
  CPPUNIT_ASSERT(ground.store().readLog(build->id, 250, 3) == everyByte().substr(250, 3));
  CPPUNIT_ASSERT(ground.store().readLog(build->id, 256, 3).empty());
}

CONTRACT(theLastChunkFollowsTheOthers) {
  for (const std::size_t size : {std::size_t{3}, std::size_t{200'000}}) {
    const auto claimed = ground.running();
    CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "begin "));
    auto end = Ground::ending(claimed.claim);
    end.tail = std::string(size, 'e');
    end.tail_offset = 6;
    end.log_bytes = 6 + static_cast<std::int64_t>(size);
    end.log_sha256 = std::string(64, 'a');
    CPPUNIT_ASSERT(ground.store().finish(end));
    CPPUNIT_ASSERT(ground.store().readLog(claimed.claim.build_id, 0, 1'000'000) == "begin " + end.tail);
  }
}

CONTRACT(aLongLogMayComeWholeWithTheEnd) {
  const auto claimed = ground.running();
  auto end = Ground::ending(claimed.claim);
  end.tail = std::string(300'000, 'e');
  CPPUNIT_ASSERT(ground.store().finish(end));
  CPPUNIT_ASSERT(ground.store().readLog(claimed.claim.build_id, 0, 1'000'000) == end.tail);
}

CONTRACT(aLogIsNotSealedWhileBytesOfItAreMissing) {
  const auto claimed = ground.running();
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "12345"));
  auto end = Ground::ending(claimed.claim);
  end.tail = "89";
  end.tail_offset = 7;
  end.log_bytes = 9;
  end.log_sha256 = std::string(64, 'a');
  CPPUNIT_ASSERT_THROW(ground.store().finish(end), store::Conflict);
  CPPUNIT_ASSERT(ground.store().findBuild(claimed.claim.build_id)->state == BuildState::running);
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 5, "67"));
  CPPUNIT_ASSERT(ground.store().finish(end));
  CPPUNIT_ASSERT_EQUAL(std::string("123456789"), ground.store().readLog(claimed.claim.build_id, 0, 100));
}

// A worker that lost its cursor cannot ship the rest: the build ends, unsealed, with what there is.
CONTRACT(anUnsealedLogKeepsWhatThereIs) {
  const auto claimed = ground.running();
  CPPUNIT_ASSERT(ground.store().appendLog(claimed.claim, 0, "12345"));
  auto end = Ground::ending(claimed.claim, BuildState::error);
  CPPUNIT_ASSERT(ground.store().finish(end));
  const auto build = ground.store().findBuild(claimed.claim.build_id);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, build->log_bytes);
  CPPUNIT_ASSERT(build->log_sha256.empty());
}

CONTRACT(anotherAttemptBeginsItsLogAnew) {
  const auto first = ground.running();
  CPPUNIT_ASSERT(ground.store().appendLog(first.claim, 0, "the first attempt's"));
  CPPUNIT_ASSERT(ground.store().release(first.claim, "drain"));
  CPPUNIT_ASSERT_EQUAL_MESSAGE("readable until somebody takes it", std::string("the first"),
                               ground.store().readLog(first.claim.build_id, 0, 9));
  const auto second = ground.store().claim("worker-2", {}, 30'000);
  CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, second->build.log_bytes);
  CPPUNIT_ASSERT(ground.store().readLog(first.claim.build_id, 0, 100).empty());
  CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, ground.store().appendLog(second->claim, 0, "second").value());
  CPPUNIT_ASSERT_EQUAL(std::string("second"), ground.store().readLog(first.claim.build_id, 0, 100));
}
