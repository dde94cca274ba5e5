#pragma once
// Many instances of every daemon, on hosts of their own, beside real engines.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/process/child.hpp"
#include "tests/live/cluster/engine.hpp"
#include "tests/live/cluster/hosts.hpp"
#include "tests/support/api.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

// What holds queue, register of workers and secrets: the engines for them, or PostgreSQL alone.
enum class Form { engines, postgres_alone };

// Short, so that a fault outlasts it soon; every bound of the design is told in it.
constexpr std::chrono::seconds kLease{10};

class Cluster : public Api {
 public:
  // Daemon and its host: {"admin-1", "one"}. The kind stands before the dash.
  Cluster(Form form, const std::vector<std::pair<std::string, std::string>>& daemons);
  ~Cluster() override;

  Form form() const { return form_; }
  const std::string& folder() const { return folder_.path; }

  // ── daemons ──
  std::vector<std::string> daemons(const std::string& kind = "") const;
  void start(const std::string& daemon);  // returns when it answers
  void launch(const std::string& daemon);
  void awaitAnswer(const std::string& daemon);
  void signal(const std::string& daemon, int number);
  int kill(const std::string& daemon, int signal = 9);  // its wait status, once it has ended
  int awaitEndOf(const std::string& daemon, std::chrono::seconds limit);
  Host& hostOf(const std::string& daemon) { return *host_of_.at(daemon); }
  std::string url(const std::string& daemon) const override;  // "admin": one of them
  std::string log(const std::string& daemon) const override;
  bool saysReady(const std::string& daemon);
  // Its /readyz names this as down.
  bool saysDown(const std::string& daemon, const std::string& what);
  // Every daemon says that it can work.
  void awaitWell(std::chrono::seconds limit = std::chrono::seconds(30));
  std::string workerId(const std::string& worker) const;
  std::vector<pid_t> buildProcesses(const std::string& worker) const;
  std::vector<pid_t> guestsOf(const std::string& worker) const;  // process 1 of each of its containers
  // Sends one request, as any client does. Throws Error where no answer came.
  HttpAnswer to(const std::string& url, const std::string& method, const std::string& path,
                const std::string& body = "", const std::vector<std::pair<std::string, std::string>>& headers = {});

  // ── engines; those of Form::engines only there ──
  Engine& postgres() { return *engines_.at("postgres"); }
  Engine& nsq() { return *engines_.at("nsq"); }
  Engine& consul() { return *engines_.at("consul"); }
  Engine& vault() { return *engines_.at("vault"); }
  HttpAnswer toVault(const std::string& method, const std::string& path, const std::string& body = "");
  HttpAnswer toConsul(const std::string& method, const std::string& path, const std::string& body = "");
  HttpAnswer toNsqd(int which, const std::string& method, const std::string& path, const std::string& body = "");
  // As the owner of the tables; one row a line, fields separated by "|".
  std::string sql(const std::string& statement);  // test_ends: what became of builds, a row each time
  std::string dump();                             // pg_dump

  // Logs, configuration, the rest of builds and a dump of the store, into the folder that OCELOT_TEST_KEEP names.
  void keepEvidence();

  // What is there and should not be once no build runs.
  std::vector<std::string> leftovers(const std::set<std::string>& build_ids) const;

 private:
  std::string kindOf(const std::string& daemon) const { return daemon.substr(0, daemon.find('-')); }
  std::string place(const std::string& daemon) const { return folder_.path + "/" + daemon; }
  void setUpConsul();
  void setUpVault();
  void setUpRoles();
  void watchEnds();
  void makeToken();
  void writeSettings(const std::string& daemon);

  const Form form_;
  TempFolder folder_;
  Network network_;
  std::map<std::string, Host*> hosts_;
  std::map<std::string, std::unique_ptr<Engine>> engines_;
  std::vector<std::string> order_;
  std::map<std::string, Host*> host_of_;
  std::map<std::string, process::Child> running_;
  std::map<std::string, std::string> approle_;  // role ids by kind of daemon
  bool roles_ = false;                          // each daemon logs in to PostgreSQL under its own
  mutable std::atomic<unsigned> turn_{0};
};

}  // namespace ocelot::test
