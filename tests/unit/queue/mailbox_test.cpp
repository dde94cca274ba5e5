// What becomes of a wake-up between its arrival and the answer that nsqd gets.

#include "host/queue/nsq/mailbox.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <vector>

using namespace ocelot::queue::nsq;
using Ended = Mailbox::Ended;
using Ids = std::vector<std::string>;

namespace {

struct RecordingSender final : Sender {
  void finish(const std::string& id) override { finished.push_back(id); }
  void giveBack(const std::string& id) override { given_back.push_back(id); }
  Ids finished, given_back;
};

class MailboxTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MailboxTest);
  CPPUNIT_TEST(nothing_is_taken_while_nobody_listens);
  CPPUNIT_TEST(what_was_reported_is_finished_when_one_listens_again);
  CPPUNIT_TEST(what_was_reported_is_given_back_when_one_stops_listening);
  CPPUNIT_TEST(what_came_after_the_report_is_another_wake_up);
  CPPUNIT_TEST(a_topic_that_is_not_listened_for_any_more_is_given_back);
  CPPUNIT_TEST(a_loss_wakes_and_is_answered_to_nobody);
  CPPUNIT_TEST(a_loss_is_kept_for_who_listens);
  CPPUNIT_TEST(a_sender_that_goes_takes_its_own);
  CPPUNIT_TEST_SUITE_END();

  static Ended now(Mailbox& mailbox) { return mailbox.wait(Mailbox::Clock::now()); }

  void nothing_is_taken_while_nobody_listens() {
    CPPUNIT_ASSERT(!mailbox_.put(sender_, "build", "1"));
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(!mailbox_.put(sender_, "build_arm", "2"));
    CPPUNIT_ASSERT(now(mailbox_) == Ended::timeout);
  }

  void what_was_reported_is_finished_when_one_listens_again() {
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(mailbox_.put(sender_, "build", "1"));
    CPPUNIT_ASSERT(mailbox_.put(sender_, "build", "2"));
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
    CPPUNIT_ASSERT(sender_.finished.empty());
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(sender_.finished == (Ids{"1", "2"}));
    CPPUNIT_ASSERT(sender_.given_back.empty());
    CPPUNIT_ASSERT(now(mailbox_) == Ended::timeout);
  }

  void what_was_reported_is_given_back_when_one_stops_listening() {
    mailbox_.listen({"build"});
    mailbox_.put(sender_, "build", "1");
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
    mailbox_.put(sender_, "build", "2");
    mailbox_.listen({});
    CPPUNIT_ASSERT(sender_.given_back == (Ids{"1", "2"}));
    CPPUNIT_ASSERT(sender_.finished.empty());
  }

  void what_came_after_the_report_is_another_wake_up() {
    mailbox_.listen({"build"});
    mailbox_.put(sender_, "build", "1");
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
    mailbox_.put(sender_, "build", "2");
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(sender_.finished == Ids{"1"});
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
  }

  void a_topic_that_is_not_listened_for_any_more_is_given_back() {
    mailbox_.listen({"build", "build_arm"});
    mailbox_.put(sender_, "build_arm", "1");
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(sender_.given_back == Ids{"1"});
    CPPUNIT_ASSERT(now(mailbox_) == Ended::timeout);
  }

  void a_loss_wakes_and_is_answered_to_nobody() {
    mailbox_.listen({"build"});
    mailbox_.put(sender_, "build", "1");
    mailbox_.lost(sender_);
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(sender_.finished.empty() && sender_.given_back.empty());
    CPPUNIT_ASSERT(now(mailbox_) == Ended::timeout);
  }

  void a_loss_is_kept_for_who_listens() {
    mailbox_.mayHaveMissed();
    CPPUNIT_ASSERT(now(mailbox_) == Ended::timeout);
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
  }

  void a_sender_that_goes_takes_its_own() {
    RecordingSender other;
    mailbox_.listen({"build"});
    mailbox_.put(sender_, "build", "1");
    mailbox_.put(other, "build", "2");
    mailbox_.forget(sender_);
    CPPUNIT_ASSERT(now(mailbox_) == Ended::work);
    mailbox_.listen({"build"});
    CPPUNIT_ASSERT(sender_.finished.empty());
    CPPUNIT_ASSERT(other.finished == Ids{"2"});
  }

  RecordingSender sender_;
  Mailbox mailbox_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MailboxTest);

}  // namespace
