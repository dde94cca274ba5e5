#include "components/hookhandler/inbox.hpp"

#include "components/hookhandler/push.hpp"
#include "components/hookhandler/signature.hpp"
#include "host/daemon/log.hpp"
#include "host/http/json.hpp"
#include "host/trigger/trigger.hpp"

namespace ocelot::hookhandler {
namespace {

using daemon::log;
using http::Refusal;
using std::chrono::milliseconds;

constexpr int kAtOnce = 20;
constexpr int kGiveUpAfter = 20;
constexpr milliseconds kLookEvery{5000};
constexpr milliseconds kReadTimeout{300000};

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

Inbox::Inbox(engines::Engines& engines, providers::Providers& providers)
    : engines_(engines), providers_(providers), thread_([this] { run(); }) {}

Inbox::~Inbox() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

http::Answer Inbox::receive(const http::Request& request) {
  try {
    const std::string id = request.param("repo");
    const auto repo = id.size() == 36 ? engines_.store->findRepoById(id) : std::nullopt;
    if (!repo || repo->hook_secret_name.empty()) refuse();
    const auto secret = engines_.secrets->find(repo->hook_secret_name);
    if (!secret || !signedBy(*secret, request.body, request.header("x-ocelot-signature-256"))) refuse();
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
    if (!engines_.store->storeHook(item)) return stored("duplicate", 200);
    std::lock_guard guard(mutex_);
    arrived_ = true;
    changed_.notify_all();
    return stored("stored", 202);
  } catch (const store::Unavailable& away) {
    Refusal refusal(503, "store_away", std::string("the hook cannot be stored now: ") + away.what(), "send it again");
    refusal.retry_after_s = 10;
    throw refusal;
  } catch (const secrets::Unavailable& away) {
    Refusal refusal(503, "secrets_away", std::string("the hook cannot be verified now: ") + away.what(), "send it again");
    refusal.retry_after_s = 10;
    throw refusal;
  }
}

void Inbox::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    arrived_ = false;
    lock.unlock();
    try {
      for (const auto& item : engines_.store->pendingHooks(kAtOnce)) read(item);
    } catch (const std::exception& error) {
      log(LogLevel::warning, "reading hooks failed; it is tried again", {{"why", error.what()}});
    }
    lock.lock();
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_ || arrived_; });
  }
}

void Inbox::read(const store::InboxItem& item) {
  const auto repo = engines_.store->findRepoById(item.repo_id);
  if (!repo) return engines_.store->settleHook(item.id, "ignored", "the repository is not known any more");
  try {
    SimpleCall call(kReadTimeout);
    const auto decision =
        trigger::submit(*engines_.store, *engines_.queue, requestFor(call, providers_, *repo, readPush(item.body)));
    const std::string note = std::string(trigger::toString(decision.verdict)) +
                             (decision.number ? " #" + std::to_string(decision.number) : "") +
                             (decision.sentence.empty() ? "" : ": " + decision.sentence);
    engines_.store->settleHook(item.id, decision.build_id.empty() ? "ignored" : "done", note);
    log(LogLevel::info, "hook read", {{"repo", repo->name}, {"outcome", note}});
  } catch (const store::Unavailable&) {
    throw;  // nothing was written: it stays as it is
  } catch (const Error& error) {
    const bool again = error.status() == Status::unavailable && item.attempts < kGiveUpAfter;
    log(LogLevel::warning, again ? "a hook cannot be read yet" : "a hook is parked",
        {{"repo", repo->name}, {"why", error.what()}});
    engines_.store->settleHook(item.id, again ? "new" : "parked", error.what());
  } catch (const std::exception& error) {
    engines_.store->settleHook(item.id, "parked", error.what());
  }
}

}  // namespace ocelot::hookhandler
