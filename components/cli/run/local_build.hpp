#pragma once
// One build on this machine without a server: its directory, its process, and what becomes of both.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "components/cli/up/installation.hpp"
#include "host/builddir/directory.hpp"
#include "host/builddir/events.hpp"
#include "host/builddir/order.hpp"
#include "host/logs/log_source.hpp"
#include "host/process/child.hpp"

namespace ocelot::cli {

class LocalBuild {
 public:
  // Makes the directory, after removing what killed runs have left. `keep`: it stays.
  LocalBuild(const Installation& installation, builddir::Order order, bool keep);
  ~LocalBuild();
  LocalBuild(const LocalBuild&) = delete;
  LocalBuild& operator=(const LocalBuild&) = delete;

  void start(const builddir::Envelope& envelope);
  // Until the build has ended; `log` gets its bytes as they come and says whether somebody still reads them.
  // SIGINT, SIGTERM and SIGHUP cancel; the second one kills, the third also the process that does.
  void follow(const std::function<bool(std::string_view)>& log);

  // The build with its stages, as far as it has come.
  const model::Build& build() const { return order_.build; }
  const builddir::Directory& directory() const { return directory_; }
  // The last lines of a stage, as the log has them.
  std::string lastLines(int stage, int lines) const;

 private:
  void take(const builddir::Event& event);
  bool printLog(const std::function<bool(std::string_view)>& log);  // true: there is more
  void beat();
  void interrupted();
  void ended(int status);

  const std::string worker_;
  builddir::Order order_;
  const builddir::Directory directory_;
  const bool keep_;
  std::optional<builddir::Lock> owned_;
  std::optional<process::Child> process_;
  builddir::EventReader events_;
  std::optional<logs::LogReader> log_;
  std::int64_t printed_ = 0;
  int interrupts_ = 0;
  std::string phase_;
  bool concluded_ = false, removed_ = false;
};

}  // namespace ocelot::cli
