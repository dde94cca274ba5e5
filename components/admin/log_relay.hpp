#pragma once
// The live log of a running build through admin, for clients that do not reach the worker: each follower's stream opens
// one of its own at the worker and passes on what comes, as it comes. Where that is not to be had (worker away, too
// many relays, nonsense instead of a log) the same answer goes on from the store, a second behind, and tries the worker
// again now and then; it changes over by offset, so that no byte is missing and none comes twice.
//
// A relay is the follower's own thread of the server's streams: it holds some 100 KiB whatever the log's length, and a
// reader that takes nothing holds up its own stream at the worker alone.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "host/daemon/metrics.hpp"
#include "host/discovery/discovery.hpp"
#include "host/http/client.hpp"
#include "host/logserve/log_answer.hpp"
#include "host/ticket/ticket.hpp"

namespace ocelot::admin {

struct RelaySettings {
  int most = 100;  // at once; who comes after reads the store
  std::string ca_file;
  bool tls_only = false;                       // this installation has TLS: no ticket goes out in the clear
  std::chrono::milliseconds connect{2000};     // how long a worker is waited for
  std::chrono::milliseconds answer{5000};      // from there to the head of its answer
  std::chrono::milliseconds away{10000};       // how long one that did not answer is left alone
  std::chrono::milliseconds first_retry{200};  // after a relay has ended too early; twice as long each time
  std::chrono::milliseconds longest_retry{10000};
  std::chrono::milliseconds look{5000};  // after so long without a byte the store is asked how the build stands
};

// [any] thread. What it is given outlives it, and it the server.
class LogRelay {
 public:
  LogRelay(RelaySettings settings, store::Store& store, discovery::Discovery& discovery, ticket::KeySource key,
           daemon::Metrics& metrics);

  // Throws http::Refusal(404) for no such build.
  http::Answer answer(const logserve::Query& query, const std::string& build_id);

  // Where the worker of a running build answers; "" where that is not known, or not believed: Consul lets everybody say
  // that he is any worker, and a ticket is for the one that the store knows.
  std::string placeOf(const model::Build& build) const;
  // "http://worker:7701/v1/builds/ID/log?ticket=…"; nullopt while the key of the tickets cannot be had.
  std::optional<std::string> ticketed(const std::string& worker_url, const model::Build& build) const;

 private:
  class Follower;

  // Why a worker's log could not be passed on, or no further.
  enum class Trouble { full, unreachable, refused, garbage, cut };
  void note(Trouble trouble);
  bool isAway(const std::string& url);
  void setAway(const std::string& url, const std::string& why);
  void setThere(const std::string& url);

  const RelaySettings settings_;
  store::Store& store_;
  discovery::Discovery& discovery_;
  const ticket::KeySource key_;
  http::Client client_;
  std::atomic<int> open_{0};
  daemon::Gauge& relays_;
  daemon::Counter& bytes_;
  std::map<Trouble, daemon::Counter*> troubles_;

  std::mutex mutex_;                                                   // guards away_
  std::map<std::string, std::chrono::steady_clock::time_point> away_;  // by URL: until when
};

}  // namespace ocelot::admin
