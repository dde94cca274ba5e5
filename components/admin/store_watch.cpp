#include "components/admin/store_watch.hpp"

namespace ocelot::admin {
namespace {

constexpr std::chrono::milliseconds kSilence{2000};  // a store that says nothing for so long is away

}  // namespace

StoreWatch::StoreWatch(store::Store& store, std::chrono::milliseconds ask_every)
    : store_(store), ask_every_(ask_every), asked_at_(Clock::now()), last_away_(Clock::now()), thread_([this] {
        run();
      }) {}

StoreWatch::~StoreWatch() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void StoreWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    asking_ = true;
    asked_at_ = Clock::now();
    lock.unlock();
    std::string failure;
    try {
      store_.ping();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    lock.lock();
    asking_ = false;
    failure_ = failure;
    if (!failure.empty()) last_away_ = Clock::now();
    changed_.wait_for(lock, ask_every_, [this] { return stopping_; });
  }
}

std::string StoreWatch::why() {
  const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked_at_);
  if (!failure_.empty() || !asking_ || silent < kSilence) return failure_;
  return "ask " + store_.describe() + " whether it is there: no answer for " + std::to_string(silent.count() / 1000) +
         " s";
}

std::string StoreWatch::whyAway() {
  std::lock_guard guard(mutex_);
  std::string reason = why();
  if (!reason.empty()) last_away_ = Clock::now();
  return reason;
}

StoreWatch::Clock::time_point StoreWatch::lastAway() {
  std::lock_guard guard(mutex_);
  return last_away_;
}

}  // namespace ocelot::admin
