#include "host/store/postgres/followers.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "host/process/event.hpp"
#include "host/store/postgres/raw.hpp"

namespace ocelot::store {
namespace {

using Clock = std::chrono::steady_clock;

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100}, kLongestPause{10'000};
// Where accounts change: how soon the connection of a superseded one is replaced.
constexpr milliseconds kLookForAccount{500};
// Each takes an entry of the server's lock table; followers of further builds look for themselves.
constexpr std::size_t kMostBuilds = 500;

struct Followed {
  std::set<process::Event*> readers;
  bool heard = false;  // its lock is held: changes are told

  void wake() const {
    for (process::Event* reader : readers) reader->set();
  }
};

std::string lockOf(const std::string& build_id) { return "hashtextextended(" + build_id + ", 0)"; }

}  // namespace

std::string tellingFollowers(const std::string& build_id) {
  return "CAST(CASE WHEN pg_try_advisory_xact_lock(" + lockOf(build_id) +
         ") THEN 0 ELSE 1 + length(CAST(pg_notify('ocelot_log', " + build_id + ") AS text)) END AS bigint)";
}

struct PostgresFollowers::State {
  explicit State(PostgresAccess& its_access) : access(its_access) {}
  ~State() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.set();
    if (thread.joinable()) thread.join();
  }

  void run();
  void connect();
  void takeUp();
  void hear();
  void lost();
  void lost(milliseconds its_pause);  // tried again after that
  bool ask(const std::string& sql, const std::string& build_id);

  struct Step {
    std::string build_id;
    bool take = true;  // false: give back
  };
  std::optional<Step> nextStep();

  PostgresAccess& access;
  process::Event wake;  // what is under the mutex has changed

  std::mutex mutex;
  bool stop = false;
  std::map<std::string, Followed, std::less<>> builds;  // only the thread removes any
  std::thread thread;

  // Of the thread.
  std::shared_ptr<const PostgresLogin> login;  // with which the connection was opened
  RawConnection connection;
  Clock::time_point next_try{};
  std::chrono::milliseconds pause{0};
};

void PostgresFollowers::State::run() {
  for (;;) {
    wake.take();
    bool followed = false;
    {
      const std::lock_guard lock(mutex);
      if (stop) return;
      followed = !builds.empty();
    }
    if (connection && access.superseded(*login)) lost(milliseconds{0});
    if (!connection && followed && Clock::now() >= next_try) connect();
    if (connection) takeUp();
    if (connection) hear();  // also what came with the answers just now

    pollfd fds[] = {{wake.fd(), POLLIN, 0}, {connection ? PQsocket(connection.get()) : -1, POLLIN, 0}};
    int timeout = -1;
    if (!connection && followed) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_try - Clock::now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongestPause.count()));
    }
    if (connection && access.changes()) timeout = static_cast<int>(kLookForAccount.count());
    ::poll(fds, 2, timeout);
  }
}

void PostgresFollowers::State::connect() {
  try {
    login = access.login();
    connection = connectRaw(*login);
  } catch (const Refused&) {
    // With another account it may work, at the next try.
    if (login) access.doubt(*login);
    lost();
    return;
  } catch (const Unavailable&) {
    lost();  // followers look for themselves, and find out what is wrong with the store
    return;
  }
  PGresult* result = PQexec(connection.get(), "SET lock_timeout = '10s'; LISTEN ocelot_log");
  const bool listens = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  if (!listens) lost();
}

bool PostgresFollowers::State::ask(const std::string& sql, const std::string& build_id) {
  const char* values[] = {build_id.c_str()};
  PGresult* result = PQexecParams(connection.get(), sql.c_str(), 1, nullptr, values, nullptr, nullptr, 0);
  const bool done = PQresultStatus(result) == PGRES_TUPLES_OK;
  PQclear(result);
  return done;
}

std::optional<PostgresFollowers::State::Step> PostgresFollowers::State::nextStep() {
  const std::lock_guard lock(mutex);
  std::size_t heard = 0;
  const std::string* wanted = nullptr;
  for (auto at = builds.begin(); at != builds.end();) {
    auto& [id, followed] = *at;
    if (followed.readers.empty()) {
      if (followed.heard) {
        followed.heard = false;
        return Step{id, false};
      }
      at = builds.erase(at);
      continue;
    }
    if (followed.heard) ++heard;
    if (!followed.heard && !wanted) wanted = &id;
    ++at;
  }
  if (!wanted || heard >= kMostBuilds) return std::nullopt;
  return Step{*wanted, true};
}

// Makes the locks that are held those of the builds that are followed.
void PostgresFollowers::State::takeUp() {
  static const std::string take = "SELECT pg_advisory_lock_shared(" + lockOf("$1") + ")";
  static const std::string give_back = "SELECT pg_advisory_unlock_shared(" + lockOf("$1") + ")";
  while (const auto step = nextStep()) {
    if (!ask(step->take ? take : give_back, step->build_id)) return lost();
    if (!step->take) continue;
    const std::lock_guard lock(mutex);
    Followed& followed = builds[step->build_id];
    followed.heard = true;
    followed.wake();  // what was written before the lock was taken has not been told
  }
  pause = std::chrono::milliseconds{0};
}

void PostgresFollowers::State::hear() {
  const bool alive = PQconsumeInput(connection.get()) == 1;
  while (PGnotify* notification = PQnotifies(connection.get())) {
    const std::lock_guard lock(mutex);
    if (const auto found = builds.find(notification->extra); found != builds.end()) found->second.wake();
    PQfreemem(notification);
  }
  if (!alive || PQstatus(connection.get()) != CONNECTION_OK) lost();
}

// Locks went with the connection. Until there is another one, followers look for themselves.
void PostgresFollowers::State::lost() { lost(std::clamp(pause * 2, kFirstPause, kLongestPause)); }

void PostgresFollowers::State::lost(milliseconds its_pause) {
  connection.reset();
  pause = its_pause;
  next_try = Clock::now() + pause;
  const std::lock_guard lock(mutex);
  for (auto at = builds.begin(); at != builds.end();) {
    at->second.heard = false;
    at->second.wake();
    at = at->second.readers.empty() ? builds.erase(at) : std::next(at);
  }
}

namespace {

class BuildWatch final : public Watch {
 public:
  using Builds = std::map<std::string, Followed, std::less<>>;
  BuildWatch(std::mutex& mutex, Builds& builds, process::Event& wake, const std::string& build_id)
      : mutex_(mutex), wake_(wake) {
    const std::lock_guard lock(mutex_);
    place_ = builds.try_emplace(build_id).first;
    place_->second.readers.insert(&event_);
    wake_.set();
  }
  ~BuildWatch() override {
    const std::lock_guard lock(mutex_);
    place_->second.readers.erase(&event_);
    if (place_->second.readers.empty()) wake_.set();
  }
  int fd() override {
    const std::lock_guard lock(mutex_);
    return place_->second.heard ? event_.fd() : -1;
  }
  void clear() override { event_.take(); }

 private:
  std::mutex& mutex_;
  process::Event& wake_;
  process::Event event_;
  Builds::iterator place_;  // stays while there is a reader
};

}  // namespace

PostgresFollowers::PostgresFollowers(PostgresAccess& access) : state_(std::make_unique<State>(access)) {}
PostgresFollowers::~PostgresFollowers() = default;

std::unique_ptr<Watch> PostgresFollowers::watch(const std::string& build_id) {
  auto watch = std::make_unique<BuildWatch>(state_->mutex, state_->builds, state_->wake, build_id);
  const std::lock_guard lock(state_->mutex);
  if (!state_->thread.joinable()) state_->thread = std::thread([state = state_.get()] { state->run(); });
  return watch;
}

}  // namespace ocelot::store
