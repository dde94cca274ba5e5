#include "host/http/limiter.hpp"

#include <arpa/inet.h>

#include <iterator>

namespace ocelot::http {
namespace {

const auto kWindow = std::chrono::minutes(1);

// Whoever has an IPv6 address has 2^64 of them.
std::string networkOf(const std::string& peer) {
  in6_addr address{};
  if (inet_pton(AF_INET6, peer.c_str(), &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address)) return peer;
  return std::string(reinterpret_cast<const char*>(address.s6_addr), 8);
}

}  // namespace

bool Limiter::countIn(Count& count, Clock::time_point now) {
  if (now - count.since >= kWindow) count = {now, 0};
  if (count.failures >= per_minute_) return false;
  ++count.failures;
  return true;
}

bool Limiter::fail(const std::string& peer, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const std::string network = networkOf(peer);
  if (const auto known = peers_.find(network); known != peers_.end()) return countIn(known->second, now);
  if (peers_.size() >= most_peers_) {
    for (auto at = peers_.begin(); at != peers_.end();) {
      at = now - at->second.since >= kWindow ? peers_.erase(at) : std::next(at);
    }
  }
  if (peers_.size() >= most_peers_) return countIn(others_, now);
  Count& fresh = peers_[network];
  fresh.since = now;
  return countIn(fresh, now);
}

std::size_t Limiter::size() const {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

}  // namespace ocelot::http
