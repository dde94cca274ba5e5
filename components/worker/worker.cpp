#include "components/worker/worker.hpp"

#include <sys/statvfs.h>

#include <chrono>
#include <filesystem>

#include "components/worker/build/main.hpp"
#include "components/worker/build/secret_source.hpp"
#include "components/worker/passes.hpp"
#include "host/consul/consul.hpp"
#include "host/git/git.hpp"
#include "host/pipeline/pipeline.hpp"
#include "host/runtimes/choices.hpp"
#include "host/runtimes/registry_access.hpp"

namespace ocelot::worker {
namespace {

using daemon::log;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLookEvery{5000};                         // at a runtime that is away
constexpr milliseconds kTidyEvery{3600000}, kTidyAtMost{60000};  // mirrors that no build uses

}  // namespace

void Worker::check(const config::Config& config, std::vector<config::Problem>& problems) {
  if (config.duration("worker.heartbeat") * 3 > config.duration("worker.lease"))
    problems.push_back(
        {config.where("worker.heartbeat"),
         "worker.heartbeat must be at most a third of worker.lease, or one late renewal costs every build"});
  for (const auto& url : config.list("worker.admin_url"))
    if (url.compare(0, 7, "http://") != 0 && url.compare(0, 8, "https://") != 0)
      problems.push_back({config.where("worker.admin_url"),
                          "worker.admin_url: \"" + url + "\" is no URL that begins with http:// or https://"});
}

void Worker::open(daemon::Context& context) {
  const config::Config& config = context.config();
  settings_ = settingsFrom(config);
  engines::openForDaemon(engines_, config, [&] {
    ticket_key_ = std::make_unique<engines::SharedKey>(engines_, ticket::kKeySecret);
    gate_ = std::make_unique<ticket::Gate>([this] { return ticket_key_->get(); });
    secrets_away_ = engines_.secrets->whyAway();
    runtime_choices_ = runtimes::choicesOf(config, engines::resolverOf(*engines_.secrets));
    started_at_ = engines_.store->now();
    takeId();
  });
}

// Before anything is done in the name of this id: a copied machine has builds of the other one's to give back. One that
// may only have died is waited for; one that goes on saying that it is there is another worker.
void Worker::takeId() {
  auto row = announcement();
  row.note = "starting";
  try {
    engines_.store->putWorker(row);
  } catch (const store::WorkerHeld& held) {
    const auto now = Clock::now();
    if (!refused_since_) refused_since_ = now;
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - *refused_since_).count();
    if (held.silent_for + 1'000'000 < waited) throw daemon::Unfit(held.what());
    throw daemon::Away("worker's id", held.what());
  }
}

void Worker::start(daemon::Context& context) {
  context_ = &context;
  const config::Config& config = context.config();
  providers_ = std::make_unique<providers::Providers>(config, engines::resolverOf(*engines_.secrets));
  runtimes_ = std::make_unique<Runtimes>(settings_.program, std::move(runtime_choices_));
  watch_ = std::make_unique<logs::LogWatch>();
  keeper_context_ = std::make_unique<KeeperContext>(keeperContext());

  http::Server& server =
      context.serve(logRoutes(*gate_, *watch_, [this](const std::string& id) { return findLive(id); }), nullptr);
  if (settings_.url.empty()) settings_.url = server.url();
  engines::watchHealth(context.health(), engines_);
  context.health().add("runtime", [this] { return runtimes_->whyNone(); });

  runtimes_->look();
  learnDrain();
  desk_ = std::make_unique<SecretDesk>(
      settings_.desk(), [this](const std::string& build, const std::string& name) { return secretFor(build, name); });
  adopt();
  try {
    announce();
  } catch (const consul::Unavailable& away) {
    log(LogLevel::warning, "not announced yet", {{"why", away.what()}});
  }
  taker_ = std::thread([this] { takeBuilds(); });
  leases_ = std::thread([this] { keepLeases(); });
  presence_ = std::thread([this] { showPresence(); });
  runtimes_thread_ = std::thread([this] { lookAfterRuntimes(); });
}

KeeperContext Worker::keeperContext() {
  const auto accessTo = [this](const model::Build& build, std::string& url) {
    const auto repo = engines_.store->findRepo(build.repo);
    if (!repo) throw std::runtime_error("repository " + build.repo + " is not known any more");
    builddir::CloneAccess access;
    url = repo->url;
    providers_->with(repo->vcs, [&](Vcs& vcs) {
      SimpleCall call(milliseconds(60000));
      const CloneAccess told = vcs.clone(call, Repo{repo->name, repo->url});
      url = told.url;
      access = {told.username, told.password, told.ssh_key, told.known_hosts};
    });
    return access;
  };
  const auto registryAccess = [this](const model::Build& build) {
    const auto read = pipeline::read(build.pipeline, "ocelot.yml");
    return read.pipeline ? runtimes::registryAccess(*engines_.secrets, read.pipeline->image)
                         : builddir::RegistryAccess{};
  };
  const auto freed = [this] { engines_.queue->wakeUp(); };
  const auto away = [this](const std::string& why) {
    if (const auto nursery = runtimes_->choose()) runtimes_->suspect(nursery->runtime().name, why);
    std::lock_guard guard(mutex_);
    look_again_ = true;
    changed_.notify_all();
  };
  const auto secretsAway = [this](const std::string& why) {
    log(LogLevel::warning, "the secret store is away; builds wait", {{"why", why}});
    std::lock_guard guard(mutex_);
    secrets_away_ = why;
  };
  const auto secretsFor = [this](const store::ClaimedBuild& build, bool begun, bool has_pass) {
    return secretsAccess(context_->config(), settings_, engines_, build, {begun, has_pass});
  };
  const auto remove = [this](const builddir::Directory& directory) { removeDirectory(directory); };
  return KeeperContext{settings_,      *engines_.store, *watch_, secretsFor,  accessTo,
                       registryAccess, freed,           away,    secretsAway, remove};
}

void Worker::removeDirectory(const builddir::Directory& directory) {
  endPass(engines::vaultPlace(context_->config()), directory);
  directory.remove();
}

// What the build's process may ask for: what the build names, as long as it is ours.
std::optional<std::string> Worker::secretFor(const std::string& build_id, const std::string& name) {
  std::string repo, pipeline;
  {
    std::lock_guard guard(mutex_);
    const auto found = keepers_.find(build_id);
    if (found == keepers_.end() || found->second->concluded())
      throw secrets::Refused("the build is not this worker's any more");
    repo = found->second->build().repo;
    pipeline = found->second->build().pipeline;
  }
  if (secretsNamed(pipeline).count(name) == 0) throw secrets::Refused("ocelot.yml does not name it");
  try {
    const auto known = engines_.store->findRepo(repo);
    if (!known) throw secrets::Refused("repository " + repo + " is not known any more");
    return engines_.secrets->find("repo/" + known->id + "/" + name);
  } catch (const store::Unavailable& away) {
    throw secrets::Unavailable(std::string("the store is away: ") + away.what());
  }
}

std::optional<LiveLog> Worker::findLive(const std::string& build_id) {
  std::lock_guard guard(mutex_);
  const auto found = keepers_.find(build_id);
  if (found == keepers_.end()) return std::nullopt;
  return LiveLog{found->second->directory().disk(), found->second->claim().attempt};
}

// What the store says is ours goes on; what lies here and is not ours any more goes away.
void Worker::adopt() {
  for (auto& held : engines_.store->heldBy({settings_.id, settings_.key})) {
    const std::string id = held.build.id;
    const builddir::Directory directory(settings_.builds() + "/" + id, settings_.runBuilds() + "/" + id);
    const auto spec = builddir::readIfPresent(directory.spec());
    if (!spec || !std::filesystem::exists(directory.run())) {
      log(LogLevel::warning, "a build of ours left nothing here; it is given back", {{"build", id}});
      engines_.store->release(held.claim, "the worker lost its files");
      removeDirectory(directory);
      continue;
    }
    builddir::Order order;
    try {
      order = builddir::decodeOrder(*spec);
    } catch (const std::exception& unreadable) {
      endUnread(held, unreadable.what());
      continue;
    }
    auto nursery = runtimes_->find(order.runtime.name);
    if (!nursery) nursery = runtimes_->all().empty() ? nullptr : runtimes_->all().front();
    if (!nursery) continue;
    // What lies here may be an earlier attempt's, when the worker was killed between a claim and its first step.
    const bool same = order.build.attempt == held.claim.attempt;
    log(LogLevel::info, same ? "a build goes on" : "a build begins anew",
        {{"build", id}, {"attempt", std::to_string(held.claim.attempt)}});
    std::lock_guard guard(mutex_);
    keepers_.emplace(id, std::make_unique<Keeper>(*keeper_context_, nursery, std::move(held), same));
  }
  for (const auto& entry : std::filesystem::directory_iterator(settings_.builds())) {
    const std::string id = entry.path().filename();
    std::lock_guard guard(mutex_);
    if (keepers_.count(id)) continue;
    const builddir::Directory directory(entry.path(), settings_.runBuilds() + "/" + id);
    if (directory.busy()) {
      // Its process still runs: it is told to kill what it runs, and clears up itself; the next start removes the rest.
      builddir::replaceFile(directory.cancelFile(), "kill");
    } else {
      removeDirectory(directory);
    }
  }
}

// A build whose order this program does not understand can neither be followed nor begun again. It alone ends; what
// still runs of it is then nobody's.
void Worker::endUnread(const store::ClaimedBuild& held, const std::string& why) {
  log(LogLevel::error, why, {{"build", held.build.id}});
  store::Finish finish;
  finish.claim = held.claim;
  finish.outcome = {model::BuildState::error, "environment", why};
  finish.stages = held.build.stages;
  finish.log_bytes = held.build.log_bytes;
  endStages(finish.stages, finish.outcome, finish.log_bytes);
  engines_.store->finish(finish);
}

void Worker::takeBuilds() {
  const auto topics = [this] {
    std::vector<std::string> all{queue::topicFor("")};
    for (const auto& tag : settings_.tags) all.push_back(queue::topicFor(tag));
    return all;
  }();
  while (true) {
    {
      std::lock_guard guard(mutex_);
      if (stopping_ || draining_) return;
    }
    bury();
    bool took = false, looked = false;
    try {
      const bool free = whyIdle().empty() && busySlots() < slots();
      took = free && takeOne();
      looked = free;
    } catch (const store::Unavailable& away) {
      log(LogLevel::warning, "the store is away; no builds are taken", {{"why", away.what()}});
    } catch (const std::exception& error) {
      log(LogLevel::error, "taking a build failed", {{"why", error.what()}});
    }
    if (took) continue;
    // A wake-up is for a worker that can take what it tells of: without a free place it is left to the others.
    engines_.queue->wait(looked ? topics : std::vector<std::string>{}, milliseconds(2000));
    tellOfQueue();
  }
}

// Once, when it changes.
void Worker::tellOfQueue() {
  const std::string trouble = engines_.queue->trouble();
  if (trouble.empty() == queue_trouble_.empty()) return;
  queue_trouble_ = trouble;
  if (trouble.empty())
    log(LogLevel::info, "the queue is there again");
  else
    log(LogLevel::warning, "the queue is away; builds are looked for every two seconds", {{"why", trouble}});
}

bool Worker::takeOne() {
  auto nursery = runtimes_->choose();
  if (!nursery) return false;
  auto claimed = engines_.store->claim({settings_.id, settings_.key}, settings_.tags, settings_.lease.count());
  if (!claimed) return false;
  log(LogLevel::info, "build claimed",
      {{"build", claimed->build.id}, {"number", std::to_string(claimed->build.number)}, {"repo", claimed->build.repo}});
  const std::string id = claimed->build.id;
  context_->metrics().counter("ocelot_worker_builds_claimed_total", "builds taken from the queue").add();
  std::lock_guard guard(mutex_);
  // An attempt that we lost while we were away may still be winding up.
  auto& keeper = keepers_[id];
  keeper =
      std::make_unique<Keeper>(*keeper_context_, std::move(nursery), std::move(*claimed), false, std::move(keeper));
  return true;
}

std::string Worker::whyIdle() {
  {
    std::lock_guard guard(mutex_);
    if (!displaced_.empty()) return displaced_;
    if (drained_by_) return "drained by " + *drained_by_;
  }
  const std::string why = runtimes_->whyNone();
  if (!why.empty()) return why;
  {
    std::lock_guard guard(mutex_);
    if (!secrets_away_.empty()) return "no secrets: " + secrets_away_;
  }
  struct statvfs disk {};
  if (::statvfs(settings_.data_dir.c_str(), &disk) == 0) {
    const auto total = static_cast<std::int64_t>(disk.f_blocks * disk.f_frsize);
    const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
    std::lock_guard guard(mutex_);
    if (free < settings_.min_free_disk.of(total))
      return "no space: " + settings_.data_dir + " has " + std::to_string(free >> 20) +
             " MiB left (worker.min_free_disk)";
  }
  return "";
}

void Worker::bury() {
  std::vector<std::unique_ptr<Keeper>> gone;  // destroyed outside of the lock: a keeper's end joins its thread
  std::lock_guard guard(mutex_);
  for (auto it = keepers_.begin(); it != keepers_.end();) {
    if (it->second->done()) {
      gone.push_back(std::move(it->second));
      it = keepers_.erase(it);
    } else {
      ++it;
    }
  }
  changed_.notify_all();
}

int Worker::slots() {
  std::lock_guard guard(mutex_);
  return settings_.slots;
}

int Worker::busySlots() {
  std::lock_guard guard(mutex_);
  return static_cast<int>(keepers_.size());
}

// Whether a person has asked for no new builds.
void Worker::learnDrain() {
  std::optional<std::string> by;
  for (auto& drain : engines_.store->drains())
    if (drain.worker_id == settings_.id) by = std::move(drain.by);
  bool before = false;
  {
    std::lock_guard guard(mutex_);
    before = drained_by_.has_value();
    drained_by_ = by;
  }
  if (before == by.has_value()) return;
  if (by) {
    log(LogLevel::info, "asked to take no new builds", {{"by", *by}});
  } else {
    log(LogLevel::info, "builds are taken again");
  }
  engines_.queue->wakeUp();
}

store::WorkerRow Worker::announcement() const {
  store::WorkerRow row;
  row.id = settings_.id;
  row.key = settings_.key;
  row.place = settings_.place;
  row.lease_ms = settings_.lease.count();
  row.name = settings_.name;
  row.url = settings_.url;
  row.tags = settings_.tags;
  row.version = OCELOT_VERSION;
  row.started_at = started_at_;
  return row;
}

void Worker::announce() {
  auto row = announcement();
  row.slots = slots();
  row.note = context_->draining() ? "draining" : whyIdle();
  try {
    // Consul lets everybody say anything: whose an id is, the store knows.
    if (context_->config().text("discovery.kind") != "store") keepId(row);
    engines_.discovery->announce(row);
    setDisplaced("");
  } catch (const store::WorkerHeld& held) {
    setDisplaced(held.what());
    return;
  }
  std::vector<std::string> builds;
  {
    std::lock_guard guard(mutex_);
    for (const auto& [id, keeper] : keepers_)
      if (!keeper->concluded()) builds.push_back(id);
  }
  engines_.discovery->running(row.id, builds);
}

void Worker::keepId(const store::WorkerRow& row) {
  try {
    engines_.store->putWorker(row);
  } catch (const store::Unavailable&) {
    // Without it nobody else can take the id either.
  }
}

// Another has taken this worker's id, while this one was away for too long.
void Worker::setDisplaced(const std::string& why) {
  bool changed = false;
  {
    std::lock_guard guard(mutex_);
    changed = displaced_.empty() != why.empty();
    displaced_ = why;
  }
  if (!changed) return;
  if (why.empty()) {
    log(LogLevel::info, "this worker's id is its own again; builds are taken");
  } else {
    log(LogLevel::error, "another worker has this one's id; no builds are taken", {{"why", why}});
  }
  engines_.queue->wakeUp();
}

// The containers of builds that nobody runs: left by a crash, or by a worker that was away for too long.
void Worker::sweep() {
  for (const auto& nursery : runtimes_->all()) {
    // Listed first: a build that begins after that has its keeper before its container.
    std::vector<std::string> stray = nursery->containers(settings_.owner());
    {
      std::lock_guard guard(mutex_);
      for (const auto& [id, keeper] : keepers_) std::erase(stray, containerName(id, keeper->claim().attempt));
    }
    if (stray.empty()) continue;
    log(LogLevel::warning, "containers that nobody owned", {{"report", nursery->remove(stray)}});
  }
}

// Beside the builds: a mirror that one of them has in hand is left alone.
void Worker::tidyMirrors() {
  if (settings_.mirror_keep.count() == 0) return;
  try {
    git::Settings settings;
    settings.folder = settings_.data_dir + "/mirrors";
    SimpleCall call(kTidyAtMost);
    git::Git(settings).maintain(call, settings_.mirror_keep);
  } catch (const std::exception& error) {
    log(LogLevel::warning, "mirrors were not tidied", {{"why", error.what()}});
  }
}

// What no build can do without: a runtime, and the secret store.
void Worker::lookAfterRuntimes() {
  auto tidied = Clock::now() - kTidyEvery;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_ || look_again_; });
    if (stopping_) return;
    look_again_ = false;
    lock.unlock();
    if (Clock::now() - tidied >= kTidyEvery) {
      tidyMirrors();
      tidied = Clock::now();
    }
    const bool was_idle = !whyIdle().empty();
    runtimes_->look();
    const std::string secrets_away = engines_.secrets->whyAway();
    lock.lock();
    secrets_away_ = secrets_away;
    lock.unlock();
    if (was_idle && whyIdle().empty()) engines_.queue->wakeUp();
    lock.lock();
  }
}

void Worker::drain(daemon::Context&) {
  {
    std::lock_guard guard(mutex_);
    draining_ = true;
  }
  engines_.queue->wakeUp();
  taker_.join();
  engines_.queue->wait({}, milliseconds(0));  // what came for us is others' now
  const auto until = [this] {
    std::lock_guard guard(mutex_);
    return Clock::now() + settings_.drain_timeout;
  }();
  while (true) {
    bury();
    std::unique_lock lock(mutex_);
    if (keepers_.empty()) return;
    if (hurried_ || Clock::now() >= until)
      for (const auto& [id, keeper] : keepers_) keeper->giveBack("the worker was stopped");
    changed_.wait_for(lock, milliseconds(200));
  }
}

// What a build does not see, and nobody but the worker itself reads.
void Worker::reload(daemon::Context&, const config::Config& fresh) {
  const Settings wanted = settingsFrom(fresh);
  {
    std::lock_guard guard(mutex_);
    settings_.slots = wanted.slots;
    settings_.min_free_disk = wanted.min_free_disk;
    settings_.drain_timeout = wanted.drain_timeout;
  }
  engines_.queue->wakeUp();
}

void Worker::hurry(daemon::Context&) {
  std::lock_guard guard(mutex_);
  hurried_ = true;
  changed_.notify_all();
}

void Worker::stop(daemon::Context&) {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
    draining_ = true;
    changed_.notify_all();
  }
  engines_.queue->wakeUp();
  for (std::thread* thread : {&taker_, &leases_, &presence_, &runtimes_thread_})
    if (thread->joinable()) thread->join();
  desk_.reset();
  keepers_.clear();
  try {
    {
      std::lock_guard guard(mutex_);
      if (!displaced_.empty()) return;  // what stands there is the other's
    }
    engines_.discovery->withdraw(settings_.id);
    if (context_->config().text("discovery.kind") != "store") engines_.store->removeWorker(announcement());
  } catch (const std::exception&) {
    // What stands there goes out of date by itself.
  }
}

}  // namespace ocelot::worker

int main(int argc, char** argv) {
  if (argc >= 2 && std::string(argv[1]) == "build") return ocelot::worker::buildMain(argc - 2, argv + 2);
  if (argc == 2 && std::string(argv[1]) == "nursery") return ocelot::worker::nurseryMain();
  return ocelot::daemon::run(argc, argv, [] { return std::make_unique<ocelot::worker::Worker>(); });
}
