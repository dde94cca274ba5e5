// Out of memory is told as such: with a real control group, where this machine lets us make one.

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/scenario/guest/guest_box.hpp"
#include "tests/support/skip.hpp"

namespace {

using namespace ocelot::test;
using ocelot::journal::Ending;

// A memory control group with a limit; removed at the end.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::uint64_t bytes) {
    needRoot();
    const bool version_1 = ::access("/sys/fs/cgroup/memory/memory.limit_in_bytes", W_OK) == 0 ||
                           ::access("/sys/fs/cgroup/memory/cgroup.procs", W_OK) == 0;
    folder_ = std::string(version_1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup") + "/ocelot-guest-test-" +
              std::to_string(::getpid());
    if (::mkdir(folder_.c_str(), 0755) != 0) skip("cannot make a memory control group: " + folder_);
    if (!write(version_1 ? "/memory.limit_in_bytes" : "/memory.max", std::to_string(bytes))) {
      ::rmdir(folder_.c_str());
      skip("cannot set a memory limit in " + folder_);
    }
    write(version_1 ? "/memory.swappiness" : "/memory.swap.max", "0");
  }
  ~MemoryLimit() {
    await("the control group to be empty", [this] { return ::rmdir(folder_.c_str()) == 0; });
  }
  std::string processes() const { return folder_ + "/cgroup.procs"; }

 private:
  bool write(const std::string& file, const std::string& text) const {
    std::FILE* to = std::fopen((folder_ + file).c_str(), "w");
    if (to == nullptr) return false;
    const bool written = std::fputs(text.c_str(), to) >= 0;
    return std::fclose(to) == 0 && written;
  }
  std::string folder_;
};

class GuestMemoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GuestMemoryTest);
  CPPUNIT_TEST(tellsThatAStageRanOutOfMemory);
  CPPUNIT_TEST(tellsOfAProcessThatAPassingStageLost);
  CPPUNIT_TEST_SUITE_END();

 public:
  // tail keeps a line in memory until it ends, and this one does not.
  void tellsThatAStageRanOutOfMemory() {
    const MemoryLimit limit(48u << 20);
    GuestBox box(Place::container);
    box.join_group = limit.processes();
    box.stage("head -c 300000000 /dev/zero | tail -n 1 | wc -c >/dev/null; exec tail -n 1 /dev/zero");
    CPPUNIT_ASSERT_EQUAL(1, box.run());
    CPPUNIT_ASSERT(box.finished(0).out_of_memory);
    CPPUNIT_ASSERT_EQUAL(std::string("out of memory (limit 48 MiB)"), box.finished(0).bytes);
    CPPUNIT_ASSERT(box.last().ending == Ending::failed);
  }

  void tellsOfAProcessThatAPassingStageLost() {
    const MemoryLimit limit(48u << 20);
    GuestBox box(Place::container);
    box.join_group = limit.processes();
    box.stage("tail -n 1 /dev/zero || echo lost");
    box.stage("echo fine");
    CPPUNIT_ASSERT_EQUAL(0, box.run());
    CPPUNIT_ASSERT(box.finished(0).out_of_memory);
    CPPUNIT_ASSERT(!box.finished(1).out_of_memory);
    CPPUNIT_ASSERT(box.notices().find("out of memory (limit 48 MiB)") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GuestMemoryTest);

}  // namespace
