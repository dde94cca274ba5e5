#pragma once
// What every daemon answers beside its own routes: /healthz, /readyz, /metrics.

#include <atomic>

#include "host/daemon/health.hpp"
#include "host/daemon/metrics.hpp"
#include "host/http/server.hpp"

namespace ocelot::daemon {

// /healthz: 200 while the process answers. /readyz: 200 or 503, naming what is down. Both are open, as probes carry no
// token; what is down is named to everybody, why only to this machine. /metrics: open to this machine, else a viewer's.
// All that is lent must outlive the server.
void addPages(http::Routes& routes, Health& health, Metrics& metrics, const http::Authenticator& authenticator,
              const std::atomic<bool>& draining);

}  // namespace ocelot::daemon
