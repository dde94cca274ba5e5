#pragma once
// Tells people how builds ended: takes the store's notices and gives them to the notifiers that the repo's ocelot.yml
// and the operator's configuration name. A notice stays in the store until it is told or given up, so none is lost; who
// was told is kept with it, so that trying again for one notifier does not tell the others twice. After a crash one may
// be told twice all the same, and carries the build's id so that a receiver can tell.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "host/config/config.hpp"
#include "host/daemon/metrics.hpp"
#include "host/engines/engines.hpp"
#include "host/pipeline/pipeline.hpp"
#include "ocelot/notifier.hpp"

namespace ocelot::report {

struct ReporterSettings {
  std::string url;  // where people look at builds, "" when unknown
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds first_pause{30000};  // before a second try; then twice as long each time
  int tries = 20;                                // with these pauses about two days
};

class Reporter {
 public:
  // `config`, `engines` and `metrics` outlive it.
  Reporter(engines::Engines& engines, const config::Config& config, ReporterSettings settings,
           daemon::Metrics& metrics);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

 private:
  struct Instance;
  void run();
  void turn();
  bool stopping();
  bool tell(const store::Store::NoticeItem& item);
  bool tellOne(const pipeline::Notification& wanted, const BuildNotice& notice);
  Notifier& notifier(Instance& instance);

  engines::Engines& engines_;
  const config::Config& config_;
  const ReporterSettings settings_;
  daemon::Metrics& metrics_;
  std::map<std::string, std::unique_ptr<Instance>> instances_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocelot::report
