#pragma once
// Tells people how builds ended: takes the store's notices and gives them to the notifiers that the repo's ocelot.yml
// and the operator's configuration name. A notice stays in the store until it is told or given up, so none is lost;
// one may be told twice after a crash, and carries the build's id so that a receiver can tell.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "host/config/config.hpp"
#include "host/engines/engines.hpp"
#include "ocelot/notifier.hpp"

namespace ocelot::report {

class Reporter {
 public:
  // `config` and `engines` outlive it. `url`: where people look at builds, "" when unknown.
  Reporter(engines::Engines& engines, const config::Config& config, std::string url);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

 private:
  struct Instance;
  void run();
  void turn();
  bool tell(const store::Store::NoticeItem& item);
  Notifier& notifier(Instance& instance);

  engines::Engines& engines_;
  const config::Config& config_;
  const std::string url_;
  std::map<std::string, std::unique_ptr<Instance>> instances_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ocelot::report
