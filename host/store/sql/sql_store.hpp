#pragma once
// What both adapters do alike: every member of Store that is plain SQL. An adapter brings sessions, transactions, what
// workers do, and the place where logs are kept.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "host/store/sql/connection.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {

// The few words in which the two engines' SQL differs.
struct Dialect {
  const char* list_begin;  // around a jsonList parameter: "x " + inList("$1") is "x is one of the list"
  const char* list_end;
  const char* for_update;   // locks the selected rows
  const char* skip_locked;  // the same, passing over rows that somebody else has locked
  std::string inList(const std::string& placeholder) const { return list_begin + placeholder + list_end; }
};

// How a transaction is to be run. `_one`: a single statement, which an engine may run without BEGIN and COMMIT.
// `aside`: a single statement that may as well not happen: nobody waits for a lock on its behalf.
enum class Access { read, aside, write_one, write, durable_one, durable };

class SqlStore : public Store {
 public:
  Micros now() override;
  void ping() override;

  Repo addRepo(const Repo& repo) override;
  std::optional<Repo> findRepo(std::string_view name) override;
  std::optional<Repo> findRepoById(std::string_view id) override;
  std::vector<Repo> repos() override;
  void updateRepoPoll(std::string_view id, const std::string& heads_json) override;
  void setRepoTrouble(std::string_view id, const std::string& trouble) override;
  void setRepoPolling(std::string_view id, std::int64_t seconds, const std::string& branches) override;
  bool removeRepo(std::string_view name) override;

  Accepted accept(const Build& build, const std::string& dedupe_key) override;
  std::vector<OutboxItem> outbox(int limit) override;
  void published(const std::vector<std::int64_t>& ids) override;

  bool holds(const Claim& claim) override;

  std::vector<ExpiredLease> expiredLeases() override;
  bool endLease(const ExpiredLease& lease, int max_attempts) override;
  std::vector<std::string> staleTopics(std::int64_t age_ms) override;
  std::vector<ActiveCount> activeCounts() override;
  bool tryLead(const std::string& role, const std::string& holder, std::int64_t hold_ms) override;

  std::optional<Build> findBuild(std::string_view id_or_number) override;
  std::vector<Build> builds(const BuildFilter& filter) override;
  std::int64_t aheadInQueue(const Build& build) override;
  std::optional<model::BuildState> cancel(std::string_view build_id, const std::string& by) override;

  bool storeHook(const InboxItem& item) override;
  std::vector<InboxItem> pendingHooks(int limit, std::int64_t after_id) override;
  void settleHook(std::int64_t id, const std::string& state, const std::string& note) override;

  void addToken(const Token& token) override;
  std::optional<Token> findToken(std::string_view sha256_hex) override;
  std::vector<Token> tokens() override;
  bool revokeToken(std::string_view id) override;

  std::int64_t beginAudit(const AuditEntry& entry) override;
  void endAudit(std::int64_t id, const std::string& object, int status) override;
  std::vector<AuditEntry> audit(std::int64_t before_id, int limit) override;
  int pruneAudit(int keep_days, int limit) override;

  std::vector<WorkerRow> workers() override;

  Drain drainWorker(const Drain& wanted) override;
  bool undrainWorker(std::string_view worker_id) override;
  std::vector<Drain> drains() override;

  std::vector<NoticeItem> takeNotices(int limit, std::int64_t hide_ms) override;
  void noteNotice(std::int64_t id, const std::string& told) override;
  void settleNotice(std::int64_t id) override;

  void putBlob(const std::string& name, const std::string& bytes) override;
  bool addBlob(const std::string& name, const std::string& bytes) override;
  std::optional<std::string> getBlob(const std::string& name) override;
  std::vector<std::string> blobNames(const std::string& prefix) override;
  bool removeBlob(const std::string& name) override;

  int prune(const Retention& retention, int limit) override;
  std::int64_t logBytes() override;

 protected:
  // Runs `body` as one transaction, again when the engine asks for that. `again`: an earlier run may have been
  // committed although its answer was lost; a body whose second run would do harm looks first.
  using Body = std::function<void(Connection&, bool again)>;
  virtual void transact(Access access, const Body& body) = 0;
  virtual const Dialect& dialect() const = 0;

  // Inside the transaction that changes an active build.
  virtual void tellFollowers(Connection&, std::string_view /*build_id*/) {}
  // Inside prune's transaction, before the row goes; and after it was committed.
  virtual void markLogDead(Connection&, const std::string& /*build_id*/, std::int64_t /*fence*/) {}
  virtual void removeDeadLogs() {}
  // Makes room where logs that stay are among many that are gone.
  virtual void gatherLogs() {}

  // The transaction's result, without naming the variable outside at each use.
  template <typename Result>
  Result within(Access access, const std::function<Result(Connection&, bool)>& body) {
    Result result{};
    transact(access, [&](Connection& db, bool again) { result = body(db, again); });
    return result;
  }

 private:
  void noteUse(const Token& token, Micros now);
  int removeBuilds(const Retention& retention, int limit);

  // When the use of each token was last noted, or tried to be.
  std::mutex uses_mutex_;
  std::map<std::string, Micros, std::less<>> uses_;
};

}  // namespace ocelot::store
