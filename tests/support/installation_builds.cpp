// Repositories and builds of an Installation, through its API.

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include "host/http/client.hpp"
#include "host/http/json.hpp"
#include "tests/support/installation.hpp"

namespace ocelot::test {
namespace {

using Poco::JSON::Object;
using std::chrono::seconds;

std::string str(const Object::Ptr& object, const char* key) { return object->optValue<std::string>(key, ""); }
std::int64_t num(const Object::Ptr& object, const char* key) { return object->optValue<Poco::Int64>(key, 0); }

Object::Ptr objectOf(const HttpAnswer& answer) {
  if (answer.status < 200 || answer.status > 299)
    throw std::runtime_error("the API answered " + std::to_string(answer.status) + ": " + answer.body);
  if (answer.body.empty()) return new Object;
  return Poco::JSON::Parser().parse(answer.body).extract<Object::Ptr>();
}

BuildSeen buildFrom(const Object::Ptr& from) {
  BuildSeen build;
  build.id = str(from, "id");
  build.number = num(from, "number");
  build.state = str(from, "state");
  build.reason = str(from, "reason");
  build.sentence = str(from, "sentence");
  build.branch = str(from, "branch");
  build.commit = str(from, "commit");
  build.trigger = str(from, "trigger");
  build.rerun_of = str(from, "rerun_of");
  build.waiting = str(from, "waiting");
  build.attempt = static_cast<int>(num(from, "attempt"));
  build.log_bytes = num(from, "log_bytes");
  build.log_sha256 = str(from, "log_sha256");
  const auto stages = from->getArray("stages");
  for (unsigned i = 0; stages && i < stages->size(); ++i) {
    const auto one = stages->getObject(i);
    StageSeen stage;
    stage.index = static_cast<int>(num(one, "index"));
    stage.name = str(one, "name");
    stage.state = str(one, "state");
    stage.sentence = str(one, "sentence");
    stage.exit_code = static_cast<int>(num(one, "exit_code"));
    stage.line = static_cast<int>(num(one, "line"));
    stage.log_begin = num(one, "log_begin");
    stage.log_end = num(one, "log_end");
    build.stages.push_back(stage);
  }
  return build;
}

}  // namespace

const StageSeen& BuildSeen::stage(const std::string& name) const {
  for (const auto& one : stages)
    if (one.name == name) return one;
  throw std::runtime_error("the build has no stage " + name + ": " + text());
}

std::string BuildSeen::text() const {
  std::string out = "#" + std::to_string(number) + " " + state + " attempt " + std::to_string(attempt) + " [" + reason +
                    "] " + sentence + (waiting.empty() ? "" : " (waiting: " + waiting + ")");
  for (const auto& one : stages)
    out += "\n  " + one.name + ": " + one.state + ", exit code " + std::to_string(one.exit_code) + " " + one.sentence;
  return out;
}

TestRepo Installation::makeRepo(const std::string& name, const std::string& yml,
                                const std::map<std::string, std::string>& files) {
  TestRepo repo;
  repo.git = GitRepo(folder_.path + "/repos/" + name);
  if (!yml.empty()) repo.git.write("ocelot.yml", yml);
  for (const auto& [file, content] : files) repo.git.write(file, content);
  repo.git.commit("first");
  http::JsonWriter body;
  body.object().field("url", repo.git.path).field("name", "test/" + name).end();
  const auto added = objectOf(ask("POST", "/v1/repos", body.text()));
  repo.name = str(added, "name");
  repo.id = str(added, "id");
  repo.hook_secret = str(added, "hook_secret");
  return repo;
}

void Installation::setSecret(const TestRepo& repo, const std::string& name, const std::string& value) {
  http::JsonWriter body;
  body.object().field("value", value).end();
  objectOf(ask("PUT", "/v1/repos/" + http::encode(repo.name) + "/secrets/" + name, body.text()));
}

std::string Installation::build(const TestRepo& repo, const std::string& branch) {
  http::JsonWriter body;
  body.object()
      .field("repo", repo.name)
      .field("branch", branch)
      .field("commit", repo.git.git("rev-parse " + branch))
      .field("force", true)
      .end();
  const std::string id = str(objectOf(ask("POST", "/v1/builds", body.text())), "id");
  GitRepo seen;  // for leftovers(): which control groups are ours
  seen.path = folder_.path;
  seen.write("seen/" + id, "");
  return id;
}

BuildSeen Installation::show(const std::string& id_or_number) {
  return buildFrom(objectOf(ask("GET", "/v1/builds/" + id_or_number)));
}

std::vector<BuildSeen> Installation::builds() {
  std::vector<BuildSeen> out;
  const auto all = objectOf(ask("GET", "/v1/builds?limit=500"))->getArray("builds");
  for (unsigned i = 0; i < all->size(); ++i) out.push_back(buildFrom(all->getObject(i)));
  return out;
}

BuildSeen Installation::awaitState(const std::string& id, const std::string& state, seconds limit) {
  BuildSeen seen;
  try {
    await(
        "build " + id + " is " + state, [&] { return (seen = show(id)).state == state || seen.final(); }, limit);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "; it is " + seen.text() + "\nworker:\n" + log("worker"));
  }
  if (seen.state != state) throw std::runtime_error("build " + id + " should be " + state + ", and is " + seen.text());
  return seen;
}

BuildRun Installation::awaitEnd(const std::string& id, seconds limit) {
  BuildSeen seen;
  try {
    await(
        "build " + id + " ends", [&] { return (seen = show(id)).final(); }, limit);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "; it is " + seen.text() + "\nlog:\n" + storedLog(id) +
                             "\nworker:\n" + log("worker"));
  }
  BuildRun out;
  static_cast<BuildSeen&>(out) = seen;
  out.log = storedLog(id);
  return out;
}

BuildRun Installation::runBuild(const TestRepo& repo, const std::string& branch) {
  return awaitEnd(build(repo, branch));
}

std::string Installation::storedLog(const std::string& id) {
  const auto answer = ask("GET", "/v1/builds/" + id + "/log?via=admin");
  if (answer.status != 200)
    throw std::runtime_error("the log of " + id + ": " + std::to_string(answer.status) + " " + answer.body);
  return answer.body;
}

void Installation::awaitLog(const std::string& id, const std::string& text, seconds limit) {
  std::string seen;
  try {
    await(
        "the log says \"" + text + "\"",
        [&] {
          const auto answer = ask("GET", "/v1/builds/" + id + "/log");
          if (answer.status == 200) seen = answer.body;
          return seen.find(text) != std::string::npos;
        },
        limit);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + show(id).text() + "\n" + seen.substr(0, 4000));
  }
}

Follower::Follower(Installation& installation, std::string build_id, std::string query)
    : installation_(installation), id_(std::move(build_id)), query_(std::move(query)), thread_([this] { follow(); }) {}

Follower::~Follower() {
  stop_ = true;
  thread_.join();
}

std::string Follower::text() const {
  std::lock_guard guard(mutex_);
  return text_;
}

void Follower::awaitText(const std::string& text, seconds limit) {
  await(
      "a follower sees \"" + text + "\"", [&] { return this->text().find(text) != std::string::npos; }, limit);
}

std::string Follower::awaitEnd(seconds limit) {
  await(
      "a follower sees the end", [&] { return done_.load(); }, limit);
  std::lock_guard guard(mutex_);
  if (!failure_.empty()) throw std::runtime_error(failure_);
  return text_;
}

void Follower::follow() {
  while (!stop_) {
    try {
      if (once()) break;
    } catch (const Error&) {
      // Somebody was killed: by offset it goes on.
    } catch (const std::exception& error) {
      std::lock_guard guard(mutex_);
      failure_ = error.what();
      break;
    }
    ++reconnects_;
    await("a moment", [turn = 0]() mutable { return turn++ > 3; });
  }
  done_ = true;
}

// True when the build has ended and all of its log is here.
bool Follower::once() {
  http::ClientSettings settings;
  settings.url = installation_.url("admin");
  settings.token = installation_.token();
  settings.max_redirects = 3;
  http::Client client(settings);
  HttpRequest request;
  request.url = "/v1/builds/" + id_ + "/log?follow=true&offset=" + std::to_string(text().size()) + query_;
  SimpleCall call(seconds(600));
  client.stream(
      call, request, [](const HttpAnswer& head) { return head.status == 200; },
      [&](std::string_view bytes) {
        std::lock_guard guard(mutex_);
        text_.append(bytes);
        return !stop_;
      });
  const BuildSeen build = installation_.show(id_);
  return build.final() && static_cast<std::int64_t>(text().size()) >= build.log_bytes;
}

}  // namespace ocelot::test
