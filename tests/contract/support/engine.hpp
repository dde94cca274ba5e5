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
