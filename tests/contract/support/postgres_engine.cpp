// A PostgreSQL server for the length of the test program: in a temporary folder, as an ordinary user, reachable by a
// unix socket in that folder only.

#include <Poco/Data/PostgreSQL/Connector.h>
#include <Poco/Data/RecordSet.h>
#include <Poco/Data/Session.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

#include "tests/contract/support/contract.hpp"
#include "tests/support/nsqd.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;

// The newest installed version's folder of programs.
std::optional<std::string> binaries() {
  std::optional<std::string> newest;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const std::string bin = entry.path().string() + "/bin";
    if (fs::exists(bin + "/initdb") && fs::exists(bin + "/postgres") && (!newest || bin > *newest)) newest = bin;
  }
  return newest;
}

class Server {
 public:
  // `port`: 0 for none but the socket; else TLS is spoken there, by the certificate that `prepare` puts in place.
  explicit Server(int port = 0, const std::function<void(Server&)>& prepare = {}) : bin_(*binaries()), port_(port) {
    // The server refuses to run as root.
    if (::geteuid() == 0) {
      const passwd* user = ::getpwnam("postgres");
      if (user == nullptr) user = ::getpwnam("nobody");
      if (user == nullptr) throw std::runtime_error("start PostgreSQL: there is neither a user postgres nor nobody");
      uid_ = user->pw_uid;
      gid_ = user->pw_gid;
      if (::chown(folder_.path().c_str(), uid_, gid_) != 0) throw std::runtime_error("give away " + folder_.path());
    }
    run({bin_ + "/initdb", "-D", data(), "-U", "ocelot", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"});
    if (prepare) prepare(*this);
    start();
  }
  ~Server() { stop(SIGQUIT); }

  std::string dsn(const std::string& database) const {
    return "host=" + folder_.path() + " port=" + std::to_string(port_ ? port_ : 5432) +
           " user=ocelot dbname=" + database;
  }
  std::string data() const { return folder_.path() + "/data"; }
  // Runs a program as the server's user.
  void run(const std::vector<std::string>& arguments) const {
    int status = 0;
    ::waitpid(spawn(arguments), &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      throw std::runtime_error(arguments[0] + " failed; its output is in " + folder_.path() + "/out");
  }
  void restart() {
    stop(SIGINT);
    start();
  }
  Poco::Data::Session session(const std::string& database) const {
    Poco::Data::PostgreSQL::Connector::registerConnector();
    return Poco::Data::Session(Poco::Data::PostgreSQL::Connector::KEY, dsn(database));
  }

 private:
  void start() {
    std::vector<std::string> arguments{bin_ + "/postgres",
                                       "-D",
                                       data(),
                                       "-k",
                                       folder_.path(),
                                       "-c",
                                       "client_min_messages=warning",
                                       "-c",
                                       "fsync=off",
                                       "-c",
                                       "max_connections=60",
                                       "-c",
                                       "shared_buffers=16MB",
                                       "-c",
                                       std::string("listen_addresses=") + (port_ ? "127.0.0.1" : "")};
    if (port_)
      arguments.insert(arguments.end(), {"-c", "port=" + std::to_string(port_), "-c", "ssl=on", "-c",
                                         "ssl_cert_file=server.crt", "-c", "ssl_key_file=server.key"});
    pid_ = spawn(arguments);
    waitUntil("PostgreSQL answers", [&] {
      try {
        session("postgres");
        return true;
      } catch (const Poco::Exception&) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_)
          throw std::runtime_error("PostgreSQL ended; see " + folder_.path() + "/out");
        return false;
      }
    });
  }
  void stop(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  pid_t spawn(const std::vector<std::string>& arguments) const {
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const std::string out = folder_.path() + "/out";
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child > 0) return child;
    const int log = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    ::dup2(log, 1);
    ::dup2(log, 2);
    if (uid_ != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(gid_) != 0 || ::setuid(uid_) != 0)) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // no server outlives a test that crashed
    if (::chdir(folder_.path().c_str()) != 0) ::_exit(126);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }

  std::string bin_;
  int port_;
  TemporaryFolder folder_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  pid_t pid_ = 0;
};

Server& server() {
  if (!binaries()) skip("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb)");
  static Server one;
  return one;
}

class PostgresEngine : public Engine {
 public:
  PostgresEngine() : server_(server()) {
    static std::atomic<int> count{0};
    database_ = "test_" + std::to_string(++count);
    server_.session("postgres") << "CREATE DATABASE " + database_, Poco::Data::Keywords::now;
  }
  ~PostgresEngine() override {
    try {
      server_.session("postgres") << "DROP DATABASE " + database_ + " WITH (FORCE)", Poco::Data::Keywords::now;
    } catch (const Poco::Exception&) {
      // The whole server goes with the program.
    }
  }
  store::StoreSettings settings() const override {
    store::StoreSettings settings;
    settings.kind = "postgres";
    settings.dsn = server_.dsn(database_);
    settings.pool_size = 8;
    return settings;
  }
  void sql(const std::string& statement) override {
    server_.session(database_) << statement, Poco::Data::Keywords::now;
  }
  void script(const std::string& statements) override {
    PGconn* connection = PQconnectdb(server_.dsn(database_).c_str());
    PGresult* result = PQexec(connection, statements.c_str());
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
    const std::string why = PQerrorMessage(connection);
    PQclear(result);
    PQfinish(connection);
    if (!done) throw std::runtime_error("run a script: " + why);
  }
  std::string text(const std::string& query) override {
    Poco::Data::Session open = server_.session(database_);
    Poco::Data::RecordSet rows(open, query);
    return rows.moveFirst() ? rows.value(0, 0).convert<std::string>() : "";
  }
  std::shared_ptr<void> holding(const std::vector<std::string>& statements) override {
    auto held = std::make_shared<Poco::Data::Session>(server_.session(database_));
    for (const auto& statement : statements) *held << statement, Poco::Data::Keywords::now;
    return held;
  }
  void restart() override { server_.restart(); }
  bool hasServer() const override { return true; }

 private:
  Server& server_;
  std::string database_;
};

void makeCertificate(const Server& server, const std::string& name) {
  const std::string path = server.data() + "/" + name;
  server.run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
              "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", path + ".key",
              "-out", path + ".crt"});
}

class TlsPostgres final : public TlsServer {
 public:
  TlsPostgres()
      : port_(freePortOfLoopback()), server_(port_, [](Server& server) {
          makeCertificate(server, "server");
          makeCertificate(server, "unrelated");
          std::ofstream(server.data() + "/pg_hba.conf") << "local all all trust\n"
                                                           "hostssl all all 127.0.0.1/32 scram-sha-256\n";
        }) {
    server_.session("postgres") << "ALTER USER ocelot PASSWORD '" + password() + "'", Poco::Data::Keywords::now;
  }
  std::string address() const override {
    return "hostaddr=127.0.0.1 port=" + std::to_string(port_) + " user=ocelot dbname=postgres";
  }
  std::string password() const override { return "a pass:word"; }
  std::string certificate() const override { return server_.data() + "/server.crt"; }
  std::string unrelated() const override { return server_.data() + "/unrelated.crt"; }

 private:
  int port_;
  Server server_;
};

}  // namespace

std::unique_ptr<TlsServer> tlsPostgres() {
  if (!binaries()) skip("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb)");
  if (!fs::exists("/usr/bin/openssl")) skip("openssl is not installed");
  return std::make_unique<TlsPostgres>();
}

std::unique_ptr<Engine> postgresEngine() { return std::make_unique<PostgresEngine>(); }

}  // namespace ocelot::test
