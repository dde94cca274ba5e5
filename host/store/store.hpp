#pragma once
// The truth: repos, builds, stages, logs, tokens. Adapters: sqlite (one machine, log segments in files beside it) and
// postgres. Both pass tests/contract/store.
//
// Threads: every member is [any]; an adapter keeps its own sessions. Every member is one short transaction.
// Durability: accept, claim and finish survive power loss once they have returned; the others survive a killed process.
// Errors: store::Unavailable (engine away: retry with backoff; Refused: it is there, and does not let us in),
// store::Conflict (what was tried contradicts the state); anything else thrown is a fault. Nothing ever answers
// "database is locked".
//
// Every write of a running build names its claim id. `false` from such a write means "not yours any more": drop the
// build and remove its container.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/model/build.hpp"
#include "host/store/credentials.hpp"

namespace ocelot::store {

class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// The engine is there and does not let us in: whoever starts gives up, whoever runs waits for somebody to mend it.
class Refused : public Unavailable {
 public:
  using Unavailable::Unavailable;
};
class Conflict : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Another worker has that id, and was heard of so long ago.
class WorkerHeld : public Conflict {
 public:
  WorkerHeld(const std::string& what, model::Micros silent) : Conflict(what), silent_for(silent) {}
  model::Micros silent_for;
};

using model::Build;
using model::Micros;
using model::Repo;
using model::Stage;

// What a worker holds while it runs a build.
struct Claim {
  std::string build_id;
  std::string claim_id;  // 128 random bits, hex
  int attempt = 0;
  std::int64_t fence = 0;
  Micros lease_until = 0;
};

// Who claims builds: a worker's id, which everybody may know, and its key, which nobody else does. "" : it has none.
struct Claimant {
  std::string id, key;
  // NOLINTNEXTLINE(google-explicit-constructor): an id alone is a claimant without a key
  Claimant(std::string its_id, std::string its_key = "") : id(std::move(its_id)), key(std::move(its_key)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Claimant(const char* its_id) : id(its_id) {}
};

struct ClaimedBuild {
  Claim claim;
  Build build;
};

struct BuildFilter {
  std::string repo, branch, commit_prefix;
  std::vector<model::BuildState> states;  // empty: all
  std::int64_t before_number = 0;         // paging: only builds with a lower number; 0: from the newest
  int limit = 50;                         // 1 … 500
};

// How an accepted build came out.
struct Accepted {
  std::string id;
  std::int64_t number = 0;
  bool duplicate = false;  // the dedupe key was there already: this is that build
};

struct StageUpdate {
  Claim claim;
  Stage stage;
};

struct Renewal {
  std::string build_id;
  bool held = false;              // false: not yours any more
  bool cancel_requested = false;  // someone wants it ended
};

struct Finish {
  Claim claim;
  model::Outcome outcome;
  std::vector<Stage> stages;
  std::int64_t log_bytes = 0;
  std::string log_sha256;
  std::int64_t tail_offset =
      0;  // the log's last chunk, appended in the same transaction when it begins at the stored size
  std::string tail;
};

struct Token {
  std::string id;    // short, shown
  std::string name;  // who or what for
  std::string role;  // admin | operator | viewer
  std::string sha256_hex;
  Micros created_at = 0;
  Micros last_used_at = 0;
  Micros expires_at = 0;  // 0: never
};

// Who changed what, when and from where. Never a secret, nor anything else of a request's body.
struct AuditEntry {
  std::int64_t id = 0;
  Micros at = 0;
  std::string token_id, actor;  // the token, and whose it is
  std::string peer;             // address that the request came from
  std::string action;           // "build.cancel"
  std::string object;           // "account/repo #12"
  int status = 0;               // of the answer; 0: it was begun, and how it went is not known
};

struct OutboxItem {
  std::int64_t id = 0;
  std::string topic;  // "build" or "build_<machineTag>"
};

// A webhook that was verified and stored before anything was done about it.
struct InboxItem {
  std::int64_t id = 0;
  std::string repo_id;
  std::string delivery;      // the sender's id; unique per repo
  std::string headers_json;  // [[name, value], …], names lower-case
  std::string body;
  int attempts = 0;
  std::string state;  // new | done | ignored | parked
  std::string note;
  Micros received_at = 0;
};

struct WorkerRow {
  std::string id;    // stable per installation folder
  std::string name;  // host name unless configured
  std::string url;   // where its log server answers
  std::vector<std::string> tags;
  int slots = 0;
  std::string version;
  std::string note;  // why it takes no builds, "" when it does
  Micros started_at = 0;
  Micros seen_at = 0;
  // Only to announce itself; not told to those who list the workers.
  std::string key = {};       // as its Claimant's
  std::string place = {};     // machine and folder, for people too: one id is not for two of them
  std::int64_t lease_ms = 0;  // for how long it holds its builds unheard of
};

// A worker was asked by a person to take no new builds.
struct Drain {
  std::string worker_id;
  std::string name;  // of the worker, when it was asked
  std::string by;    // who asked
  Micros at = 0;
};

// Tells that an active build may have changed: its log has grown, a stage or the build has ended. For one thread; goes
// before its store does.
class Watch {
 public:
  virtual ~Watch() = default;
  // Readable after a change. -1: changes are not told at present (the engine cannot be reached, …), look again after a
  // while. Asked before each wait.
  virtual int fd() = 0;
  virtual void clear() = 0;  // before looking: a change after this makes fd readable again
};

// What one repo asks for. Only ever less than the rest of the Retention: whichever limit is tighter holds.
struct RepoRetention {
  std::string repo;     // its name
  int keep_days = 0;    // 0: as all
  int keep_builds = 0;  // 0: as all
};

struct Retention {
  int keep_days = 0;             // 0: no limit
  int keep_builds_per_repo = 0;  // 0: no limit
  std::vector<RepoRetention> repos = {};
};

class Store {
 public:
  virtual ~Store() = default;

  // Brings the schema to this program's version, by number, under a lock. A newer schema stays as it is: one that says
  // that this program may go on is used, for another one it throws, naming both.
  virtual void migrate() = 0;
  virtual std::string describe() const = 0;  // "sqlite /var/lib/ocelot/ocelot.db (schema 1)"
  virtual Micros now() = 0;                  // the store's clock
  virtual void ping() = 0;                   // throws Unavailable
  // How often the connection to the engine was lost so far. Calls hide a short loss by trying again; whoever concludes
  // something from a lapse of time (the reconciler, from a lease that nobody renewed) starts over when this has
  // changed.
  virtual std::uint64_t interruptions() const { return 0; }

  // ── repos ──
  virtual Repo addRepo(const Repo& repo) = 0;  // Conflict when the name is taken
  virtual std::optional<Repo> findRepo(std::string_view name) = 0;
  virtual std::optional<Repo> findRepoById(std::string_view id) = 0;
  virtual std::vector<Repo> repos() = 0;
  virtual void updateRepoPoll(std::string_view id, const std::string& heads_json) = 0;  // also sets polled_at
  virtual void setRepoTrouble(std::string_view id, const std::string& trouble) = 0;     // at most 8 KiB
  virtual void setRepoPolling(std::string_view id, std::int64_t seconds, const std::string& branches) = 0;
  virtual bool removeRepo(std::string_view name) = 0;  // its builds stay readable

  // ── accepting ──
  // Writes the build and its outbox row in one transaction. A build in state rejected gets no outbox row.
  // dedupe_key "" : never a duplicate.
  virtual Accepted accept(const Build& build, const std::string& dedupe_key) = 0;
  virtual std::vector<OutboxItem> outbox(int limit) = 0;
  virtual void published(const std::vector<std::int64_t>& ids) = 0;

  // ── running ──
  // The best eligible queued build: machine_tag "" or one of `tags`. nullopt: nothing to do.
  virtual std::optional<ClaimedBuild> claim(const Claimant& claimant, const std::vector<std::string>& tags,
                                            std::int64_t lease_ms) = 0;
  // All builds of a worker in one statement.
  virtual std::vector<Renewal> renew(const std::vector<Claim>& claims, std::int64_t lease_ms) = 0;
  virtual bool updateStages(const Claim& claim, const std::vector<Stage>& stages) = 0;
  // Accepted only where `offset` is the stored size. Returns the stored size after the call (so a caller that is behind
  // or ahead knows where to go on), or nullopt: not yours.
  virtual std::optional<std::int64_t> appendLog(const Claim& claim, std::int64_t offset, std::string_view bytes) = 0;
  virtual bool finish(const Finish& finish) = 0;
  // Gives a build back: queued again, this attempt not counted (worker drained).
  virtual bool release(const Claim& claim, const std::string& why) = 0;
  // Running builds that this worker claimed under this key, and those of its that were claimed without any: for
  // re-adoption after its restart.
  virtual std::vector<ClaimedBuild> heldBy(const Claimant& claimant) = 0;
  // The commit of the last build of the same branch that passed before this one; "": none did, or not yours.
  virtual std::string previousPassed(const Claim& claim) = 0;

  // Whether that claim holds a running build: for whoever is shown one. Only its two ids are looked at.
  virtual bool holds(const Claim& claim) = 0;

  // ── reconciling ──
  struct ExpiredLease {
    std::string build_id;
    std::string claim_id;
    int attempt = 0;
    Micros lease_until = 0;
    std::string worker;
  };
  // Running builds whose lease ended before now.
  virtual std::vector<ExpiredLease> expiredLeases() = 0;
  // Ends that lease: queued again while attempt < max_attempts, else error/worker_lost; canceled when that was asked
  // for. false: it was renewed or ended meanwhile.
  virtual bool endLease(const ExpiredLease& lease, int max_attempts) = 0;
  // Topics of builds queued for longer than `age_ms`, to wake somebody again.
  virtual std::vector<std::string> staleTopics(std::int64_t age_ms) = 0;
  struct ActiveCount {
    model::BuildState state = model::BuildState::queued;
    std::string machine_tag;
    std::int64_t builds = 0;
  };
  // How many builds wait and run, by tag.
  virtual std::vector<ActiveCount> activeCounts() = 0;
  // One holder of a role at a time. Returns true while this holder has (or just took) the lock for `hold_ms`; 0 gives
  // it back.
  virtual bool tryLead(const std::string& role, const std::string& holder, std::int64_t hold_ms) = 0;

  // ── reading ──
  virtual std::optional<Build> findBuild(std::string_view id_or_number) = 0;  // with stages
  // Newest first, without stages, pipeline and change_json.
  virtual std::vector<Build> builds(const BuildFilter& filter) = 0;
  virtual std::int64_t aheadInQueue(const Build& build) = 0;  // queued builds that would be claimed before this one
  // At most max_bytes from `offset`; shorter or empty at the stored end.
  virtual std::string readLog(std::string_view build_id, std::int64_t offset, std::size_t max_bytes) = 0;
  // For whoever follows an active build. nullptr: this engine tells of no changes, look again after a while.
  virtual std::unique_ptr<Watch> watch(const std::string& /*build_id*/) { return nullptr; }
  // queued: canceled at once. running: marked, the worker learns it with its next renewal. Final: unchanged.
  // Returns the state after the call; nullopt: no such build.
  virtual std::optional<model::BuildState> cancel(std::string_view build_id, const std::string& by) = 0;

  // ── hooks ──
  virtual bool storeHook(const InboxItem& item) = 0;  // false: this delivery was stored before
  virtual std::vector<InboxItem> pendingHooks(int limit, std::int64_t after_id = 0) = 0;  // oldest first
  virtual void settleHook(std::int64_t id, const std::string& state, const std::string& note) = 0;

  // ── tokens ──
  virtual void addToken(const Token& token) = 0;
  // Notes the token's use, at most once a minute, where that can be done at once; never fails for it.
  virtual std::optional<Token> findToken(std::string_view sha256_hex) = 0;
  virtual std::vector<Token> tokens() = 0;
  virtual bool revokeToken(std::string_view id) = 0;

  // ── audit ──
  // Before the change: when this fails the change is not made. Ignores id, at and status; returns the id.
  virtual std::int64_t beginAudit(const AuditEntry& entry) = 0;
  virtual void endAudit(std::int64_t id, const std::string& object, int status) = 0;
  // Newest first; before_id 0: from the newest.
  virtual std::vector<AuditEntry> audit(std::int64_t before_id, int limit) = 0;
  // Removes entries older than so many days, at most `limit`. Returns how many went.
  virtual int pruneAudit(int keep_days, int limit) = 0;

  // ── workers (the discovery stand-in keeps its table here) ──
  // Sets seen_at. An id belongs to the key and the place that announced it, until that was not heard of for as long as
  // its lease lasts (half a minute at least); under another key, until no build is held either. Until then: WorkerHeld.
  // Who has an id under another key claims nothing and holds nothing: Conflict.
  virtual void putWorker(const WorkerRow& row) = 0;
  virtual std::vector<WorkerRow> workers() = 0;
  virtual void removeWorker(const WorkerRow& row) = 0;  // as announced; nobody else's

  // ── draining: stays until it is undone, whether the worker is there or not ──
  virtual Drain drainWorker(const Drain& wanted) = 0;  // sets `at`; asked for before: that stays, and is returned
  virtual bool undrainWorker(std::string_view worker_id) = 0;  // false: nobody had asked for it
  virtual std::vector<Drain> drains() = 0;                     // by name

  // ── notices: builds whose end has to be told ──
  struct NoticeItem {
    std::int64_t id = 0;
    std::string build_id;
    int attempts = 0;  // with this one
    std::string told;  // as noteNotice left it
  };
  // finish() and a rejected accept() write one row each, in their transaction. takeNotices hides what it returns for
  // hide_ms, and twice as long at each further attempt, up to 512 times hide_ms.
  virtual std::vector<NoticeItem> takeNotices(int limit, std::int64_t hide_ms) = 0;
  // Remembers for the next attempt who has been told, in the teller's own words.
  virtual void noteNotice(std::int64_t id, const std::string& told) = 0;
  virtual void settleNotice(std::int64_t id) = 0;

  // ── secrets stand-in: opaque, encrypted values by name ──
  virtual void putBlob(const std::string& name, const std::string& bytes) = 0;
  virtual bool addBlob(const std::string& name, const std::string& bytes) = 0;  // false: there is one, nothing changed
  virtual std::optional<std::string> getBlob(const std::string& name) = 0;
  virtual std::vector<std::string> blobNames(const std::string& prefix) = 0;
  virtual bool removeBlob(const std::string& name) = 0;

  // ── retention and backup ──
  // Removes sealed builds beyond the limits, whole, at most `limit` of them; the last passed build of a branch stays.
  // Returns how many went.
  virtual int prune(const Retention& retention, int limit) = 0;
  // Bytes that builds' logs take.
  virtual std::int64_t logBytes() = 0;
};

struct StoreSettings {
  std::string kind = "sqlite";  // sqlite | postgres
  std::string path;             // sqlite: the folder that holds ocelot.db and logs/
  std::string dsn;              // postgres: "host=… port=… dbname=… user=…" (no spaces in values)
  std::string password;         // postgres
  // postgres: accounts that change, instead of a user in the dsn and the password; nullptr: none
  std::shared_ptr<Credentials> credentials = nullptr;
  int pool_size = 8;
  int pool_wait_ms = 10'000;  // postgres: how long a call waits while all sessions are in use
};

// Opens, does not migrate. Throws Unavailable, Refused, or std::invalid_argument with what to do (a network file
// system, …).
std::unique_ptr<Store> open(const StoreSettings& settings);

}  // namespace ocelot::store
