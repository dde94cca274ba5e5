// The command line of every daemon, on Poco's ServerApplication. Its loadConfiguration() is never called (it searches
// all parent folders of the program), nor does anything here become a background process.

#include "host/daemon/daemon.hpp"

#include <Poco/Exception.h>
#include <Poco/Util/Option.h>
#include <Poco/Util/OptionCallback.h>
#include <Poco/Util/OptionSet.h>
#include <Poco/Util/ServerApplication.h>
#include <signal.h>

#include <array>
#include <filesystem>
#include <iostream>

#include "host/daemon/service.hpp"
#include "host/daemon/shared_config.hpp"
#include "host/daemon/signals.hpp"
#include "host/daemon/waiting_room.hpp"

namespace ocelot::daemon {
namespace {

using Poco::Util::Option;

const char* const kUsualFile = "/etc/ocelot/server.yaml";

// Poco's application installs handlers for these that jump or abort; what was there (nothing, or a sanitizer) is
// better.
class FaultHandlers {
 public:
  FaultHandlers() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], nullptr, &saved_[i]);
  }
  void restore() const {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &saved_[i], nullptr);
  }

 private:
  static constexpr std::array<int, 4> kSignals{SIGILL, SIGBUS, SIGSEGV, SIGSYS};
  std::array<struct sigaction, 4> saved_{};
};

class Program : public Poco::Util::ServerApplication {
 public:
  explicit Program(std::unique_ptr<Daemon> daemon)
      : daemon_(std::move(daemon)), name_("ocelot-" + daemon_->section()) {}

 protected:
  void defineOptions(Poco::Util::OptionSet& options) override {
    // Not the base's: those are for background processes.
    const auto add = [&](const char* name, const char* argument, auto handler) {
      Option option(name, "", "", false);
      if (*argument) option.argument(argument);
      option.repeatable(true).callback(Poco::Util::OptionCallback<Program>(this, handler));
      options.addOption(option);
    };
    add("config", "FILE", &Program::onConfig);
    add("set", "KEY=VALUE", &Program::onSet);
    add("check-config", "", &Program::onCheck);
    add("version", "", &Program::onVersion);
    add("help", "", &Program::onHelp);
  }

  int main(const std::vector<std::string>& rest) override {
    if (help_) return help();
    if (version_) {
      std::cout << name_ << " " << OCELOT_VERSION << std::endl;
      return 0;
    }
    if (!rest.empty()) {
      std::cerr << name_ << ": \"" << rest.front() << "\" is not understood; try --help" << std::endl;
      return EXIT_CONFIG;
    }
    config::Config config;
    try {
      config = readToStart();
    } catch (const config::Invalid& invalid) {
      return tell(invalid);
    } catch (const consul::Refused& refused) {
      return tell(refused);
    } catch (const consul::Unavailable&) {
      try {
        auto awaited = awaitShared();
        if (!awaited) return EXIT_OK;
        config = std::move(*awaited);
      } catch (const config::Invalid& invalid) {
        return tell(invalid);
      } catch (const consul::Refused& refused) {
        return tell(refused);
      }
    }
    if (check_) {
      std::cout << name_ << ": the configuration is right" << (file_.empty() ? " (defaults)" : " (" + file_ + ")")
                << std::endl;
      return 0;
    }
    const bool json = config.text("log.format") == "json";
    setUpLog(name_, json ? LogFormat::json : LogFormat::text, logLevelFrom(config.text("log.level")));
    if (const std::string why = shared_ ? shared_->whyNot() : ""; !why.empty()) log(LogLevel::warning, why);
    Service service(
        *daemon_, std::move(config), [this] { return read(); }, shared_.get());
    return service.run();
  }

 private:
  void onConfig(const std::string&, const std::string& value) {
    file_ = value;
    file_given_ = true;
  }
  void onSet(const std::string&, const std::string& value) { sets_.push_back(value); }
  void onCheck(const std::string&, const std::string&) { check_ = true; }
  void onVersion(const std::string&, const std::string&) { version_ = true; }
  void onHelp(const std::string&, const std::string&) {
    help_ = true;
    stopOptionsProcessing();
  }

  // With a shared document that is wrong, the one that was right last is taken: what one daemon goes on with, another
  // may start with.
  config::Config readToStart() {
    try {
      return read();
    } catch (const config::Invalid& invalid) {
      if (!shared_ || check_) throw;
      use_kept_ = true;
      config::Config config;
      try {
        config = read();
      } catch (const config::Invalid&) {
        throw invalid;
      }
      use_kept_ = false;
      shared_->refused(invalid.what());
      return config;
    }
  }

  // Until Consul answers; nullopt: asked to end before that. Throws config::Invalid.
  std::optional<config::Config> awaitShared() {
    const bool json = local_ && local_->text("log.format") == "json";
    setUpLog(name_, json ? LogFormat::json : LogFormat::text,
             local_ ? logLevelFrom(local_->text("log.level")) : LogLevel::info);
    return awaitConfiguration(local_, daemon_->section(), [this] {
      try {
        return readToStart();
      } catch (const consul::Refused&) {
        throw;
      } catch (const consul::Unavailable& away) {
        throw Away("configuration", away.what());
      }
    });
  }

  config::Layer sharedLayer(const config::Config& local, std::vector<config::Problem>& problems) {
    if (!local.flag("consul.config")) return {};
    local_ = local;
    if (!shared_)
      shared_ = std::make_unique<SharedConfig>(
          consul::settingsFrom(local), local.text("data_dir") + "/shared-config-" + daemon_->section() + ".yaml");
    return check_ || use_kept_ ? shared_->readKept(problems) : shared_->read(problems);
  }

  config::Config read() {
    std::error_code error;
    if (!file_given_) file_ = std::filesystem::exists(kUsualFile, error) ? kUsualFile : "";
    config::Config config = config::load(
        file_, config::processEnvironment(), sets_,
        [this](const config::Config& local, std::vector<config::Problem>& found) { return sharedLayer(local, found); });
    std::vector<config::Problem> problems;
    daemon_->check(config, problems);
    if (!problems.empty()) throw config::Invalid(std::move(problems));
    if (shared_ && !check_ && !use_kept_) shared_->good();
    return config;
  }

  int tell(const config::Invalid& invalid) const {
    for (const auto& problem : invalid.problems()) {
      std::cerr << name_ << ": " << (problem.where.empty() ? "" : problem.where + ": ") << problem.what << '\n';
    }
    const auto count = invalid.problems().size();
    std::cerr << name_ << ": not started: " << count << (count == 1 ? " mistake" : " mistakes")
              << " in the configuration" << std::endl;
    return EXIT_CONFIG;
  }

  int tell(const consul::Refused& refused) const {
    std::cerr << name_ << ": not started: " << refused.what() << std::endl;
    return EXIT_UNAVAILABLE;
  }

  int help() const {
    std::cout
        << name_ << ": " << daemon_->description() << "\n\n"
        << "  --config FILE     read this instead of " << kUsualFile << "\n"
        << "  --set KEY=VALUE   one key, over file and environment; as often as needed\n"
        << "  --check-config    look for mistakes and end\n"
        << "  --version\n"
        << "  --help\n\n"
        << "`ocelot config defaults` prints every key. SIGTERM drains and ends, a second one hurries, SIGHUP reads "
           "the\n"
        << "configuration again. Exit status: 0 ended as asked, 1 a fault, 78 a mistake in configuration or options, "
           "or a\n"
           "program too old for its store.\n";
    return 0;
  }

  const std::unique_ptr<Daemon> daemon_;
  const std::string name_;
  std::unique_ptr<SharedConfig> shared_;
  std::optional<config::Config> local_;  // what this machine knows by itself, where there is more
  bool use_kept_ = false;
  std::string file_;
  std::vector<std::string> sets_;
  bool file_given_ = false, check_ = false, version_ = false, help_ = false;
};

}  // namespace

int run(int argc, char** argv, const std::function<std::unique_ptr<Daemon>()>& make) {
  blockSignals();
  std::string name = argc > 0 ? argv[0] : "ocelot";
  try {
    const FaultHandlers handlers;
    Program program(make());
    handlers.restore();
    try {
      program.init(argc, argv);
    } catch (const Poco::Exception& error) {
      std::cerr << name << ": " << error.displayText() << "; try --help" << std::endl;
      return Poco::Util::Application::EXIT_CONFIG;
    }
    return program.Poco::Util::Application::run();
  } catch (const Poco::Exception& error) {
    std::cerr << name << ": " << error.displayText() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << std::endl;
  }
  return 1;
}

}  // namespace ocelot::daemon
