#include "host/store/lead.hpp"

namespace ocelot::store {

std::unique_ptr<Lead> Lead::tryTake(Store& store, std::string role, std::string holder,
                                    std::chrono::milliseconds hold) {
  if (!store.tryLead(role, holder, hold.count())) return nullptr;
  return std::unique_ptr<Lead>(new Lead(store, std::move(role), std::move(holder), hold));
}

Lead::Lead(Store& store, std::string role, std::string holder, std::chrono::milliseconds hold)
    : store_(store), role_(std::move(role)), holder_(std::move(holder)), hold_(hold), thread_([this] { renew(); }) {}

Lead::~Lead() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  try {
    store_.tryLead(role_, holder_, 0);
  } catch (const std::exception&) {
    // Nobody renews it any more.
  }
}

void Lead::renew() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, hold_ / 3, [this] { return ending_; })) {
    lock.unlock();
    try {
      store_.tryLead(role_, holder_, hold_.count());
    } catch (const std::exception&) {
      // The store is away, for others too; until it has ended, the next time may be in time.
    }
    lock.lock();
  }
}

}  // namespace ocelot::store
