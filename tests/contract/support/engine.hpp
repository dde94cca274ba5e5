#pragma once
// The engines that a contract is run on. Each test gets an empty database of its own.

#include <memory>
#include <string>
#include <vector>

#include "host/store/store.hpp"

namespace ocelot::test {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual store::StoreSettings settings() const = 0;
  // Runs SQL behind the store's back, to make what the store itself would never make.
  virtual void sql(const std::string& statement) = 0;
  // Several statements at once, with all of PostgreSQL's words; only where there is a server.
  virtual void script(const std::string& /*statements*/) {}
  virtual std::string text(const std::string& query) = 0;  // the one value of a query
  // A session in which this SQL was run, open until the result goes: to hold a lock.
  virtual std::shared_ptr<void> holding(const std::vector<std::string>& statements) = 0;
  // Restarts the server, as an operator would, in the middle of whatever is going on. Does nothing where there is none.
  virtual void restart() {}
  virtual bool hasServer() const { return false; }
};

std::unique_ptr<Engine> sqliteEngine();
std::unique_ptr<Engine> sqliteEngineAt(const std::string& folder);  // a store that is there already
// Skips the test, saying why, where PostgreSQL is not installed.
std::unique_ptr<Engine> postgresEngine();

// A PostgreSQL server of its own on 127.0.0.1 that takes nobody in without TLS and a password. Its certificate is for
// `localhost`, and made by nobody else.
class TlsServer {
 public:
  virtual ~TlsServer() = default;
  virtual std::string address() const = 0;      // "hostaddr=… port=… user=… dbname=…", without host
  virtual std::string password() const = 0;     // of that user
  virtual std::string certificate() const = 0;  // a file
  virtual std::string unrelated() const = 0;    // another such certificate
};
// Skips the test where PostgreSQL or openssl are not installed.
std::unique_ptr<TlsServer> tlsPostgres();

// A folder that goes with its object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ocelot::test
