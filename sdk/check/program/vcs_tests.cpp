// What a provider does with hooks that nobody signed, names that nobody has, and a forge that does not answer.

#include <thread>

#include "check/program/subject.hpp"
#include "check/program/suite.hpp"

namespace ocelot::check {
namespace {

const std::string kCommit(40, 'a');

std::unique_ptr<Vcs> made(Subject& subject, const Settings& settings) {
  std::string why;
  std::unique_ptr<Vcs> vcs;
  if (statusOf([&] { vcs = subject.vcs(settings); }, &why) != Status::ok)
    throw Skipped("with made-up settings it refuses (" + why + "); give real ones with --set");
  return vcs;
}

void noFault(Status status, const std::string& why, const std::string& what) {
  require(status != Status::internal, what + " is an internal error: " + why);
}

bool takesHooks(Vcs& vcs) {
  TestCall call;
  return statusOf([&] { vcs.verifyHook(call, {}); }) != Status::unsupported;
}

Repo someRepo(Vcs& vcs) {
  TestCall call;
  Repo repo{"acme/shop", "https://ocelot-check.example/acme/shop.git"};
  statusOf([&] { repo = vcs.identify(call, repo.url); });
  return repo;
}

void unsignedHook(Subject& subject) {
  const Settings settings = subject.settings();
  const auto vcs = made(subject, settings);
  if (!takesHooks(*vcs)) throw Skipped("it takes no webhooks");
  for (const char* header : {"", "x-hub-signature-256", "x-gitea-signature", "x-gitlab-token", "x-ocelot-signature"}) {
    for (const std::string& signature : {std::string(), std::string(64, '0'), "sha256=" + std::string(64, '0')}) {
      Hook hook;
      if (*header != '\0') hook.headers = {{header, signature}};
      hook.body = R"({"ref":"refs/heads/main","after":")" + kCommit + "\"}";
      TestCall call;
      const Status status = statusOf([&] { vcs->verifyHook(call, hook); });
      require(status == Status::unauthenticated || status == Status::invalid,
              "a hook without a valid signature (" + std::string(header) + ") is answered " + nameOf(status));
    }
  }
  subject.rules();
}

void cutHooks(Subject& subject) {
  const Settings settings = subject.settings();
  const auto vcs = made(subject, settings);
  if (!takesHooks(*vcs)) throw Skipped("it takes no webhooks");
  const std::string body =
      R"({"ref":"refs/heads/main","before":")" + kCommit + R"(","after":")" + kCommit +
      R"(","repository":{"full_name":"acme/shop","clone_url":"https://ocelot-check.example/acme/shop.git"},)"
      R"("commits":[{"id":")" +
      kCommit + R"(","message":"Mend","added":["a"],"modified":[],"removed":[]}]})";
  std::vector<std::string> bodies{"",
                                  "null",
                                  "[]",
                                  "{}",
                                  "0",
                                  "\"\"",
                                  std::string(1 << 20, '['),
                                  std::string(1 << 20, 'a'),
                                  "\xff\xfe",
                                  std::string(1, '\0'),
                                  R"({"ref":{"ref":[]},"commits":7,"repository":null})"};
  for (std::size_t size = 0; size <= body.size(); ++size) bodies.push_back(body.substr(0, size));
  for (const std::string& one : bodies) {
    Hook hook;
    hook.headers = {{"content-type", "application/json"},
                    {"x-github-event", "push"},
                    {"x-gitea-event", "push"},
                    {"x-gitlab-event", "Push Hook"},
                    {"x-event-key", "repo:push"}};
    hook.body = one;
    TestCall call;
    std::string why;
    const Status status = statusOf([&] { vcs->parseHook(call, hook); }, &why);
    noFault(status, why, "a hook of " + std::to_string(one.size()) + " bytes, cut off or odd,");
  }
  subject.rules();
}

void oddNames(Subject& subject) {
  const Settings settings = subject.settings();
  const auto vcs = made(subject, settings);
  const std::vector<std::string> names{"",
                                       "/",
                                       "..",
                                       "../../etc",
                                       "--upload-pack=/bin/false",
                                       "-x",
                                       "a b",
                                       "a\nb",
                                       std::string("a\0b", 3),
                                       std::string(100000, 'a'),
                                       "ext::sh -c id",
                                       "\xff\xfe",
                                       "https://",
                                       "file:///etc/passwd",
                                       "git@--host:x",
                                       "main^{/x}",
                                       "refs/heads/../x"};
  const Repo repo = someRepo(*vcs);
  for (const std::string& name : names) {
    const std::string what = "a name of " + std::to_string(name.size()) + " odd bytes";
    std::string why;
    TestCall call;
    noFault(statusOf([&] { vcs->identify(call, name); }, &why), why, "identify with " + what);
    noFault(statusOf([&] { vcs->resolve(call, repo, name); }, &why), why, "resolve with " + what);
    Status status = statusOf([&] { vcs->readFile(call, {repo, kCommit}, name, 1024); }, &why);
    noFault(status, why, "readFile with " + what);
    status = statusOf([&] { vcs->readFile(call, {repo, name}, "ocelot.yml", 1024); }, &why);
    noFault(status, why, "readFile at a commit with " + what);
    require(status != Status::ok, "a commit id of odd bytes names a file");
    noFault(statusOf([&] { vcs->heads(call, {name, name}); }, &why), why, "heads with " + what);
  }
  subject.rules();
}

void outcomesOfHttp(Subject& subject) {
  const Settings settings = subject.settings();
  const auto vcs = made(subject, settings);
  const Repo repo = someRepo(*vcs);
  struct Case {
    int status;
    std::vector<Status> right;
  };
  const std::vector<Case> cases{{0, {Status::unavailable}},   {401, {Status::unauthenticated}},
                                {404, {Status::not_found}},   {429, {Status::unavailable}},
                                {500, {Status::unavailable}}, {502, {Status::unavailable}}};
  for (const Case& one : cases) {
    subject.host().answerWith(one.status, "no");
    const std::size_t before = subject.host().asked();
    TestCall call;
    std::string why;
    const Status status = statusOf([&] { vcs->resolve(call, repo, "main"); }, &why);
    if (subject.host().asked() == before) throw Skipped("it does not use the host's HTTP");
    require(status == one.right.front(), "an answer " + std::to_string(one.status) + " becomes " + nameOf(status) +
                                             " instead of " + nameOf(one.right.front()) + ": " + why);
  }
  for (const char* body : {"", "null", "{", "<html>", "[[[["}) {
    subject.host().answerWith(200, body);
    TestCall call;
    std::string why;
    noFault(statusOf([&] { vcs->heads(call, repo); }, &why), why, "an answer that makes no sense");
    noFault(statusOf([&] { vcs->changes(call, {repo, kCommit}, ""); }, &why), why, "an answer that makes no sense");
  }
  subject.rules();
}

void deadline(Subject& subject) {
  const Settings settings = subject.settings();
  const auto vcs = made(subject, settings);
  const Repo repo = someRepo(*vcs);
  subject.host().answerWith(-1);
  TestCall call{std::chrono::milliseconds(300)};
  const auto begin = std::chrono::steady_clock::now();
  statusOf([&] { vcs->heads(call, repo); });
  require(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2), "a deadline of 300 ms was not kept");
  subject.rules();
}

void cancelled(Subject& subject) {
  const Settings settings = subject.settings();
  const auto vcs = made(subject, settings);
  const Repo repo = someRepo(*vcs);
  subject.host().answerWith(-1);
  TestCall call{std::chrono::minutes(5)};
  const auto begin = std::chrono::steady_clock::now();
  std::thread canceller([&] { call.cancel(); });
  statusOf([&] { vcs->heads(call, repo); });
  canceller.join();
  require(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10), "a cancelled call went on");
  subject.rules();
}

}  // namespace

std::vector<Test> vcsTests() {
  return {{"vcs.unsigned_hook", "a hook without a valid signature is refused", unsignedHook},
          {"vcs.cut_hooks", "no hook, cut off anywhere or odd, is a crash or an internal error", cutHooks},
          {"vcs.odd_names", "odd names of repos, files and revisions are answered, and never obeyed", oddNames},
          {"vcs.http", "what a forge answers becomes the outcome that says what to do next", outcomesOfHttp},
          {"vcs.deadline", "a forge that hangs does not hold it beyond the deadline", deadline},
          {"vcs.cancelled", "a cancelled call ends", cancelled}};
}

}  // namespace ocelot::check
