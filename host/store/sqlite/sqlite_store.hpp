#pragma once
// The store of one machine: a SQLite file, with logs in segment files beside it. Any number of processes may open it.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/store/sql/sql_store.hpp"
#include "host/store/sqlite/folder.hpp"
#include "host/store/sqlite/log_segments.hpp"

namespace ocelot::store {

class SqliteStore : public SqlStore {
 public:
  explicit SqliteStore(const StoreSettings& settings);
  ~SqliteStore() override;

  void migrate() override;
  std::string describe() const override;
  std::optional<ClaimedBuild> claim(const Claimant& claimant, const std::vector<std::string>& tags,
                                    std::int64_t lease_ms) override;
  std::vector<Renewal> renew(const std::vector<Claim>& claims, std::int64_t lease_ms) override;
  bool updateStages(const Claim& claim, const std::vector<Stage>& stages) override;
  bool finish(const Finish& finish) override;
  bool release(const Claim& claim, const std::string& why) override;
  std::vector<ClaimedBuild> heldBy(const Claimant& claimant) override;
  std::string previousPassed(const Claim& claim) override;
  void putWorker(const WorkerRow& row) override;
  void removeWorker(const WorkerRow& row) override;
  std::optional<std::int64_t> appendLog(const Claim& claim, std::int64_t offset, std::string_view bytes) override;
  std::string readLog(std::string_view build_id, std::int64_t offset, std::size_t max_bytes) override;

 protected:
  void transact(Access access, const Body& body) override;
  const Dialect& dialect() const override;
  void markLogDead(Connection& db, const std::string& build_id, std::int64_t fence) override;
  void removeDeadLogs() override;

 private:
  std::atomic<std::int64_t> schema_{0};  // as migrate() found or left it
  class ReaderLease;
  // Takes a queued build, as claim() says.
  std::optional<ClaimedBuild> take(const Claimant& claimant, const std::vector<std::string>& tags,
                                   std::int64_t lease_ms);
  // Puts the closing chunk of a log, inside finish's transaction.
  void appendTail(Connection& db, const std::string& build_id, std::int64_t fence, std::int64_t offset,
                  std::string_view tail);
  void write(bool durable, const Body& body);
  void writeAside(const Body& body);
  void read(const Body& body);

  const std::string folder_;
  const std::string file_;
  const std::size_t max_readers_;
  std::unique_ptr<FolderLock> lock_;
  LogSegments logs_;

  // One writer in this process at a time; other processes are waited for by SQLite's busy handler.
  std::mutex writer_mutex_;
  std::unique_ptr<Connection> durable_, relaxed_;  // opened when first needed
  std::mutex aside_mutex_;
  std::unique_ptr<Connection> aside_;  // likewise

  mutable std::mutex readers_mutex_;
  std::condition_variable reader_returned_;
  std::vector<std::unique_ptr<Connection>> idle_readers_;
  std::size_t readers_ = 0;
};

}  // namespace ocelot::store
