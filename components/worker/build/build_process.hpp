#pragma once
// One build, from its order to its result: the phases are the members below, in the order in which they run.
//
//   pull ─ checkout ─ start ─ run ─ (result) ─ remove
//
// A build that names secrets has a way to them before anything is made; each is read when its stage asks (broker.hpp).
//
// It may be killed at any point and run again on the same directory: before `start` it begins anew, after it finds its
// container again and goes on reading the journal where it stopped.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "components/worker/build/broker.hpp"
#include "components/worker/build/cancel_watch.hpp"
#include "components/worker/build/changes.hpp"
#include "components/worker/build/recorder.hpp"
#include "components/worker/build/sandbox.hpp"
#include "components/worker/build/secret_source.hpp"
#include "components/worker/build/verdict.hpp"
#include "host/builddir/directory.hpp"
#include "host/builddir/order.hpp"
#include "host/pipeline/grant.hpp"
#include "host/pipeline/pipeline.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::worker {

class BuildProcess {
 public:
  BuildProcess(builddir::Directory directory, builddir::Order order, builddir::Envelope envelope, Runtime& runtime);
  ~BuildProcess();

  // Runs the build, or takes it up again. Returns how it ended; the result and `removed` are in the events.
  model::Outcome run();

 private:
  MaskFile keepMask(bool begun);
  void readPipeline(MaskFile mask);
  void openSecrets();
  void hearBroker();
  bool runtimeAnswers();
  void takeGrant();
  Image pull();
  void awaitSignOfLife();
  void writeControl(const Image& image);
  void start(const Image& image);
  Verdict follow();
  void awaitEnd(Evidence& evidence);
  void remove();

  builddir::Directory directory_;
  builddir::Order order_;
  builddir::Envelope envelope_;
  Runtime& runtime_;
  pipeline::Pipeline pipeline_;
  pipeline::Grant grant_;
  StoppableCall call_;  // stopped when somebody cancels the build
  Sandbox sandbox_;
  std::optional<Recorder> recorder_;
  std::vector<std::set<std::string>> allowed_;  // by stage: the secrets that it may have
  std::unique_ptr<SecretSource> secrets_;       // of a build that names some
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<CancelWatch> cancel_watch_;
  std::optional<Changes> journal_changes_;  // closed with the process: the kernel takes 15 ms for it
};

}  // namespace ocelot::worker
