#pragma once
// How the queue's contract is written: QUEUE_CONTRACT(aSentence) { … bench.open() … }. Each body runs on the stand-in
// of every store, and on a real nsqd.

#include <memory>
#include <string>

#include "host/queue/queue.hpp"
#include "tests/contract/support/contract.hpp"

namespace ocelot::test {

class QueueBench {
 public:
  virtual ~QueueBench() = default;
  virtual std::unique_ptr<queue::Queue> open() = 0;  // as another process would
  virtual void restart() {}                          // its server, if it has one
  virtual bool hasServer() const { return false; }
  virtual bool wakesEverybody() const { return true; }  // or one of those who wait
};

class StoreQueueBench final : public QueueBench {
 public:
  explicit StoreQueueBench(Ground& ground) : ground_(ground) {}
  std::unique_ptr<queue::Queue> open() override { return queue::openStoreQueue(ground_.engine().settings()); }
  void restart() override { ground_.engine().restart(); }
  bool hasServer() const override { return ground_.engine().hasServer(); }

 private:
  Ground& ground_;
};

struct NsqContractTest {
  NsqContractTest(const char* name, void (*body)(QueueBench&));
};

}  // namespace ocelot::test

#define QUEUE_CONTRACT(name)                                                  \
  static void name##_on(ocelot::test::QueueBench& bench);                     \
  CONTRACT(name) {                                                            \
    ocelot::test::StoreQueueBench bench(ground);                              \
    name##_on(bench);                                                         \
  }                                                                           \
  static const ocelot::test::NsqContractTest name##_on_nsq(#name, name##_on); \
  static void name##_on([[maybe_unused]] ocelot::test::QueueBench& bench)
