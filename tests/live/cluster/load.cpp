#include "tests/live/cluster/load.hpp"

#include <algorithm>
#include <sstream>

#include "host/digest/digest.hpp"
#include "host/process/process.hpp"
#include "ocelot/host.hpp"
#include "tests/live/cluster/hosts.hpp"

namespace ocelot::test {
namespace {

constexpr int kLines = 8;

const char* const kYml = R"yml(image: ocelot.local/busybox
stages:
  - name: begin
    script: echo "this is $(cat word)"
  - name: count
    secrets: [TOKEN]
    script: |
      word=$(cat word) pause=$(cat pause) i=0
      while [ $i -lt 8 ]; do i=$((i+1)); echo "$word $i"; usleep $pause; done
      echo "the token is $TOKEN"
      echo "in other words $(printf %s "$TOKEN" | base64)"
  - name: end
    script: echo "$(cat word) ends"
)yml";

// Most are short; some last over a fault, and a few longer than nsqd lets a message be held.
int pauseOf(int number) {
  if (number % 24 == 5) return 1600;
  return number % 3 == 0 ? 700 : number % 3 == 1 ? 300 : 50;
}

}  // namespace

std::string Commission::log() const {
  std::string out = "this is " + branch + "\n";
  for (int i = 1; i <= kLines; ++i) out += branch + " " + std::to_string(i) + "\n";
  return out + "the token is [MASKED]\nin other words [MASKED]\n" + branch + " ends\n";
}

Load::Load(Cluster& cluster, std::string secret) : cluster_(cluster) {
  for (const std::string name : {"asked", "pushed", "polled"}) addSource(name, secret);
  const auto poll = cluster_.ask("PUT", "/v1/repos/test%2Fpolled/poll", "{\"seconds\":1}");
  if (poll.status != 200) throw std::runtime_error("set polling: " + poll.body);
  await("a poller has looked", [&] {
    return cluster_.ask("GET", "/v1/repos/test%2Fpolled").body.find("\"polled_at\":0") == std::string::npos;
  });
  sources_.at("asked").thread =
      std::thread([this] { bring(sources_.at("asked"), [this](const Commission& one) { return ask(one); }); });
  sources_.at("pushed").thread =
      std::thread([this] { bring(sources_.at("pushed"), [this](const Commission& one) { return push(one); }); });
}

Load::~Load() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& [name, source] : sources_)
    if (source.thread.joinable()) source.thread.join();
}

void Load::addSource(const std::string& name, const std::string& secret) {
  Source& source = sources_[name];
  source.git = GitRepo(cluster_.folder() + "/repos/" + name);
  source.git.write("ocelot.yml", kYml);
  source.git.commit("first");
  source.repo = cluster_.addRepo("test/" + name, source.git.path);
  cluster_.setSecret(source.repo, "TOKEN", secret);
}

// All in one go of git, as fast as two hundred pushes never come.
std::vector<Commission> Load::commit(Source& source, int builds, int pause_ms) {
  std::ostringstream stream;
  std::vector<Commission> made;
  const std::string first = source.git.git("rev-parse main");
  const auto file = [&](const std::string& name, const std::string& bytes) {
    stream << "M 100644 inline " << name << "\ndata " << bytes.size() << "\n" << bytes << "\n";
  };
  for (int i = 0; i < builds; ++i) {
    Commission one;
    one.repo = source.repo.name;
    one.pause_ms = pause_ms > 0 ? pause_ms : pauseOf(made_);
    one.branch = "b" + std::to_string(++made_);
    const std::string message = "change " + one.branch;
    stream << "commit refs/heads/" << one.branch << "\ncommitter Ada <ada@example.com> " << 1700000000 + made_
           << " +0000\ndata " << message.size() << "\n"
           << message << "\nfrom " << first << "\n";
    file("word", one.branch + "\n");
    file("pause", std::to_string(one.pause_ms * 1000) + "\n");
    made.push_back(one);
  }
  process::Command how;
  how.program = "git";
  how.arguments = {"fast-import", "--quiet"};
  how.environment = process::plainEnvironment();
  how.directory = source.git.path;
  how.input = stream.str();
  SimpleCall call(std::chrono::seconds(60));
  const auto imported = process::run(call, how);
  if (!imported.ok()) throw std::runtime_error("git fast-import: " + imported.err);
  for (auto& one : made) one.commit = source.git.git("rev-parse " + one.branch);
  return made;
}

void Load::release(int builds, int pause_ms) {
  for (const std::string name : {"asked", "pushed", "polled"}) {
    const int share = name == "polled" ? builds - 2 * (builds / 3) : builds / 3;
    if (share == 0) continue;
    Source& source = sources_.at(name);
    const auto made = commit(source, share, pause_ms);
    const std::lock_guard guard(mutex_);
    all_.insert(all_.end(), made.begin(), made.end());
    if (source.thread.joinable()) source.waiting.insert(source.waiting.end(), made.begin(), made.end());
  }
  changed_.notify_all();
}

void Load::bring(Source& source, const std::function<bool(const Commission&)>& once) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !source.waiting.empty(); });
    if (stopping_) return;
    const Commission one = source.waiting.front();
    lock.unlock();
    bool done = false;
    try {
      done = once(one);
    } catch (const std::exception&) {
      // Nobody answered, or not as hoped.
    }
    lock.lock();
    if (done) {
      source.waiting.pop_front();
      changed_.notify_all();
    } else {
      changed_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stopping_; });
    }
  }
}

// What was asked for without an answer may have been done. Whoever died in it does nothing more; so a look decides.
bool Load::ask(const Commission& commission) {
  const auto there = cluster_.builds("repo=" + commission.repo + "&branch=" + commission.branch);
  const std::string id =
      there.empty() ? cluster_.requestBuild(commission.repo, commission.branch, commission.commit) : there.front().id;
  const std::lock_guard guard(mutex_);
  known_.push_back(id);
  return true;
}

// As a forge does: to one of the addresses, again with the same id until it is taken; every fourth is delivered twice.
bool Load::push(const Commission& commission) {
  int times = 0;
  {
    const std::lock_guard guard(mutex_);
    times = deliveries_[commission.branch]++;
  }
  const RepoSeen& repo = sources_.at("pushed").repo;
  const std::string body = R"({"branch":")" + commission.branch + R"(","commit":")" + commission.commit + "\"}";
  const auto handlers = cluster_.daemons("hookhandler");
  const auto deliver = [&](std::size_t to) {
    return cluster_
        .to(cluster_.url(handlers[to % handlers.size()]), "POST", "/hooks/" + repo.id, body,
            {{"X-Ocelot-Signature-256", "sha256=" + digest::hmacSha256Hex(repo.hook_secret, body)},
             {"X-Ocelot-Delivery", commission.branch},
             {"Content-Type", "application/json"}})
        .status;
  };
  const int number = std::stoi(commission.branch.substr(1));
  const int status = deliver(static_cast<std::size_t>(number + times));
  if (status == 503) ++busy_;
  if (status != 202 && status != 200) return false;
  if (number % 4 == 0) deliver(static_cast<std::size_t>(number + times + 1));
  return true;
}

void Load::awaitAccepted() {
  await("all builds have come in", [this] {
    const std::lock_guard guard(mutex_);
    return std::all_of(sources_.begin(), sources_.end(), [](const auto& one) { return one.second.waiting.empty(); });
  });
}

std::vector<Commission> Load::commissions() const {
  const std::lock_guard guard(mutex_);
  return all_;
}

std::vector<std::string> Load::known() const {
  const std::lock_guard guard(mutex_);
  return known_;
}

}  // namespace ocelot::test
