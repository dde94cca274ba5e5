// The log file: what the writer promises its readers, over limits, restarts and while it grows.

#include "host/logs/build_log.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <openssl/evp.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "host/logs/log_index.hpp"
#include "host/logs/log_source.hpp"
#include "tests/support/temp_folder.hpp"

using namespace ocelot::logs;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string sha256Hex(const std::string& bytes) {
  unsigned char raw[32];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), raw, &size, EVP_sha256(), nullptr);
  std::string out;
  char two[3];
  for (const unsigned char byte : raw) {
    std::snprintf(two, sizeof two, "%02x", byte);
    out += two;
  }
  return out;
}

// A call that is over when it is told so.
class EndableCall final : public ocelot::Call {
 public:
  Clock::time_point deadline() const override { return deadline_; }
  bool cancelled() const override { return false; }
  int cancelFd() const override { return -1; }
  void log(ocelot::LogLevel, std::string_view) override {}

 private:
  Clock::time_point deadline_ = Clock::now() + std::chrono::milliseconds(20);
};

}  // namespace

class BuildLogTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BuildLogTest);
  CPPUNIT_TEST(aLogHasItsStagesItsSizeAndItsHash);
  CPPUNIT_TEST(beyondTheLimitEachStageKeepsItsLastLines);
  CPPUNIT_TEST(aLogOfExactlyTheLimitIsWhole);
  CPPUNIT_TEST(aSuccessorWritesTheSameFile);
  CPPUNIT_TEST(aSuccessorOfALostFileSaysSo);
  CPPUNIT_TEST(aFinishedLogTakesNothing);
  CPPUNIT_TEST(aMissingFolderIsNamed);
  CPPUNIT_TEST(aFollowerSeesEveryByteAndTheEnd);
  CPPUNIT_TEST(aFollowersCallEnds);
  CPPUNIT_TEST(twoHundredFollowersShareOneWatch);
  CPPUNIT_TEST(readingALogThatIsNotThereIsNotFound);
  CPPUNIT_TEST(theTailIsFoundByLines);
  CPPUNIT_TEST(aTornIndexLineIsPassedOverAndANonsenseOneIsNot);
  CPPUNIT_TEST_SUITE_END();

  ocelot::test::TempFolder folder_;

  LogWriterSettings settings(std::int64_t limit = 64 << 20) { return {folder_.path, limit, false}; }

 public:
  void aLogHasItsStagesItsSizeAndItsHash() {
    LogWriter writer(settings());
    writer.note("fetching the source");
    writer.beginStage(0, "build");
    writer.append("cc main.c\n");
    writer.endStage();
    writer.beginStage(1, "te\nst");
    writer.append(std::string("\0ok", 3));
    const LogEnd end = writer.finish();
    const std::string text = contents(folder_.path + "/log");
    CPPUNIT_ASSERT_EQUAL(std::string("[ocelot: fetching the source]\ncc main.c\n\0ok", 43), text);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{43}, end.bytes);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(text), end.sha256);

    LogReader reader(folder_.path);
    const auto stages = reader.stages();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, stages.size());
    CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, stages[0].begin);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{40}, stages[0].end);
    CPPUNIT_ASSERT_EQUAL(std::string("te?st"), stages[1].name);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{43}, stages[1].end);
    CPPUNIT_ASSERT_EQUAL(sha256Hex(text), reader.end()->sha256);
    CPPUNIT_ASSERT_EQUAL(1, reader.findStage("te?st")->stage);
    CPPUNIT_ASSERT_EQUAL(std::string("build"), reader.findStage("0")->name);
    CPPUNIT_ASSERT(!reader.findStage("2"));
  }

  void beyondTheLimitEachStageKeepsItsLastLines() {
    LogWriter writer(settings(1024));
    writer.beginStage(0, "flood");
    std::int64_t fed = 0;
    for (int i = 0; i < 10000; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      fed += static_cast<std::int64_t>(line.size());
      writer.append(line);
    }
    writer.beginStage(1, "quiet");
    writer.append("all is well\n");
    const LogEnd end = writer.finish();
    const std::string text = contents(folder_.path + "/log");
    CPPUNIT_ASSERT(text.size() < 1024 + 17000);
    CPPUNIT_ASSERT(
        text.find("[ocelot: log limit of 1 KiB reached; from here on only the last 16 KiB of each stage are kept]\n") !=
        std::string::npos);
    CPPUNIT_ASSERT(text.find("\n[ocelot: log limit of 1 KiB reached; " + std::to_string(end.dropped) +
                             " more bytes were not kept]\nline ") != std::string::npos);
    CPPUNIT_ASSERT(text.find("line 9999\nall is well\n") != std::string::npos);
    // Everything is accounted for: what is there without the markers, and what is said to be missing.
    std::int64_t markers = 0;
    for (std::size_t at = text.find("[ocelot: "); at != std::string::npos; at = text.find("[ocelot: ", at + 1)) {
      markers += static_cast<std::int64_t>(text.find('\n', at) + 1 - at);
    }
    CPPUNIT_ASSERT_EQUAL(fed + 12, end.bytes - markers + end.dropped);
    LogReader reader(folder_.path);
    const StageSlice quiet = *reader.findStage("quiet");
    CPPUNIT_ASSERT_EQUAL(std::string("all is well\n"),
                         reader.read(quiet.begin, static_cast<std::size_t>(quiet.end - quiet.begin)));
  }

  void aLogOfExactlyTheLimitIsWhole() {
    LogWriter writer(settings(8));
    writer.append("12345678");
    CPPUNIT_ASSERT_EQUAL(std::int64_t{8}, writer.finish().bytes);
    CPPUNIT_ASSERT_EQUAL(std::string("12345678"), contents(folder_.path + "/log"));
  }

  void aSuccessorWritesTheSameFile() {
    const auto write = [](LogWriter& writer, int step) {
      if (step % 7 == 0) writer.beginStage(step / 7, "stage " + std::to_string(step / 7));
      writer.append(std::string(900, static_cast<char>('a' + step)) + "\n");
    };
    std::string whole;
    {
      LogWriter writer(settings(10000));
      for (int step = 0; step < 26; ++step) write(writer, step);
      writer.finish();
      whole = contents(folder_.path + "/log") + contents(folder_.path + "/index");
    }
    for (int cut = 0; cut <= 26; ++cut) {
      std::string saved;
      {
        LogWriter first(settings(10000));
        for (int step = 0; step < cut; ++step) write(first, step);
        saved = first.save();
        if (cut < 26) write(first, cut);  // lost with the process, though it is in the file
      }
      LogWriter second(settings(10000), saved);
      for (int step = cut; step < 26; ++step) write(second, step);
      const LogEnd end = second.finish();
      CPPUNIT_ASSERT_EQUAL(whole, contents(folder_.path + "/log") + contents(folder_.path + "/index"));
      CPPUNIT_ASSERT_EQUAL(sha256Hex(contents(folder_.path + "/log")), end.sha256);
    }
  }

  void aSuccessorOfALostFileSaysSo() {
    std::string saved;
    {
      LogWriter writer(settings());
      writer.append("twelve bytes");
      saved = writer.save();
    }
    std::filesystem::resize_file(folder_.path + "/log", 3);
    CPPUNIT_ASSERT_THROW(LogWriter(settings(), saved), std::runtime_error);
    CPPUNIT_ASSERT_THROW(LogWriter(settings(), "nonsense"), std::runtime_error);
    CPPUNIT_ASSERT_THROW(LogWriter(settings(), "1 2 3"), std::runtime_error);
  }

  void aFinishedLogTakesNothing() {
    LogWriter writer(settings());
    writer.finish();
    CPPUNIT_ASSERT_THROW(writer.append("more"), std::logic_error);
  }

  void aMissingFolderIsNamed() {
    try {
      LogWriter writer({folder_.path + "/nowhere", 1, false});
      CPPUNIT_FAIL("a log was made in a missing folder");
    } catch (const std::runtime_error& error) {
      CPPUNIT_ASSERT_EQUAL("open " + folder_.path + "/nowhere/log: No such file or directory",
                           std::string(error.what()));
    }
  }

  void aFollowerSeesEveryByteAndTheEnd() {
    LogWatch watch;
    LogWriter writer(settings());
    LogReader reader(folder_.path, &watch);
    std::thread author([&] {
      for (int i = 0; i < 2000; ++i) writer.append("line " + std::to_string(i) + "\n");
      writer.finish();
    });
    ocelot::SimpleCall call(std::chrono::seconds(60));
    std::string seen;
    while (reader.follow(call, static_cast<std::int64_t>(seen.size()))) {
      seen += reader.read(static_cast<std::int64_t>(seen.size()), 4096);
    }
    author.join();
    CPPUNIT_ASSERT_EQUAL(contents(folder_.path + "/log"), seen);
    CPPUNIT_ASSERT(reader.end().has_value());
  }

  void aFollowersCallEnds() {
    LogWatch watch;
    LogWriter writer(settings());
    LogReader reader(folder_.path, &watch);
    EndableCall call;
    CPPUNIT_ASSERT_THROW(reader.follow(call, 0), ocelot::Error);
  }

  void twoHundredFollowersShareOneWatch() {
    LogWatch watch;
    LogWriter writer(settings());
    std::vector<std::unique_ptr<LogReader>> readers;
    for (int i = 0; i < 200; ++i) readers.push_back(std::make_unique<LogReader>(folder_.path, &watch));
    writer.append("x");
    ocelot::SimpleCall call(std::chrono::seconds(60));
    for (const auto& reader : readers) CPPUNIT_ASSERT(reader->follow(call, 0));
    readers.resize(1);  // the others go; the one that stays is still told
    writer.append("y");
    CPPUNIT_ASSERT(readers[0]->follow(call, 1));
  }

  void readingALogThatIsNotThereIsNotFound() {
    try {
      LogReader reader(folder_.path + "/nowhere");
      CPPUNIT_FAIL("found");
    } catch (const ocelot::Error& error) {
      CPPUNIT_ASSERT(error.status() == ocelot::Status::not_found);
    }
  }

  void theTailIsFoundByLines() {
    std::string text;
    for (int i = 0; i < 30000; ++i) text += "line " + std::to_string(i) + "\n";
    FunctionSource source(static_cast<std::int64_t>(text.size()), [&](std::int64_t offset, std::size_t most) {
      return text.substr(static_cast<std::size_t>(offset), most);
    });
    const auto tail = [&](std::int64_t lines) {
      return text.substr(static_cast<std::size_t>(tailOffset(source, lines, 0, source.size())));
    };
    CPPUNIT_ASSERT_EQUAL(std::string("line 29999\n"), tail(1));
    CPPUNIT_ASSERT_EQUAL(std::string("line 29998\nline 29999\n"), tail(2));
    CPPUNIT_ASSERT_EQUAL(std::string(""), tail(0));
    CPPUNIT_ASSERT_EQUAL(text.substr(text.find("line 10000\n")), tail(20000));
    CPPUNIT_ASSERT_EQUAL(text, tail(30000));
    CPPUNIT_ASSERT_EQUAL(text, tail(1000000));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, tailOffset(source, 5, 7, 14));  // "line 1\n": begins where the slice does
    text.pop_back();
    FunctionSource open(static_cast<std::int64_t>(text.size()), [&](std::int64_t offset, std::size_t most) {
      return text.substr(static_cast<std::size_t>(offset), most);
    });
    CPPUNIT_ASSERT_EQUAL(std::string("line 29999"),
                         text.substr(static_cast<std::size_t>(tailOffset(open, 1, 0, open.size()))));
  }

  void aTornIndexLineIsPassedOverAndANonsenseOneIsNot() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, parseIndex("begin 0 0 a\nbegin 1").stages.size());
    for (const char* text : {"begin\n", "begin 0 x a\n", "begin 0 -1 a\n", "end 0 5\n", "begin 0 7 a\nend 0 5\n",
                             "begin 0 0 a\nend 1 5\n", "begin 0 0 a\nend 0 5\nend 0 6\n", "what 1\n", "\n",
                             "done 1 0 ff\nbegin 0 0 a\n", "begin 99999999999999999999 0 a\n"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(text, parseIndex(text), std::runtime_error);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BuildLogTest);
