#include "components/hookhandler/inbox.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "components/hookhandler/push.hpp"
#include "components/hookhandler/signature.hpp"
#include "host/daemon/log.hpp"
#include "host/http/json.hpp"
#include "host/store/lead.hpp"
#include "host/trigger/clean_text.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::hookhandler {
namespace {

using daemon::log;
using http::Refusal;
using std::chrono::milliseconds;

constexpr int kAtOnce = 20;
constexpr milliseconds kReadTimeout{300000};
constexpr int kDeaths = 3;
constexpr std::string_view kBeingRead = "being read by ";
constexpr std::string_view kDied = "; readers that died: ";

http::Answer stored(const char* what, int status) {
  http::JsonWriter out;
  out.object().field("status", what).end();
  return http::json(out.text(), status);
}

// One answer for a repository that does not exist and for a signature that does not hold: nobody learns which.
[[noreturn]] void refuse() {
  throw Refusal(401, "bad_signature", "the hook is not signed with the secret of this repository",
                "X-Ocelot-Signature-256: sha256=HMAC-SHA256 of the raw body; `ocelot repos add` told the secret");
}

const char* const kSignature = "x-ocelot-signature-256";

// "" unless there is exactly one.
std::string signatureOf(const http::Request& request) {
  const auto count = std::count_if(request.headers.begin(), request.headers.end(),
                                   [](const auto& header) { return header.first == kSignature; });
  return count == 1 ? request.header(kSignature) : "";
}

// The note of a hook that is being read. Whoever finds another's on a hook that nobody holds knows that its reader
// died.
std::string beingRead(const std::string& reader, int deaths) {
  return std::string(kBeingRead) + reader + std::string(kDied) + std::to_string(deaths);
}

int deathsBefore(const std::string& note, const std::string& reader) {
  const auto died = note.find(kDied);
  if (note.compare(0, kBeingRead.size(), kBeingRead) != 0 || died == std::string::npos) return 0;
  const int before = std::atoi(note.c_str() + died + kDied.size());
  return note.compare(kBeingRead.size(), reader.size(), reader) == 0 ? before : before + 1;
}

trigger::Request requestFor(Call& call, providers::Providers& providers, const model::Repo& repo, const Push& push) {
  trigger::Request request;
  request.repo = repo;
  request.trigger = model::Trigger::push;
  request.requested_by = "hook";
  providers.with(repo.vcs, [&](Vcs& vcs) {
    const Repo at{repo.name, repo.url};
    const std::string commit = push.commit.empty() ? vcs.resolve(call, at, push.branch) : push.commit;
    request.change = vcs.changes(call, Commit{at, commit}, push.before);
    request.change.kind = Change::Kind::push;
    request.change.repo = at;
    request.change.branch = push.branch;
    request.change.commit = commit;
    request.change.before = push.before;
    request.file = trigger::readPipelineFile(vcs, call, Commit{at, commit});
  });
  return request;
}

}  // namespace

Inbox::Inbox(engines::Engines& engines, providers::Providers& providers, daemon::Metrics& metrics,
             InboxSettings settings)
    : engines_(engines),
      providers_(providers),
      metrics_(metrics),
      settings_(settings),
      me_(model::newUuid()),
      thread_([this] { run(); }) {}

Inbox::~Inbox() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

http::Answer Inbox::receive(const http::Request& request) {
  const auto counted = [this](const char* outcome) {
    metrics_.counter("ocelot_hooks_total", "Webhooks received, by outcome", {{"outcome", outcome}}).add();
  };
  const std::string id = request.param("repo");
  const auto repo = id.size() == 36 ? engines_.store->findRepoById(id) : std::nullopt;
  const auto secret =
      repo && !repo->hook_secret_name.empty() ? engines_.secrets->find(repo->hook_secret_name) : std::nullopt;
  if (!secret || !signedBy(*secret, request.body, signatureOf(request))) {
    counted("refused");
    refuse();
  }
  store::InboxItem item;
  item.repo_id = repo->id;
  item.delivery = request.header("x-ocelot-delivery").substr(0, 200);
  if (item.delivery.empty()) item.delivery = model::newUuid();
  http::JsonWriter headers;
  headers.array();
  for (const auto& [name, value] : request.headers)
    if (name != "authorization" && name != "cookie") headers.array().value(name).value(value).end();
  headers.end();
  item.headers_json = headers.text();
  item.body = request.body;
  const bool fresh = engines_.store->storeHook(item);
  counted(fresh ? "stored" : "duplicate");
  if (!fresh) return stored("duplicate", 200);
  std::lock_guard guard(mutex_);
  arrived_ = true;
  changed_.notify_all();
  return stored("stored", 202);
}

void Inbox::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    arrived_ = false;
    lock.unlock();
    try {
      turn();
    } catch (const std::exception& error) {
      log(LogLevel::warning, "reading hooks failed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, settings_.interval, [this] { return stopping_ || arrived_; });
  }
}

bool Inbox::stopping() {
  std::lock_guard guard(mutex_);
  return stopping_;
}

bool Inbox::pausing(const std::string& repo_id) const {
  const auto pause = pauses_.find(repo_id);
  return pause != pauses_.end() && Clock::now() < pause->second.until;
}

// Past the hooks of a repository that is away, to those of the others.
void Inbox::turn() {
  std::set<std::string> elsewhere;  // repos whose hooks another process reads
  std::int64_t after = 0;
  for (auto items = engines_.store->pendingHooks(kAtOnce); !items.empty();
       items = engines_.store->pendingHooks(kAtOnce, after)) {
    for (const auto& item : items) {
      if (stopping()) return;
      after = item.id;
      if (pausing(item.repo_id) || elsewhere.count(item.repo_id)) continue;
      if (const auto lead = store::Lead::tryTake(*engines_.store, "hooks " + item.repo_id, me_)) {
        readLocked(item);
      } else {
        elsewhere.insert(item.repo_id);
      }
    }
  }
}

void Inbox::readLocked(const store::InboxItem& item) {
  const auto still = engines_.store->pendingHooks(1, item.id - 1);
  if (still.empty() || still.front().id != item.id) return;  // settled by another process meanwhile
  const int deaths = deathsBefore(still.front().note, me_);
  if (deaths >= kDeaths)
    return settle(item, "parked", "its reader died " + std::to_string(deaths) + " times", "parked");
  engines_.store->settleHook(item.id, "new", beingRead(me_, deaths));
  read(item);
}

void Inbox::settle(const store::InboxItem& item, const std::string& state, const std::string& note,
                   const std::string& outcome) {
  engines_.store->settleHook(item.id, state, note);
  metrics_.counter("ocelot_hooks_read_total", "Webhooks understood, by what became of them", {{"outcome", outcome}})
      .add();
  if (state == "parked")
    log(LogLevel::warning, "a hook is parked", {{"repo", item.repo_id}, {"delivery", item.delivery}, {"why", note}});
}

void Inbox::read(const store::InboxItem& item) {
  const auto repo = engines_.store->findRepoById(item.repo_id);
  if (!repo) return settle(item, "ignored", "the repository is not known any more", "ignored");
  try {
    SimpleCall call(kReadTimeout);
    const auto decision =
        trigger::submit(*engines_.store, *engines_.queue, requestFor(call, providers_, *repo, readPush(item.body)));
    const std::string verdict(trigger::toString(decision.verdict));
    const std::string note = verdict + (decision.number ? " #" + std::to_string(decision.number) : "") +
                             (decision.sentence.empty() ? "" : ": " + decision.sentence);
    settle(item, decision.build_id.empty() ? "ignored" : "done", note, verdict);
    // A poll looks at all of its branches, and knows better.
    if (pauses_.erase(repo->id) || (repo->poll_seconds == 0 && !repo->trouble.empty()))
      engines_.store->setRepoTrouble(repo->id, "");
    log(LogLevel::info, "hook read", {{"repo", repo->name}, {"outcome", note}});
  } catch (const store::Unavailable&) {
    throw;  // nothing was written: it stays as it is
  } catch (const Error& error) {
    const bool away = error.status() == Status::unavailable || error.status() == Status::cancelled;
    // A try is two notes: that it began, and how it ended.
    if (!away || item.attempts / 2 + 1 >= settings_.tries) return settle(item, "parked", error.what(), "parked");
    settle(item, "new", error.what(), "again");
    auto& pause = pauses_.try_emplace(repo->id, Pause{{}, settings_.first_pause / 2}).first->second;
    pause.length = std::min(2 * pause.length, settings_.most_pause);
    pause.until = Clock::now() + pause.length;
    engines_.store->setRepoTrouble(repo->id, trigger::cleanText("hooks wait: " + std::string(error.what()), 4096));
    log(LogLevel::warning, "a hook cannot be read yet", {{"repo", repo->name}, {"why", error.what()}});
  } catch (const std::exception& error) {
    settle(item, "parked", error.what(), "parked");
  }
}

}  // namespace ocelot::hookhandler
