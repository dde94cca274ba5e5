// The server that this context names: can it be reached, who are we there, who builds, and do the clocks agree?

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "components/cli/doctor/check.hpp"
#include "components/cli/server.hpp"
#include "components/cli/terminal.hpp"

namespace ocelot::cli {
namespace {

constexpr std::int64_t kMaxSkew = 30;  // seconds; a heartbeat's age is part of what we see

std::int64_t nowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void checkWorkers(Server& server, Checks& checks) {
  const auto workers = server.get("/v1/workers")->getArray("workers");
  const unsigned known = workers ? static_cast<unsigned>(workers->size()) : 0;
  unsigned count = 0;
  std::string names;
  std::int64_t newest = 0;
  for (unsigned i = 0; i < known; ++i) {
    const Json worker = workers->getObject(i);
    if (!worker->optValue("online", true)) continue;  // drained, and gone
    ++count;
    const std::string name = plain(str(worker, "name")), note = plain(str(worker, "note"));
    names += (names.empty() ? "" : ", ") + name;
    newest = std::max(newest, num(worker, "seen_at"));
    if (!note.empty()) checks.push_back({Health::warn, "worker " + name, note, "it takes no builds meanwhile"});
    if (str(worker, "version") != OCELOT_VERSION)
      checks.push_back({Health::warn, "worker " + name,
                        "runs " + plain(str(worker, "version")) + ", this is " OCELOT_VERSION,
                        "install the same version everywhere"});
  }
  if (count == 0) {
    checks.push_back(
        {Health::fail, "workers", "none is online: builds wait", "start ocelot-worker; its log says why when it ends"});
    return;
  }
  checks.push_back({Health::ok, "workers", std::to_string(count) + " online: " + names, ""});
  // They are seen by the server's clock, a few seconds ago.
  const std::int64_t skew = (nowMicros() - newest) / 1000000;
  if (newest == 0) return;
  if (std::abs(skew) > kMaxSkew) {
    checks.push_back({Health::warn, "clock",
                      "differs from the server's by about " + std::to_string(std::abs(skew)) + " s",
                      "let both keep time (systemd-timesyncd, chrony): leases, tickets and certificates depend on it"});
  } else {
    checks.push_back({Health::ok, "clock", "agrees with the server's", ""});
  }
}

// The reasons are told to its own machine only.
void checkReadiness(Server& server, Checks& checks) {
  const Json readiness = server.readiness();
  const auto tell = [&](const char* list, Health health, const std::string& remedy) {
    const auto items = readiness->getArray(list);
    for (unsigned i = 0; items && i < static_cast<unsigned>(items->size()); ++i) {
      const Json item = items->getObject(i);
      const std::string why = plain(str(item, "why"));
      checks.push_back({health, "server: " + plain(str(item, "name")),
                        why.empty() ? "is not well; GET /readyz on the server's machine says why" : why, remedy});
    }
  };
  tell("down", Health::fail, "the server waits for it, and goes on by itself");
  tell("warnings", Health::warn, "another one serves meanwhile");
}

}  // namespace

void checkServer(const Arguments& arguments, Checks& checks) {
  std::string where = "server";
  try {
    const Context context = chooseContext(arguments);
    where += " " + context.url;
    Server server(context);
    const Json version = server.get("/v1/version");
    const std::string theirs = plain(str(version, "version"));
    if (theirs == OCELOT_VERSION) {
      checks.push_back({Health::ok, where, theirs + ", " + plain(str(version, "store")), ""});
    } else {
      checks.push_back(
          {Health::warn, where, "is " + theirs + ", and this is " OCELOT_VERSION, "install the same version on both"});
    }
    checks.push_back({Health::ok, "token", plain(str(version, "token")) + ", " + str(version, "role"), ""});
    checkReadiness(server, checks);
    checkWorkers(server, checks);
  } catch (const NoContext& none) {
    checks.push_back({Health::warn, "server", "none is known; `ocelot run` needs none", none.hint});
  } catch (const Failure& failure) {
    checks.push_back({Health::fail, where, failure.what(), failure.hint});
  }
}

}  // namespace ocelot::cli
