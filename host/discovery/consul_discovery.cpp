#include "host/discovery/consul_discovery.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>

#include "host/http/json.hpp"
#include "host/http/url.hpp"

namespace ocelot::discovery {
namespace {

using consul::Consul;
using consul::Unavailable;

constexpr const char* kService = "ocelot-worker";
constexpr std::size_t kLongestMeta = 500;  // Consul takes 512
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostWorkers = 10000;

std::string seconds(std::chrono::seconds time) { return std::to_string(time.count()) + "s"; }

void requireTags(const Worker& worker) {
  for (const auto& tag : worker.tags)
    if (tag.empty() || tag.find_first_of(" \t\r\n") != std::string::npos)
      throw std::invalid_argument("announce a worker: \"" + tag + "\" is no tag; a tag is a word");
}

// At the end of a character.
std::string cut(const std::string& text) {
  std::size_t size = std::min(text.size(), kLongestMeta);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

std::int64_t numberOf(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::string textOf(const http::JsonView& value) { return value.text().value_or("").substr(0, kLongestText); }

model::Micros microsNow() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// nullopt: not registered by a worker of ours.
std::optional<Worker> workerOf(const http::JsonView& entry) {
  const auto service = entry["Service"];
  const auto meta = service["Meta"];
  Worker worker;
  worker.id = textOf(meta["worker"]);
  if (worker.id.empty()) return std::nullopt;
  worker.name = textOf(meta["name"]);
  worker.url = textOf(meta["url"]);
  worker.tags = service["Tags"].texts();
  worker.slots = static_cast<int>(std::clamp<std::int64_t>(numberOf(textOf(meta["slots"])), 0, 100000));
  worker.version = textOf(meta["version"]);
  worker.note = textOf(meta["note"]);
  worker.started_at = numberOf(textOf(meta["started_at"]));
  worker.seen_at = microsNow();
  return worker;
}

class ConsulDiscovery final : public Discovery {
 public:
  ConsulDiscovery(consul::ConsulSettings settings, ConsulTimes times) : consul_(std::move(settings)), times_(times) {}

  void announce(const Worker& worker) override {
    requireTags(worker);
    const std::string registration = registrationOf(worker);
    const std::lock_guard lock(announcing_);
    if (registration == registered_) {
      try {
        const std::string check = "agent/check/pass/service:" + serviceId(worker.id);
        if (consul_.send({"PUT", check, "", "", kNoWait, nullptr}).status == 200) return;
      } catch (const Unavailable&) {
        // An agent that was started anew does not know the check, and says so with a 500. When it is away, this fails:
      }
    }
    registered_.clear();
    consul_.send({"PUT", "agent/service/register", "replace-existing-checks=true", registration, kNoWait, nullptr});
    registered_ = registration;
  }

  void withdraw(const std::string& worker_id) override {
    const std::lock_guard lock(announcing_);
    registered_.clear();
    consul_.send({"PUT", "agent/service/deregister/" + serviceId(worker_id), "", "", kNoWait, nullptr});
    if (!session_.empty()) consul_.send({"PUT", "session/destroy/" + session_, "", "", kNoWait, nullptr});
    session_.clear();
    held_.clear();
  }

  void running(const std::string& worker_id, const std::vector<std::string>& builds) override {
    const std::lock_guard lock(announcing_);
    keepSession(worker_id);
    const std::set<std::string> now(builds.begin(), builds.end());
    for (auto it = held_.begin(); it != held_.end();) {
      if (now.count(*it)) {
        ++it;
        continue;
      }
      consul_.send({"DELETE", keyOf(*it), "", "", kNoWait, nullptr});
      it = held_.erase(it);
    }
    for (const auto& build : now) {
      if (held_.count(build)) continue;
      // false: an earlier worker's session still holds it; the next announcement tries again.
      const auto got = consul_.send({"PUT", keyOf(build), "acquire=" + session_, worker_id, kNoWait, nullptr});
      if (got.body.compare(0, 4, "true") == 0) held_.insert(build);
    }
  }

  std::vector<Worker> workers() override {
    try {
      const auto answer =
          consul_.json({"GET", std::string("health/service/") + kService, "passing=1", "", kNoWait, nullptr});
      std::vector<Worker> all;
      for (const auto& entry : answer.items()) {
        if (auto worker = workerOf(entry)) all.push_back(std::move(*worker));
        if (all.size() == kMostWorkers) break;
      }
      std::sort(all.begin(), all.end(), [](const Worker& a, const Worker& b) { return a.name < b.name; });
      const std::lock_guard lock(known_mutex_);
      known_ = all;
      return all;
    } catch (const Unavailable&) {
      // Builds go on without Consul, and so does what is shown of them; /readyz says that it is away.
      const std::lock_guard lock(known_mutex_);
      return known_;
    }
  }

  std::optional<Worker> find(const std::string& worker_id) override {
    for (auto& worker : workers())
      if (worker.id == worker_id) return std::move(worker);
    return std::nullopt;
  }

  std::string whyAway() override { return consul_.whyAway(); }

 private:
  static constexpr std::chrono::milliseconds kNoWait{0};

  static std::string serviceId(const std::string& worker_id) {
    return std::string(kService) + "-" + http::encode(worker_id);
  }
  std::string keyOf(const std::string& build) const {
    return "kv/" + consul_.settings().prefix + "/builds/" + http::encode(build);
  }

  std::string registrationOf(const Worker& worker) const {
    const http::Url url = http::parseUrl(worker.url);
    http::JsonWriter out;
    out.object().field("ID", std::string(kService) + "-" + worker.id).field("Name", kService);
    out.field("Address", url.host).field("Port", static_cast<int>(url.port)).key("Tags").array();
    for (const auto& tag : worker.tags) out.value(tag);
    out.end().key("Meta").object();
    out.field("worker", cut(worker.id)).field("name", cut(worker.name)).field("url", cut(worker.url));
    out.field("slots", std::to_string(worker.slots)).field("version", cut(worker.version));
    out.field("note", cut(worker.note)).field("started_at", std::to_string(worker.started_at)).end();
    out.key("Check").object().field("TTL", seconds(times_.check)).field("Status", "passing");
    out.field("DeregisterCriticalServiceAfter", seconds(times_.forget)).end().end();
    return out.text();
  }

  // With announcing_ held. A session that was lost, with all its keys, is replaced.
  void keepSession(const std::string& worker_id) {
    if (!session_.empty()) {
      if (consul_.send({"PUT", "session/renew/" + session_, "", "", kNoWait, nullptr}).status == 200) return;
      session_.clear();
      held_.clear();
    }
    http::JsonWriter out;
    out.object().field("Name", std::string(kService) + "-" + worker_id).field("TTL", seconds(times_.session));
    out.field("Behavior", "delete").field("LockDelay", "0s").end();
    const auto made = consul_.json({"PUT", "session/create", "", out.text(), kNoWait, nullptr})["ID"].text();
    if (!made || made->empty() || made->size() > 100) throw Unavailable("make a session at Consul: it gave no id");
    session_ = http::encode(*made);
  }

  Consul consul_;
  const ConsulTimes times_;

  std::mutex announcing_;  // guards what follows: one announcement at a time
  std::string registered_;
  std::string session_;
  std::set<std::string> held_;

  std::mutex known_mutex_;  // guards known_
  std::vector<Worker> known_;
};

}  // namespace

std::unique_ptr<Discovery> openConsulDiscovery(consul::ConsulSettings settings, ConsulTimes times) {
  return std::make_unique<ConsulDiscovery>(std::move(settings), times);
}

}  // namespace ocelot::discovery
