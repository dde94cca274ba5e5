// Reading a log from wherever it is: the worker that runs the build, then the store.

#include <poll.h>

#include <iostream>
#include <optional>

#include "components/cli/build_view.hpp"
#include "components/cli/server.hpp"
#include "components/cli/terminal.hpp"

namespace ocelot::cli {
namespace {

constexpr int kReconnects = 60;        // without a byte in between; a restarted server is waited for
constexpr int kMovedPauseMs = 200;     // a build is leaving its worker
constexpr int kNotEndedPauseMs = 100;  // its log is complete, and its outcome not yet written
constexpr std::size_t kMaxRecord = 2u << 20;

bool isRunning(const Json& build) { return str(build, "state") == "queued" || str(build, "state") == "running"; }

// What arrives, and how far in the log that is.
class Arriving {
 public:
  explicit Arriving(const std::function<bool(std::string_view)>& bytes) : bytes_(bytes) {}
  virtual ~Arriving() = default;
  virtual bool take(std::string_view part) {
    offset += static_cast<std::int64_t>(part.size());
    return bytes_(part);
  }
  virtual void restart() {}  // a new connection
  virtual bool end() { return true; }
  std::int64_t offset = 0;

 protected:
  const std::function<bool(std::string_view)>& bytes_;
};

// Records say themselves where they end. Only whole ones are passed on: of a torn one the resumed connection brings
// the rest of the log again.
class ArrivingRecords final : public Arriving {
 public:
  using Arriving::Arriving;
  bool take(std::string_view part) override {
    held_ += part;
    std::size_t begin = 0;
    for (std::size_t end; (end = held_.find('\n', begin)) != std::string::npos; begin = end + 1)
      if (!record(held_.substr(begin, end + 1 - begin))) return false;
    held_.erase(0, begin);
    if (held_.size() > kMaxRecord)
      throw Failure("the server sent a log record that does not end", "`ocelot logs` without --json shows the log");
    return true;
  }
  void restart() override { held_.clear(); }
  // The last of the ends: each connection has one.
  bool end() override { return end_.empty() || bytes_(end_); }

 private:
  bool record(const std::string& line) {
    // A quote inside of a text is escaped, so that these can only be keys.
    if (line.find("\"alive\":") != std::string::npos) return true;
    if (line.find("\"end\":") != std::string::npos) {
      end_ = line;
      return true;
    }
    const std::size_t next = line.find("\"next\":");
    if (next != std::string::npos) offset = std::atoll(line.c_str() + next + 7);
    return bytes_(line);
  }
  std::string held_, end_;
};

std::string pathOf(const std::string& build_id, const LogQuery& query, bool via_admin, std::int64_t offset,
                   bool resumed) {
  std::string path = "/v1/builds/" + build_id + "/log?offset=" + std::to_string(offset);
  if (query.follow) path += "&follow=true";
  if (via_admin) path += "&via=admin";
  if (!query.stage.empty()) path += "&stage=" + http::encode(query.stage);
  if (query.tail > 0 && !resumed) path += "&tail=" + std::to_string(query.tail);
  if (query.as_records) path += "&format=ndjson";
  return path;
}

}  // namespace

void Server::log(const std::string& build_id, const LogQuery& query, const std::function<bool(std::string_view)>& bytes,
                 const std::function<void(std::int64_t attempt)>& anew) {
  std::unique_ptr<Arriving> arriving =
      query.as_records ? std::make_unique<ArrivingRecords>(bytes) : std::make_unique<Arriving>(bytes);
  // A run is told by when it began: one that a worker gave back has the number of the next.
  std::int64_t run = query.follow ? num(get("/v1/builds/" + build_id), "started_at") : 0;
  bool resumed = false, via_admin = query.via_admin;
  int broken = 0;
  const auto again = [&broken](int pause_ms, const std::string& why) {
    if (++broken > kReconnects) throw Failure("follow the log: " + why, "`ocelot status` tells how the build stands");
    ::poll(nullptr, 0, pause_ms);
  };
  const auto lookAtBuild = [&] {
    const Json build = getPatiently("/v1/builds/" + build_id);
    const std::int64_t now = num(build, "started_at");
    if (now == 0) return build;
    if (now != run && run != 0) {
      arriving->offset = 0;
      if (anew) anew(num(build, "attempt"));
    }
    run = now;
    return build;
  };
  while (true) {
    HttpRequest request;
    request.url = pathOf(build_id, query, via_admin, arriving->offset, resumed);
    HttpAnswer head;
    SimpleCall call;
    bool whole = false;
    arriving->restart();
    try {
      whole = client_.stream(
          call, request,
          [&](const HttpAnswer& answer) {
            head = answer;
            const std::string at = http::headerOf(answer, "Ocelot-Log-Offset");
            // With a tail or a stage the log begins elsewhere than was asked for.
            if (answer.status < 300 && !at.empty()) arriving->offset = std::atoll(at.c_str());
            return answer.status < 300;
          },
          [&](std::string_view part) {
            broken = 0;
            resumed = true;
            return arriving->take(part);
          });
    } catch (const Error& error) {
      if (error.status() != Status::unavailable) throw;
      // The worker's network is not ours, or it has just died: the server has the log too.
      if (!via_admin && dynamic_cast<const http::ElsewhereAway*>(&error)) {
        via_admin = true;
        std::cerr << paint(plain(error.what()) + "; the log comes through the server", Colour::dim, 2) << std::endl;
        continue;
      }
      again(broken < 5 ? 200 : 1000, error.what());
      if (query.follow) lookAtBuild();
      continue;
    }
    // The build left its worker between admin's answer and ours: admin knows where the log is now.
    if ((head.status == 404 || head.status == 401) && head.body.find("ask admin again") != std::string::npos) {
      again(kMovedPauseMs, "the build moves from place to place");
      continue;
    }
    if (head.status == 503 || (head.status == 416 && query.follow)) {
      again(1000, "the server answers " + std::to_string(head.status));
      if (query.follow) lookAtBuild();
      continue;
    }
    if (head.status >= 300) refuse(context_, head);
    if (!whole) return;
    if (!query.follow || !query.stage.empty()) break;
    // A worker's log ends with its part of the work; whether the build has ended is admin's to say.
    const Json build = lookAtBuild();
    if (!isRunning(build) && arriving->offset >= num(build, "log_bytes")) break;
    if (isRunning(build)) ::poll(nullptr, 0, kNotEndedPauseMs);
  }
  arriving->end();
}

}  // namespace ocelot::cli
