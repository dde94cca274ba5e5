#include "host/queue/postgres_queue.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>

#include "host/queue/topic.hpp"

namespace ocelot::queue {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{10'000};
// Where accounts change: how soon the connection of a superseded one is replaced.
constexpr std::chrono::milliseconds kLookForAccount{500};

}  // namespace

PostgresQueue::PostgresQueue(const store::StoreSettings& settings) : access_(settings) { listen(); }

PostgresQueue::~PostgresQueue() = default;

store::RawConnection PostgresQueue::connect(std::shared_ptr<const store::PostgresLogin>& login) {
  login = access_.login();
  try {
    return store::connectRaw(*login);
  } catch (const store::Refused&) {
    // An account that was ended early; with another one it may work.
    if (!access_.doubt(*login)) throw;
  }
  login = access_.login();
  return store::connectRaw(*login);
}

// The new one listens before the old one goes: nothing is missed.
void PostgresQueue::replaceSuperseded() {
  if (!listener_ || !access_.changes() || !access_.superseded(*listens_as_)) return;
  readNotifications();
  listenAgain();
}

void PostgresQueue::listen() {
  std::shared_ptr<const store::PostgresLogin> login;
  auto fresh = connect(login);
  PGresult* result = PQexec(fresh.get(), "LISTEN ocelot_wake");
  const bool listens = PQresultStatus(result) == PGRES_COMMAND_OK;
  PQclear(result);
  const std::string why = store::lastError(fresh.get());
  if (!listens) throw store::Unavailable("listen for wake-ups, " + access_.shown() + ": " + why);
  listener_ = std::move(fresh);
  listens_as_ = std::move(login);
}

void PostgresQueue::listenAgain() {
  if (Clock::now() < next_try_) return;
  try {
    listen();
    pause_ = std::chrono::milliseconds{0};
    missed_ = true;
  } catch (const store::Unavailable&) {
    // Whoever waits needs no error: it finds the store away by itself, and a late wake-up is only late.
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    next_try_ = Clock::now() + pause_;
  }
}

void PostgresQueue::publish(const std::string& topic, int) {
  requireTopic(topic);
  const std::lock_guard<std::mutex> lock(publisher_mutex_);
  const char* values[] = {topic.c_str()};
  for (int run = 1;; ++run) {
    if (publisher_ && access_.superseded(*publishes_as_)) publisher_.reset();
    const bool fresh = !publisher_;
    if (fresh) publisher_ = connect(publishes_as_);
    PGresult* result =
        PQexecParams(publisher_.get(), "SELECT pg_notify('ocelot_wake', $1)", 1, nullptr, values, nullptr, nullptr, 0);
    const bool done = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    if (done) return;
    const std::string why = store::lastError(publisher_.get());
    publisher_.reset();
    // A connection that idled over a restart of the server fails once; two wake-ups are no worse than one.
    if (fresh || run > 1) throw store::Unavailable("publish " + topic + ", " + access_.shown() + ": " + why);
  }
}

void PostgresQueue::readNotifications() {
  if (!listener_) return;
  const bool alive = PQconsumeInput(listener_.get()) == 1;
  while (PGnotify* notification = PQnotifies(listener_.get())) {
    seen_.insert(notification->extra);
    PQfreemem(notification);
  }
  if (alive && PQstatus(listener_.get()) == CONNECTION_OK) return;
  listener_.reset();
  missed_ = true;
  next_try_ = Clock::now();
}

bool PostgresQueue::takeSeen(const std::vector<std::string>& topics) {
  readNotifications();
  bool any = missed_;
  missed_ = false;
  for (const auto& topic : topics) any = seen_.erase(topic) > 0 || any;
  return any;
}

bool PostgresQueue::wait(const std::vector<std::string>& topics, std::chrono::milliseconds at_most) {
  const auto until = Clock::now() + at_most;
  for (;;) {
    if (!listener_) listenAgain();
    replaceSuperseded();
    if (takeSeen(topics)) return true;
    if (woken_.take()) return true;
    auto wake_at = until;
    if (!listener_) wake_at = std::min(wake_at, next_try_);
    if (access_.changes()) wake_at = std::min(wake_at, Clock::now() + kLookForAccount);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake_at - Clock::now()).count();
    if (Clock::now() >= until) return false;
    pollfd fds[] = {{woken_.fd(), POLLIN, 0}, {listener_ ? PQsocket(listener_.get()) : -1, POLLIN, 0}};
    ::poll(fds, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
  }
}

}  // namespace ocelot::queue
