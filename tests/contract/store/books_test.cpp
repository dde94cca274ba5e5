// Repos, hooks, notices, tokens and blobs.

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;
using model::BuildState;

CONTRACT(aRepoIsKeptAndItsNameIsTakenOnce) {
  auto& store = ground.store();
  store::Repo repo;
  repo.name = "account/repo";
  repo.vcs = "git";
  repo.url = "https://git.example.org/account/repo.git";
  repo.poll_seconds = 60;
  repo.poll_branches = "ALL";
  repo.hook_secret_name = "system/hook/1";
  const auto added = store.addRepo(repo);
  CPPUNIT_ASSERT_EQUAL(std::size_t{36}, added.id.size());
  CPPUNIT_ASSERT(added.added_at > 0);
  CPPUNIT_ASSERT_THROW(store.addRepo(repo), store::Conflict);
  repo.name = "account/another";
  store.addRepo(repo);
  CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store.repos().size());
  CPPUNIT_ASSERT_EQUAL(std::string("account/another"), store.repos().front().name);

  store.updateRepoPoll(added.id, "{\"main\":\"0123\"}");
  store.setRepoPolling(added.id, 30, "main,topic");
  store.setRepoTrouble(added.id, "it is\naway");
  for (const auto& found : {store.findRepo("account/repo"), store.findRepoById(added.id)}) {
    CPPUNIT_ASSERT(found.has_value());
    CPPUNIT_ASSERT_EQUAL(added.id, found->id);
    CPPUNIT_ASSERT_EQUAL(std::string("git"), found->vcs);
    CPPUNIT_ASSERT_EQUAL(repo.url, found->url);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, found->poll_seconds);
    CPPUNIT_ASSERT_EQUAL(std::string("main,topic"), found->poll_branches);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"main\":\"0123\"}"), found->heads_json);
    CPPUNIT_ASSERT_EQUAL(repo.hook_secret_name, found->hook_secret_name);
    CPPUNIT_ASSERT(found->polled_at > 0);
    CPPUNIT_ASSERT_EQUAL(std::string("it is\naway"), found->trouble);
  }
  CPPUNIT_ASSERT_EQUAL(std::string(), store.findRepo("account/another")->trouble);
  store.setRepoTrouble(added.id, "");
  CPPUNIT_ASSERT_EQUAL(std::string(), store.findRepo("account/repo")->trouble);
}

CONTRACT(aRemovedReposBuildsStayReadable) {
  store::Repo repo;
  repo.name = "account/repo";
  ground.store().addRepo(repo);
  const auto accepted = ground.accept();
  CPPUNIT_ASSERT(ground.store().removeRepo("account/repo"));
  CPPUNIT_ASSERT(!ground.store().removeRepo("account/repo"));
  CPPUNIT_ASSERT(!ground.store().findRepo("account/repo"));
  CPPUNIT_ASSERT(ground.store().findBuild(accepted.id));
}

CONTRACT(aDeliveryIsStoredOnceByteForByte) {
  auto& store = ground.store();
  store::InboxItem item;
  item.repo_id = "r1";
  item.delivery = "d1";
  item.headers_json = "[[\"x-event\",\"push\"]]";
  item.body = std::string("{\"a\":\"\0\xFF\"}", 11);
  CPPUNIT_ASSERT(store.storeHook(item));
  CPPUNIT_ASSERT_MESSAGE("the same again", !store.storeHook(item));
  item.repo_id = "r2";
  item.body = "";
  CPPUNIT_ASSERT_MESSAGE("another repo's", store.storeHook(item));
  item.delivery = "";
  CPPUNIT_ASSERT(store.storeHook(item));
  CPPUNIT_ASSERT_MESSAGE("without an id nothing is a duplicate", store.storeHook(item));

  const auto pending = store.pendingHooks(10);
  CPPUNIT_ASSERT_EQUAL(std::size_t{4}, pending.size());
  CPPUNIT_ASSERT_EQUAL(std::string("{\"a\":\"\0\xFF\"}", 11), pending[0].body);
  CPPUNIT_ASSERT_EQUAL(std::string("d1"), pending[0].delivery);
  CPPUNIT_ASSERT_EQUAL(item.headers_json, pending[0].headers_json);
  CPPUNIT_ASSERT(pending[1].body.empty());
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.pendingHooks(1).size());
  CPPUNIT_ASSERT_EQUAL(pending[2].id, store.pendingHooks(1, pending[1].id).at(0).id);
  CPPUNIT_ASSERT(store.pendingHooks(10, pending[3].id).empty());

  store.settleHook(pending[0].id, "new", "the store of secrets is away");
  CPPUNIT_ASSERT_EQUAL(1, store.pendingHooks(10)[0].attempts);
  CPPUNIT_ASSERT_EQUAL(std::string("the store of secrets is away"), store.pendingHooks(10)[0].note);
  store.settleHook(pending[0].id, "done", "build 1");
  store.settleHook(pending[1].id, "parked", "cannot be read");
  CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store.pendingHooks(10).size());
  CPPUNIT_ASSERT_THROW(store.settleHook(pending[2].id, "finished", ""), std::invalid_argument);
  item.repo_id = "r1";
  item.delivery = "d1";
  CPPUNIT_ASSERT_MESSAGE("a settled delivery is still known", !store.storeHook(item));
}

CONTRACT(aNoticeIsHiddenWhileSomebodyTellsIt) {
  auto& store = ground.store();
  const std::string first = ground.ended(BuildState::passed);
  const std::string second = ground.ended(BuildState::failed);
  const auto taken = store.takeNotices(1, 60'000);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, taken.size());
  CPPUNIT_ASSERT_EQUAL(first, taken.front().build_id);
  CPPUNIT_ASSERT_EQUAL(1, taken.front().attempts);
  const auto rest = store.takeNotices(10, 1);
  CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rest.size());
  CPPUNIT_ASSERT_EQUAL(second, rest.front().build_id);
  waitUntil("the second shows again", [&] {
    const auto again = store.takeNotices(10, 1);
    return again.size() == 1 && again.front().build_id == second && again.front().attempts >= 2;
  });
  store.settleNotice(taken.front().id);
  store.settleNotice(rest.front().id);
  CPPUNIT_ASSERT(store.takeNotices(10, 1).empty());
}

CONTRACT(aNoticeIsTriedAgainLaterAndLaterAndKnowsWhoWasTold) {
  auto& store = ground.store();
  ground.ended(BuildState::passed);
  const auto hidden = [&] {
    return std::stoll(ground.engine().text("SELECT hidden_until FROM notices")) - store.now();
  };
  std::int64_t pause = 30'000'000;
  for (int attempt = 1; attempt <= 12; ++attempt) {
    const auto taken = store.takeNotices(1, 30'000);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, taken.size());
    CPPUNIT_ASSERT_EQUAL(attempt, taken.front().attempts);
    CPPUNIT_ASSERT_EQUAL(std::string(attempt == 1 ? "" : "0,2"), taken.front().told);
    const auto left = hidden();
    CPPUNIT_ASSERT_MESSAGE(std::to_string(left), left <= pause && left > pause - 20'000'000);
    if (attempt < 10) pause *= 2;
    store.noteNotice(taken.front().id, "0,2");
    ground.engine().sql("UPDATE notices SET hidden_until = 0");
  }
}

CONTRACT(whatWaitsAndRunsIsCountedByTag) {
  auto& store = ground.store();
  CPPUNIT_ASSERT(store.activeCounts().empty());
  ground.running();
  auto tagged = Ground::someBuild();
  tagged.machine_tag = "gpu";
  for (int i = 0; i < 3; ++i) store.accept(tagged, "");
  ground.accept();
  const auto counts = store.activeCounts();
  CPPUNIT_ASSERT_EQUAL(std::size_t{3}, counts.size());
  const auto is = [&](std::size_t at, BuildState state, const std::string& tag, std::int64_t builds) {
    CPPUNIT_ASSERT(counts[at].state == state);
    CPPUNIT_ASSERT_EQUAL(tag, counts[at].machine_tag);
    CPPUNIT_ASSERT_EQUAL(builds, counts[at].builds);
  };
  is(0, BuildState::queued, "", 1);
  is(1, BuildState::queued, "gpu", 3);
  is(2, BuildState::running, "", 1);
}

CONTRACT(aTokenIsFoundByItsHashUntilItExpiresOrIsRevoked) {
  auto& store = ground.store();
  store::Token token;
  token.id = "t1";
  token.name = "ada";
  token.role = "operator";
  token.sha256_hex = std::string(64, 'a');
  store.addToken(token);
  CPPUNIT_ASSERT_THROW(store.addToken({"t1", "bob", "viewer", std::string(64, 'b'), 0, 0, 0}), store::Conflict);
  CPPUNIT_ASSERT_THROW(store.addToken({"t2", "bob", "viewer", std::string(64, 'a'), 0, 0, 0}), store::Conflict);
  CPPUNIT_ASSERT_THROW(store.addToken({"t2", "bob", "root", std::string(64, 'b'), 0, 0, 0}), std::invalid_argument);
  store.addToken({"t2", "bob", "viewer", std::string(64, 'b'), 0, 0, store.now() + 60'000'000});
  store.addToken({"t3", "eve", "admin", std::string(64, 'c'), 0, 0, store.now() - 1});

  const auto ada = store.findToken(std::string(64, 'a'));
  CPPUNIT_ASSERT(ada.has_value());
  CPPUNIT_ASSERT_EQUAL(std::string("operator"), ada->role);
  CPPUNIT_ASSERT(ada->created_at > 0);
  CPPUNIT_ASSERT(store.findToken(std::string(64, 'b')));
  CPPUNIT_ASSERT_MESSAGE("expired", !store.findToken(std::string(64, 'c')));
  CPPUNIT_ASSERT(!store.findToken(std::string(64, 'd')));
  CPPUNIT_ASSERT_EQUAL(std::size_t{3}, store.tokens().size());
  CPPUNIT_ASSERT_MESSAGE("its use is written down", store.tokens().front().last_used_at > 0);
  CPPUNIT_ASSERT(store.revokeToken("t1"));
  CPPUNIT_ASSERT(!store.revokeToken("t1"));
  CPPUNIT_ASSERT(!store.findToken(std::string(64, 'a')));
}

CONTRACT(aTokenIsFoundAlthoughItsUseCannotBeWrittenDown) {
  auto& store = ground.store();
  store.addToken({"t1", "ada", "viewer", std::string(64, 'a'), 0, 0, 0});
  const bool server = ground.engine().hasServer();
  if (server) {
    ground.engine().sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''disk full'' USING "
        "ERRCODE = ''53100''; END'");
    ground.engine().sql("CREATE TRIGGER full_disk BEFORE UPDATE ON tokens FOR EACH ROW EXECUTE FUNCTION refuse()");
  } else {
    ground.engine().sql("CREATE TRIGGER full_disk BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  }
  for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(store.findToken(std::string(64, 'a')).has_value());
  CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, store.tokens().front().last_used_at);

  ground.engine().sql(server ? "DROP TRIGGER full_disk ON tokens" : "DROP TRIGGER full_disk");
  CPPUNIT_ASSERT(store.findToken(std::string(64, 'a')).has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE("tried again within the minute", std::int64_t{0}, store.tokens().front().last_used_at);
  CPPUNIT_ASSERT(ground.openAnother()->findToken(std::string(64, 'a')).has_value());
  CPPUNIT_ASSERT(store.tokens().front().last_used_at > 0);
}

CONTRACT(aTokenIsFoundAtOnceWhileSomebodyElseHoldsTheLock) {
  auto& store = ground.store();
  store.addToken({"t1", "ada", "viewer", std::string(64, 'a'), 0, 0, 0});
  const auto holding = ground.engine().holding(
      ground.engine().hasServer() ? std::vector<std::string>{"BEGIN", "SELECT id FROM tokens FOR UPDATE"}
                                  : std::vector<std::string>{"BEGIN IMMEDIATE"});
  const auto before = std::chrono::steady_clock::now();
  CPPUNIT_ASSERT(store.findToken(std::string(64, 'a')).has_value());
  CPPUNIT_ASSERT_MESSAGE("it waited for the lock", std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
  CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, store.tokens().front().last_used_at);
}

CONTRACT(blobsAreBytesByName) {
  auto& store = ground.store();
  const std::string bytes("\0\x01\xFF\\x00", 7);
  store.putBlob("a/1", bytes);
  store.putBlob("a/2", "");
  store.putBlob("a", "x");
  store.putBlob("b", "y");
  CPPUNIT_ASSERT(store.getBlob("a/1") == bytes);
  CPPUNIT_ASSERT(store.getBlob("a/2") == "");
  CPPUNIT_ASSERT(!store.getBlob("a/3"));
  CPPUNIT_ASSERT(store.blobNames("a/") == (std::vector<std::string>{"a/1", "a/2"}));
  CPPUNIT_ASSERT_EQUAL(std::size_t{4}, store.blobNames("").size());
  store.putBlob("a", "z");
  CPPUNIT_ASSERT(store.getBlob("a") == "z");
  CPPUNIT_ASSERT(!store.addBlob("a", "other"));
  CPPUNIT_ASSERT(store.getBlob("a") == "z");
  CPPUNIT_ASSERT(store.addBlob("c", "new"));
  CPPUNIT_ASSERT(store.removeBlob("a"));
  CPPUNIT_ASSERT(!store.removeBlob("a"));
}
