#include "tests/support/api.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <openssl/evp.h>
#include <poll.h>

#include <array>
#include <fstream>
#include <sstream>

#include "host/http/client.hpp"
#include "host/http/json.hpp"

namespace ocelot::test {
namespace {

using Poco::JSON::Object;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::string str(const Object::Ptr& object, const char* key) { return object->optValue<std::string>(key, ""); }
std::int64_t num(const Object::Ptr& object, const char* key) { return object->optValue<Poco::Int64>(key, 0); }

Object::Ptr objectOf(const HttpAnswer& answer) {
  if (answer.status == 503) throw Error(Status::unavailable, "the API answered 503: " + answer.body);
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
  build.repo = str(from, "repo");
  build.branch = str(from, "branch");
  build.commit = str(from, "commit");
  build.trigger = str(from, "trigger");
  build.rerun_of = str(from, "rerun_of");
  build.worker = str(from, "worker");
  build.waiting = str(from, "waiting");
  build.attempt = static_cast<int>(num(from, "attempt"));
  build.started_at = num(from, "started_at");
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

void await(const std::string& what, const std::function<bool()>& holds, seconds limit) {
  const auto until = Clock::now() + limit;
  while (!holds()) {
    if (Clock::now() >= until)
      throw std::runtime_error("waited " + std::to_string(limit.count()) + " s in vain: " + what);
    ::poll(nullptr, 0, 15);
  }
}

std::string sha256Hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = digest.size();
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

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

HttpAnswer Api::ask(const std::string& method, const std::string& path, const std::string& body,
                    const std::vector<std::pair<std::string, std::string>>& headers, const std::string& daemon) {
  http::ClientSettings settings;
  settings.url = url(daemon);
  settings.token = token_;
  settings.max_redirects = 3;
  HttpRequest request;
  request.method = method;
  request.url = path;
  request.body = body;
  request.headers = headers;
  request.max_answer_bytes = 512u << 20;
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  SimpleCall call(seconds(60));
  return http::Client(settings).send(call, request);
}

RepoSeen Api::addRepo(const std::string& name, const std::string& place) {
  http::JsonWriter body;
  body.object().field("url", place).field("name", name).end();
  const auto added = objectOf(ask("POST", "/v1/repos", body.text()));
  return {str(added, "name"), str(added, "id"), str(added, "hook_secret")};
}

void Api::setSecret(const RepoSeen& repo, const std::string& name, const std::string& value) {
  http::JsonWriter body;
  body.object().field("value", value).end();
  objectOf(ask("PUT", "/v1/repos/" + http::encode(repo.name) + "/secrets/" + name, body.text()));
}

std::string Api::requestBuild(const std::string& repo, const std::string& branch, const std::string& commit) {
  http::JsonWriter body;
  body.object().field("repo", repo).field("branch", branch).field("commit", commit).field("force", true).end();
  return str(objectOf(ask("POST", "/v1/builds", body.text())), "id");
}

BuildSeen Api::show(const std::string& id_or_number) {
  return buildFrom(objectOf(ask("GET", "/v1/builds/" + id_or_number)));
}

std::vector<BuildSeen> Api::builds(const std::string& query) {
  std::vector<BuildSeen> out;
  std::int64_t before = 0;
  do {
    const std::string page = before > 0 ? "&before=" + std::to_string(before) : "";
    const auto answer = objectOf(ask("GET", "/v1/builds?limit=500" + page + (query.empty() ? "" : "&" + query)));
    const auto all = answer->getArray("builds");
    for (unsigned i = 0; i < all->size(); ++i) out.push_back(buildFrom(all->getObject(i)));
    before = num(answer, "next");
  } while (before > 0);
  return out;
}

BuildSeen Api::awaitState(const std::string& id, const std::string& state, seconds limit) {
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

BuildRun Api::awaitEnd(const std::string& id, seconds limit) {
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

std::string Api::storedLog(const std::string& id) {
  const auto answer = ask("GET", "/v1/builds/" + id + "/log?via=admin");
  if (answer.status != 200)
    throw std::runtime_error("the log of " + id + ": " + std::to_string(answer.status) + " " + answer.body);
  return answer.body;
}

void Api::awaitLog(const std::string& id, const std::string& text, seconds limit) {
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

Follower::Follower(Api& api, std::string build_id, std::string query)
    : api_(api), id_(std::move(build_id)), query_(std::move(query)), thread_([this] { follow(); }) {}

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
  settings.url = api_.url("admin");
  settings.token = api_.token();
  settings.max_redirects = 3;
  http::Client client(settings);
  look();
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
  const BuildSeen build = look();
  return build.final() && static_cast<std::int64_t>(text().size()) >= build.log_bytes;
}

// A run that begins after this one has another log.
BuildSeen Follower::look() {
  const BuildSeen build = api_.show(id_);
  if (build.started_at == 0) return build;
  std::lock_guard guard(mutex_);
  if (run_ != 0 && run_ != build.started_at) text_.clear();
  run_ = build.started_at;
  return build;
}

}  // namespace ocelot::test
