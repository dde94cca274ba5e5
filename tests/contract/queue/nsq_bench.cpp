#include <cppunit/TestCase.h>
#include <cppunit/TestSuite.h>
#include <cppunit/extensions/TestFactory.h>
#include <cppunit/extensions/TestFactoryRegistry.h>

#include <vector>

#include "tests/contract/queue/bench.hpp"
#include "tests/support/nsqd.hpp"

namespace ocelot::test {
namespace {

class NsqBench final : public QueueBench {
 public:
  std::unique_ptr<queue::Queue> open() override {
    queue::NsqSettings settings;
    settings.nsqd.push_back(queue::parseNsqAddress(nsqd_.address(), 0));
    return queue::openNsqQueue(settings);
  }
  void restart() override {
    nsqd_.kill();
    nsqd_.wipe();
    nsqd_.start();
  }
  bool hasServer() const override { return true; }
  bool wakesEverybody() const override { return false; }

 private:
  Nsqd nsqd_;
};

struct Entry {
  const char* name;
  void (*body)(QueueBench&);
};

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

class OnNsq : public CppUnit::TestCase {
 public:
  explicit OnNsq(const Entry& entry) : TestCase(std::string("nsq ") + entry.name), body_(entry.body) {}
  void runTest() override {
    NsqBench bench;
    body_(bench);
  }

 private:
  void (*body_)(QueueBench&);
};

class Factory : public CppUnit::TestFactory {
 public:
  CppUnit::Test* makeTest() override {
    auto* suite = new CppUnit::TestSuite("contract on nsq");
    for (const Entry& entry : entries()) suite->addTest(new OnNsq(entry));
    return suite;
  }
};

}  // namespace

NsqContractTest::NsqContractTest(const char* name, void (*body)(QueueBench&)) {
  if (entries().empty()) {
    static Factory factory;
    CppUnit::TestFactoryRegistry::getRegistry().registerFactory(&factory);
  }
  entries().push_back({name, body});
}

}  // namespace ocelot::test
