#include <Poco/Data/RecordSet.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/Session.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "tests/contract/support/engine.hpp"

namespace ocelot::test {
namespace {

class SqliteEngine : public Engine {
 public:
  explicit SqliteEngine(std::string path = "") : path_(path.empty() ? folder_.path() + "/store" : std::move(path)) {}
  store::StoreSettings settings() const override {
    store::StoreSettings settings;
    settings.kind = "sqlite";
    settings.path = path_;
    settings.pool_size = 4;
    return settings;
  }
  void sql(const std::string& statement) override { session() << statement, Poco::Data::Keywords::now; }
  std::string text(const std::string& query) override {
    Poco::Data::Session open = session();
    Poco::Data::RecordSet rows(open, query);
    return rows.moveFirst() ? rows.value(0, 0).convert<std::string>() : "";
  }
  std::shared_ptr<void> holding(const std::vector<std::string>& statements) override {
    auto held = std::make_shared<Poco::Data::Session>(session());
    for (const auto& statement : statements) *held << statement, Poco::Data::Keywords::now;
    return held;
  }

 private:
  Poco::Data::Session session() {
    Poco::Data::SQLite::Connector::registerConnector();
    return Poco::Data::Session(Poco::Data::SQLite::Connector::KEY, settings().path + "/ocelot.db");
  }
  TemporaryFolder folder_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<Engine> sqliteEngine() { return std::make_unique<SqliteEngine>(); }

std::unique_ptr<Engine> sqliteEngineAt(const std::string& folder) { return std::make_unique<SqliteEngine>(folder); }

TemporaryFolder::TemporaryFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "ocelot-test-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "make " + path);
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ocelot::test
