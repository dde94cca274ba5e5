#pragma once
// What becomes of a webhook: verified on its raw bytes and stored before it is answered; understood afterwards, again
// and again until that works or is given up. A hook that kills its reader cannot take the endpoint down, and none is
// lost.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "host/engines/engines.hpp"
#include "host/http/message.hpp"
#include "host/providers/providers.hpp"

namespace ocelot::hookhandler {

class Inbox {
 public:
  Inbox(engines::Engines& engines, providers::Providers& providers);
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // POST /hooks/{repo id}: 202 stored, 200 had it already, 401 not signed by who it says, 503 cannot be stored now.
  // [any] thread.
  http::Answer receive(const http::Request& request);

 private:
  void run();
  void read(const store::InboxItem& item);

  engines::Engines& engines_;
  providers::Providers& providers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, arrived_ = false;
  std::thread thread_;
};

}  // namespace ocelot::hookhandler
