// The least that each daemon needs of PostgreSQL, as etc/postgres/roles.sql gives it.

#include <fstream>
#include <iterator>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

namespace {

// The store as a daemon of that role sees it; nullptr where the engine knows no roles.
std::unique_ptr<store::Store> openAs(Ground& ground, const std::string& role) {
  if (!ground.engine().hasServer()) return nullptr;
  std::ifstream file(OCELOT_ROLES_SQL);
  const std::string script{std::istreambuf_iterator<char>(file), {}};
  CPPUNIT_ASSERT(!script.empty());
  ground.engine().script(script);
  ground.engine().script(script);  // as after an upgrade
  const std::string login = "test_" + role;
  ground.engine().script("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" + login +
                         "') THEN CREATE ROLE " + login + " LOGIN IN ROLE " + role + "; END IF; END $$");
  auto settings = ground.engine().settings();
  const std::string owner = "user=ocelot";
  settings.dsn.replace(settings.dsn.find(owner), owner.size(), "user=" + login);
  auto store = store::open(settings);
  store->migrate();  // finds nothing to do
  store->ping();
  return store;
}

void denied(const std::string& what, const std::function<void()>& call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    const std::string said = error.what();
    CPPUNIT_ASSERT_MESSAGE(what + ": " + said, said.find("permission denied") != std::string::npos);
    CPPUNIT_ASSERT_MESSAGE(what + ": " + said, said.find("roles.sql") != std::string::npos);
    return;
  }
  CPPUNIT_FAIL("allowed: " + what);
}

store::Repo someRepo() {
  store::Repo repo;
  repo.id = model::newUuid();
  repo.name = "account/repo";
  repo.vcs = "git";
  repo.url = "https://example.com/repo.git";
  return repo;
}

store::Token someToken() {
  store::Token token;
  token.id = "t1";
  token.name = "ada";
  token.role = "admin";
  token.sha256_hex = std::string(64, 'a');
  return token;
}

void neitherTokensNorTheAudit(store::Store& store) {
  denied("read tokens", [&] { store.tokens(); });
  denied("check a token", [&] { store.findToken(std::string(64, 'a')); });
  denied("add a token", [&] { store.addToken(someToken()); });
  denied("revoke a token", [&] { store.revokeToken("t1"); });
  denied("read the audit", [&] { store.audit(0, 10); });
  denied("write the audit", [&] { store.beginAudit({}); });
  denied("put a secret", [&] { store.putBlob("system/x", "y"); });
  denied("remove a secret", [&] { store.removeBlob("system/x"); });
  denied("remove a repo", [&] { store.removeRepo("account/repo"); });
}

}  // namespace

CONTRACT(aWorkersRoleRunsBuildsAndNoMore) {
  const auto worker = openAs(ground, "ocelot_worker");
  if (!worker) return;
  ground.store().addRepo(someRepo());
  ground.store().putBlob("repo/secret", "sealed");
  const auto accepted = ground.accept();
  ground.accept("other");

  store::WorkerRow row;
  row.id = row.name = "worker-1";
  worker->putWorker(row);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, worker->workers().size());
  CPPUNIT_ASSERT(worker->drains().empty());
  CPPUNIT_ASSERT(worker->findRepo("account/repo"));
  CPPUNIT_ASSERT_EQUAL(std::string("sealed"), worker->getBlob("repo/secret").value());

  const auto claimed = worker->claim("worker-1", {}, 30'000);
  CPPUNIT_ASSERT(claimed && claimed->claim.build_id == accepted.id);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, worker->heldBy("worker-1").size());
  CPPUNIT_ASSERT(worker->renew({claimed->claim}, 30'000).front().held);
  model::Stage stage;
  stage.name = "test";
  stage.state = model::StageState::passed;
  CPPUNIT_ASSERT(worker->updateStages(claimed->claim, {stage}));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, worker->appendLog(claimed->claim, 0, "log").value());
  CPPUNIT_ASSERT_EQUAL(std::string("log"), ground.store().readLog(accepted.id, 0, 10));
  CPPUNIT_ASSERT(worker->finish(Ground::ending(claimed->claim)));
  CPPUNIT_ASSERT_EQUAL(std::string(), worker->previousPassed(claimed->claim));
  const auto given_back = worker->claim("worker-1", {}, 30'000);
  CPPUNIT_ASSERT(given_back && worker->release(given_back->claim, "drain"));
  worker->removeWorker(row);

  neitherTokensNorTheAudit(*worker);
  denied("accept a build", [&] { worker->accept(Ground::someBuild(), ""); });
  denied("cancel a build", [&] { worker->cancel(given_back->claim.build_id, "x"); });
  denied("read hooks", [&] { worker->pendingHooks(10); });
  denied("list builds", [&] { worker->builds({}); });
  denied("see a build", [&] { worker->findBuild(accepted.id); });
  denied("read a log", [&] { worker->readLog(accepted.id, 0, 10); });
}

// What a machine that runs builds can do to those of another one, whose build, worker and even the claim's form it
// knows: nothing.
CONTRACT(aForgedClaimReadsAndChangesNothing) {
  const auto attacker = openAs(ground, "ocelot_worker");
  if (!attacker) return;
  ground.accept();
  const auto theirs = ground.store().claim({"worker-1", "their key"}, {}, 30'000).value();
  ground.store().appendLog(theirs.claim, 0, "their log");
  model::Stage stage;
  stage.name = "theirs";
  stage.state = model::StageState::running;
  ground.store().updateStages(theirs.claim, {stage});
  const auto all = [&] {
    return ground.engine().text("SELECT md5(string_agg(b::text, ',')) FROM builds b") +
           ground.engine().text("SELECT md5(string_agg(s::text, ',')) FROM stages s") +
           ground.engine().text("SELECT md5(string_agg(c::text, ',')) FROM log_chunks c") +
           ground.engine().text("SELECT count(*) FROM notices") + ground.engine().text("SELECT count(*) FROM outbox");
  };
  const std::string before = all();

  for (const std::string& claim_id : {model::newClaimId(), std::string(), std::string("%"), theirs.claim.build_id}) {
    store::Claim forged = theirs.claim;
    forged.claim_id = claim_id;
    CPPUNIT_ASSERT(!attacker->renew({forged}, 1).front().held);
    CPPUNIT_ASSERT(!attacker->updateStages(forged, {stage}));
    CPPUNIT_ASSERT(!attacker->appendLog(forged, 9, "forged"));
    CPPUNIT_ASSERT(!attacker->finish(Ground::ending(forged)));
    CPPUNIT_ASSERT(!attacker->release(forged, "forged"));
    CPPUNIT_ASSERT_EQUAL(std::string(), attacker->previousPassed(forged));
  }
  for (const char* key : {"", "a key", "their ke"}) CPPUNIT_ASSERT(attacker->heldBy({"worker-1", key}).empty());

  const auto asWorker = [&](const std::string& sql) { ground.engine().script("SET ROLE ocelot_worker; " + sql); };
  for (const char* sql : {"SELECT claim_id FROM builds",
                          "SELECT * FROM stages",
                          "SELECT bytes FROM log_chunks",
                          "SELECT * FROM tokens",
                          "SELECT * FROM audit",
                          "SELECT * FROM notices",
                          "UPDATE builds SET state = 'passed'",
                          "DELETE FROM stages",
                          "SELECT ocelot_put_stages('x', '[]')",
                          "SELECT ocelot_key_sum('x')",
                          "SELECT * FROM log_totals",
                          "SELECT * FROM log_parts",
                          "SELECT bytes FROM log_chunks_1",
                          "TRUNCATE log_chunks_1",
                          "DROP TABLE log_chunks_1",
                          "ALTER TABLE log_chunks DETACH PARTITION log_chunks_1",
                          "CREATE TABLE log_chunks_9 PARTITION OF log_chunks FOR VALUES IN (9)",
                          "SELECT ocelot_log_part()",
                          "SELECT ocelot_admin_next_log_part(0, 1, 0)",
                          "SELECT ocelot_admin_keep_logs(0, 1)",
                          "SELECT ocelot_admin_empty_log_part(0)",
                          "UPDATE workers SET url = 'http://mine'",
                          "DELETE FROM workers",
                          "INSERT INTO workers (id, name, url, tags, slots, version, note, started_at, seen_at) VALUES "
                          "('x', '', '', '', 1, '', '', 0, 0)",
                          "SELECT ocelot_require_worker('x', '')"})
    CPPUNIT_ASSERT_THROW_MESSAGE(sql, asWorker(sql), std::runtime_error);
  // Tables of one's own in the way of the functions': they do not look there.
  asWorker(
      "CREATE TEMP TABLE builds (id text, claim_id text, state text, log_bytes bigint, fence bigint); INSERT INTO "
      "pg_temp.builds VALUES ('" +
      theirs.claim.build_id +
      "', 'mine', 'running', 0, 1); DO $$ BEGIN ASSERT "
      "ocelot_worker_append('" +
      theirs.claim.build_id + "', 'mine', 0, 'x') = -1; END $$");
  CPPUNIT_ASSERT_EQUAL(before, all());
  // And whoever holds the claim goes on.
  CPPUNIT_ASSERT(ground.store().renew({theirs.claim}, 30'000).front().held);
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(theirs.claim)));
}

CONTRACT(aHookhandlersRoleStoresHooksAndAcceptsBuilds) {
  const auto hooks = openAs(ground, "ocelot_hooks");
  if (!hooks) return;
  const auto repo = ground.store().addRepo(someRepo());
  store::InboxItem item;
  item.repo_id = repo.id;
  item.delivery = "1";
  item.headers_json = "[]";
  CPPUNIT_ASSERT(hooks->storeHook(item));
  CPPUNIT_ASSERT(!hooks->storeHook(item));
  const auto pending = hooks->pendingHooks(10);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, pending.size());
  CPPUNIT_ASSERT(hooks->findRepoById(repo.id));
  CPPUNIT_ASSERT(hooks->tryLead("inbox", "me", 1000));
  auto build = Ground::someBuild();
  build.stages.resize(1);
  build.stages[0].name = "test";
  CPPUNIT_ASSERT(!hooks->accept(build, "key").duplicate);
  CPPUNIT_ASSERT(hooks->accept(build, "key").duplicate);
  build.state = model::BuildState::rejected;
  hooks->accept(build, "");
  const auto outbox = hooks->outbox(10);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, outbox.size());
  hooks->published({outbox[0].id});
  hooks->setRepoTrouble(repo.id, "odd");
  hooks->settleHook(pending[0].id, "done", "");

  neitherTokensNorTheAudit(*hooks);
  denied("take a build", [&] { hooks->claim("x", {}, 1000); });
  denied("follow what the poller saw", [&] { hooks->updateRepoPoll(repo.id, "{}"); });
}

CONTRACT(aPollersRoleNotesHeadsAndAcceptsBuilds) {
  const auto poller = openAs(ground, "ocelot_poller");
  if (!poller) return;
  const auto repo = ground.store().addRepo(someRepo());
  CPPUNIT_ASSERT(poller->tryLead("poll", "me", 1000));
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, poller->repos().size());
  poller->updateRepoPoll(repo.id, "{}");
  poller->setRepoTrouble(repo.id, "odd");
  poller->accept(Ground::someBuild(), "key");
  const auto outbox = poller->outbox(10);
  poller->published({outbox.at(0).id});

  neitherTokensNorTheAudit(*poller);
  denied("take a build", [&] { poller->claim("x", {}, 1000); });
  denied("read hooks", [&] { poller->pendingHooks(10); });
}

CONTRACT(anAdminsRoleDoesEverythingButChangeTheTables) {
  const auto admin = openAs(ground, "ocelot_admin");
  if (!admin) return;
  admin->addRepo(someRepo());
  admin->addToken(someToken());
  CPPUNIT_ASSERT(admin->findToken(std::string(64, 'a')));
  admin->endAudit(admin->beginAudit({}), "x", 200);
  const auto accepted = admin->accept(Ground::someBuild(), "");
  CPPUNIT_ASSERT(admin->cancel(accepted.id, "ada") == model::BuildState::canceled);
  admin->putBlob("system/x", "y");
  store::Retention retention;
  retention.keep_builds_per_repo = 1;
  admin->accept(Ground::someBuild(), "");
  CPPUNIT_ASSERT_EQUAL(1, admin->prune(retention, 10));
  admin->takeNotices(10, 1000);
  CPPUNIT_ASSERT(admin->revokeToken("t1"));
  // A part of the logs is opened and emptied by functions, and in no other way.
  const auto claimed = ground.store().claim("w", {}, 30'000);
  CPPUNIT_ASSERT(ground.store().appendLog(claimed->claim, 0, "log"));
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claimed->claim, model::BuildState::failed)));
  admin->accept(Ground::someBuild(), "");
  ground.engine().sql("UPDATE log_parts SET begun_at = 1 WHERE state = 'open'");
  CPPUNIT_ASSERT_EQUAL(1, admin->prune(retention, 10));
  admin->prune(retention, 10);
  CPPUNIT_ASSERT_EQUAL(std::string("free"), ground.engine().text("SELECT state FROM log_parts WHERE part = 1"));
  CPPUNIT_ASSERT_EQUAL(std::string("0"), ground.engine().text("SELECT count(*) FROM log_chunks"));
  for (const char* sql : {"TRUNCATE log_chunks", "TRUNCATE log_chunks_1", "DROP TABLE log_chunks_1",
                          "UPDATE log_parts SET state = 'free'", "ALTER TABLE log_chunks DETACH PARTITION log_chunks_1",
                          "CREATE TABLE log_chunks_9 PARTITION OF log_chunks FOR VALUES IN (9)"})
    CPPUNIT_ASSERT_THROW_MESSAGE(sql, ground.engine().script(std::string("SET ROLE ocelot_admin; ") + sql),
                                 std::runtime_error);
  ground.engine().sql("DELETE FROM schema_version WHERE version > 1");
  try {
    admin->migrate();
    CPPUNIT_FAIL("the tables were changed");
  } catch (const store::Unavailable& refused) {
    const std::string said = refused.what();
    CPPUNIT_ASSERT_MESSAGE(said, said.find("owner") != std::string::npos);
  }
}
