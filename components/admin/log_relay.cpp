#include "components/admin/log_relay.hpp"

#include <algorithm>
#include <charconv>

#include "host/daemon/log.hpp"
#include "host/http/url.hpp"
#include "host/logs/formats.hpp"

namespace ocelot::admin {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostAway = 1000;
constexpr milliseconds kLookForClaim{500};            // a claim tells no follower
constexpr model::Micros kHeardOfWithin = 15'000'000;  // as the register of workers has it
constexpr milliseconds kForEver{std::chrono::hours(1)};

http::ClientSettings clientSettings(const RelaySettings& settings) {
  http::ClientSettings out;
  out.ca_file = settings.ca_file;
  out.connect_timeout = settings.connect;
  out.silence_timeout = settings.answer;
  out.user_agent = "ocelot-admin/" OCELOT_VERSION;
  return out;
}

std::optional<std::int64_t> offsetOf(const HttpAnswer& head) {
  const std::string text = http::headerOf(head, "Ocelot-Log-Offset");
  std::int64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || offset < 0) return std::nullopt;
  return offset;
}

}  // namespace

// One follower. For its thread alone.
class LogRelay::Follower {
 public:
  Follower(LogRelay& relay, logserve::Query query, std::unique_ptr<logserve::StoredLog> stored)
      : relay_(relay), query_(std::move(query)), stored_(std::move(stored)), retry_(relay.settings_.first_retry) {}
  ~Follower() { close(); }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // What the answer's head says.
  void prepare(http::Answer& head) {
    range_.begin = query_.offset;
    open(true);
    if (!worker_) range_ = logserve::rangeOf(query_, *stored_);
    logserve::beginsAt(head, range_.begin);
  }

  bool run(http::StreamWriter& out) {
    while (true) {
      if (worker_ && !passOn(out)) return false;
      close();
      switch (logserve::tell(query_, *stored_, range_, out, [this] { return patience(); })) {
        case logserve::Told::whole:
          return true;
        case logserve::Told::gone:
          return false;
        case logserve::Told::left:
          open(false);
      }
    }
  }

 private:
  // How long the store is waited with before the worker is asked (again).
  milliseconds patience() const {
    if (complete_) return kForEver;
    if (stored_->build().state != model::BuildState::running) return kLookForClaim;
    return std::max(std::chrono::ceil<milliseconds>(retry_at_ - Clock::now()), milliseconds(0));
  }

  void open(bool first) {
    const bool got = tryOpen(first);
    retry_at_ = Clock::now() + retry_;
    retry_ = std::min(retry_ * 2, relay_.settings_.longest_retry);
    if (!got) close();
  }

  bool tryOpen(bool first) {
    const model::Build build = stored_->build();
    if (build.state != model::BuildState::running) return false;
    const std::string place = relay_.placeOf(build);
    if (place.empty() || relay_.isAway(place)) return false;
    if (relay_.settings_.tls_only && !place.starts_with("https://")) return false;
    if (!takePlace()) return false;
    const auto url = relay_.ticketed(place, build);
    if (!url) return false;
    HttpRequest request;
    request.url = *url + "&offset=" + std::to_string(range_.begin) + "&format=" +
                  (query_.format == logs::Format::ndjson ? "ndjson"
                   : query_.format == logs::Format::sse  ? "sse"
                                                         : "plain");
    if (query_.follow) request.url += "&follow=true";
    if (!query_.stage.empty()) request.url += "&stage=" + http::encode(query_.stage);
    if (query_.tail > 0 && first) request.url += "&tail=" + std::to_string(query_.tail);
    request.max_answer_bytes = 64 << 10;
    HttpAnswer head;
    try {
      SimpleCall call(relay_.settings_.connect + relay_.settings_.answer);
      worker_ = relay_.client_.open(call, request, head);
    } catch (const Error& error) {
      relay_.note(Trouble::unreachable);
      relay_.setAway(place, error.what());
      return false;
    }
    relay_.setThere(place);
    if (!worker_) {
      // It runs there no more, or has no log yet; or there is no such stage, which the store says better.
      if (head.status != 404 && head.status != 416) relay_.note(Trouble::refused);
      return false;
    }
    const auto begin = offsetOf(head);
    // A tail and a stage begin where the worker says, if not before what was asked for; all else where it was asked
    // for.
    const bool moves = first && (query_.tail > 0 || !query_.stage.empty());
    const bool ours = http::headerOf(head, "Content-Type") == logs::contentType(query_.format);
    if (!ours || !begin || *begin < range_.begin || (!moves && *begin != range_.begin)) {
      relay_.note(Trouble::garbage);
      return false;
    }
    range_.begin = *begin;
    return true;
  }

  // Until the worker's part of the log is complete, or breaks off. false: nobody listens.
  bool passOn(http::StreamWriter& out) {
    const auto passage = logs::makePassage(query_.format, range_.begin);
    std::string bytes, text;
    auto look_at = Clock::now() + relay_.settings_.look;
    while (true) {
      bytes.clear();
      text.clear();
      bool sound = true;
      try {
        const auto got = worker_->read(bytes);
        if (got == http::Download::Got::end) {
          complete_ = true;
          // Where the stage ends the store may learn later, when it has bytes of the next one already.
          if (!query_.stage.empty()) range_.end = range_.begin;
          return true;
        }
        if (got == http::Download::Got::bytes) sound = passage->take(bytes, text);
      } catch (const Error&) {
        relay_.note(Trouble::cut);
        return true;
      }
      if (!text.empty()) {
        if (!out.write(text)) return false;
        range_.begin = passage->told();
        relay_.bytes_.add(text.size());
        retry_ = relay_.settings_.first_retry;
        look_at = Clock::now() + relay_.settings_.look;
      }
      if (!sound) {
        // Not asked again: it would be the same.
        relay_.note(Trouble::garbage);
        complete_ = true;
        return true;
      }
      if (Clock::now() >= look_at) {
        if (isBehind()) return true;
        look_at = Clock::now() + relay_.settings_.look;
      }
      if (!bytes.empty()) continue;
      const auto wait = std::chrono::ceil<milliseconds>(look_at - Clock::now());
      if (!out.wait(std::max(wait, milliseconds(0)), worker_->fd())) return false;
    }
  }

  // A worker that lost its power says nothing, and neither does one whose build is another's by now; the store knows.
  bool isBehind() {
    try {
      return stored_->ended() || stored_->begunAgain() || stored_->size() > range_.begin;
    } catch (const store::Unavailable&) {
      return false;  // builds go on without it, and so does this
    }
  }

  bool takePlace() {
    if (++relay_.open_ > relay_.settings_.most) {
      --relay_.open_;
      relay_.note(Trouble::full);
      return false;
    }
    relay_.relays_.add(1);
    placed_ = true;
    return true;
  }

  void close() {
    worker_.reset();
    if (!placed_) return;
    placed_ = false;
    --relay_.open_;
    relay_.relays_.add(-1);
  }

  LogRelay& relay_;
  const logserve::Query query_;
  const std::unique_ptr<logserve::StoredLog> stored_;
  logserve::Range range_;
  std::unique_ptr<http::Download> worker_;
  bool placed_ = false;
  bool complete_ = false;  // the worker has no more to say
  milliseconds retry_;
  Clock::time_point retry_at_{};
};

LogRelay::LogRelay(RelaySettings settings, store::Store& store, discovery::Discovery& discovery, ticket::KeySource key,
                   daemon::Metrics& metrics)
    : settings_(std::move(settings)),
      store_(store),
      discovery_(discovery),
      key_(std::move(key)),
      client_(clientSettings(settings_)),
      relays_(metrics.gauge("ocelot_log_relays", "Followers that read a worker's log through this admin")),
      bytes_(metrics.counter("ocelot_log_relayed_bytes_total", "Bytes of workers' logs that went through this admin")) {
  for (const auto& [trouble, name] :
       {std::pair{Trouble::full, "full"}, std::pair{Trouble::unreachable, "unreachable"},
        std::pair{Trouble::refused, "refused"}, std::pair{Trouble::garbage, "garbage"}, std::pair{Trouble::cut, "cut"}})
    troubles_[trouble] = &metrics.counter("ocelot_log_relay_troubles_total",
                                          "Times that a follower went on from the store", {{"why", name}});
}

http::Answer LogRelay::answer(const logserve::Query& query, const std::string& build_id) {
  auto stored = logserve::openStored(store_, build_id);
  if (settings_.most <= 0 || model::isFinal(stored->build().state)) return logserve::answer(query, std::move(stored));
  http::Answer out = logserve::headFor(query);
  const auto follower = std::make_shared<Follower>(*this, query, std::move(stored));
  out.prepare = [follower](http::Answer& head) { follower->prepare(head); };
  out.stream = [follower](http::StreamWriter& writer) { return follower->run(writer); };
  return out;
}

std::string LogRelay::placeOf(const model::Build& build) const {
  std::string known;
  const auto oldest = store_.now() - kHeardOfWithin;
  for (const auto& row : store_.workers())
    if (row.id == build.worker && row.seen_at >= oldest) known = row.url;
  for (const auto& worker : discovery_.workers())
    if (worker.id == build.worker && (known.empty() || known == worker.url)) return worker.url;
  return "";
}

std::optional<std::string> LogRelay::ticketed(const std::string& worker_url, const model::Build& build) const {
  const auto key = key_();
  if (!key) return std::nullopt;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return worker_url + "/v1/builds/" + build.id + "/log?ticket=" + ticket::mint(*key, {build.id, build.attempt}, now);
}

void LogRelay::note(Trouble trouble) { troubles_.at(trouble)->add(); }

bool LogRelay::isAway(const std::string& url) {
  const std::lock_guard guard(mutex_);
  const auto found = away_.find(url);
  return found != away_.end() && found->second > Clock::now();
}

// Told once, until it answers again.
void LogRelay::setAway(const std::string& url, const std::string& why) {
  const std::lock_guard guard(mutex_);
  if (away_.size() >= kMostAway && !away_.count(url)) away_.clear();
  const bool fresh = away_.insert_or_assign(url, Clock::now() + settings_.away).second;
  if (fresh)
    daemon::log(LogLevel::warning, "a worker's log server is not reached; its logs are read from the store",
                {{"why", why}});
}

void LogRelay::setThere(const std::string& url) {
  const std::lock_guard guard(mutex_);
  if (away_.erase(url) != 0) daemon::log(LogLevel::info, "a worker's log server answers again", {{"url", url}});
}

}  // namespace ocelot::admin
