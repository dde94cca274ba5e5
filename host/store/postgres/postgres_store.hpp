#pragma once
// The store of several machines: a PostgreSQL database, with logs as chunks in a table.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/store/postgres/access.hpp"
#include "host/store/postgres/followers.hpp"
#include "host/store/postgres/log_parts.hpp"
#include "host/store/postgres/session.hpp"
#include "host/store/sql/sql_store.hpp"

namespace ocelot::store {

class PostgresStore final : public SqlStore {
 public:
  explicit PostgresStore(const StoreSettings& settings);
  ~PostgresStore() override;

  void migrate() override;
  std::string describe() const override;
  std::uint64_t interruptions() const override { return interruptions_; }

  // What workers do, by functions that run as the owner of the tables (worker_calls.cpp).
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
  // logs.cpp
  std::string readLog(std::string_view build_id, std::int64_t offset, std::size_t max_bytes) override;
  std::unique_ptr<Watch> watch(const std::string& build_id) override { return followers_.watch(build_id); }

 protected:
  void transact(Access access, const Body& body) override;
  const Dialect& dialect() const override;
  void tellFollowers(Connection& db, std::string_view build_id) override;
  // log_parts.cpp
  void removeDeadLogs() override;
  void gatherLogs() override;

 private:
  class Lease;
  std::int64_t schemaThere();
  void connectionWasLost(std::uint64_t generation);
  void dropSuperseded();
  std::unique_ptr<PostgresSession> openSession();

  PostgresAccess access_;
  const std::size_t pool_size_;
  const std::chrono::milliseconds pool_wait_;
  std::atomic<std::uint64_t> interruptions_{0};
  std::atomic<std::int64_t> schema_{0};  // as migrate() found or left it

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PostgresSession>> idle_;
  std::size_t open_ = 0;          // idle and in use
  std::uint64_t generation_ = 0;  // sessions of an earlier one may be dead: a loss came after they were opened

  PostgresFollowers followers_{access_};
  LogPartsSeen parts_seen_;
};

}  // namespace ocelot::store
