// What happens when the engine goes away and comes back. (An embedded engine does not; the same promises hold.)

#include <thread>

#include "tests/contract/support/contract.hpp"

using namespace ocelot;
using namespace ocelot::test;

CONTRACT(theStoreWorksOnAfterARestartOfItsServer) {
  const auto claimed = ground.running();
  ground.store().appendLog(claimed.claim, 0, "before ");
  const auto interruptions = ground.store().interruptions();
  ground.engine().restart();
  CPPUNIT_ASSERT_EQUAL(std::int64_t{12}, ground.store().appendLog(claimed.claim, 7, "after").value());
  CPPUNIT_ASSERT(ground.store().renew({claimed.claim}, 30'000).front().held);
  CPPUNIT_ASSERT(ground.store().finish(Ground::ending(claimed.claim)));
  CPPUNIT_ASSERT_EQUAL(std::string("before after"), ground.store().readLog(claimed.claim.build_id, 0, 100));
  if (ground.engine().hasServer())
    CPPUNIT_ASSERT_MESSAGE("the loss was counted", ground.store().interruptions() > interruptions);
}

CONTRACT(nothingAcceptedIsLostOverARestart) {
  std::vector<std::string> accepted;
  std::vector<std::string> faults;
  std::thread admin([&] {
    for (int i = 0; i < 300; ++i) {
      try {
        accepted.push_back(ground.store().accept(Ground::someBuild(), "key-" + std::to_string(i)).id);
      } catch (const store::Unavailable&) {
        --i;  // as a caller does: again, with the same key
      } catch (const std::exception& error) {
        faults.push_back(error.what());
      }
    }
  });
  ground.engine().restart();
  admin.join();
  CPPUNIT_ASSERT_EQUAL_MESSAGE(faults.empty() ? "" : faults.front(), std::size_t{0}, faults.size());
  CPPUNIT_ASSERT_EQUAL(std::size_t{300}, accepted.size());
  CPPUNIT_ASSERT_EQUAL(std::string("300"), ground.engine().text("SELECT count(*) FROM builds"));
  for (const auto& id : accepted) CPPUNIT_ASSERT(ground.store().findBuild(id));
}
