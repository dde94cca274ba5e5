// What a notifier does with builds that ended, and with a receiver that does not answer.

#include "check/program/subject.hpp"
#include "check/program/suite.hpp"

namespace ocelot::check {
namespace {

BuildNotice notice(const std::string& state) {
  BuildNotice one;
  one.id = "6f1c2b3a-0000-4000-8000-0123456789ab";
  one.number = 42;
  one.repo = "acme/shop";
  one.branch = "main";
  one.commit = std::string(40, 'a');
  one.author = "Ada";
  one.message = "Mend the till";
  one.state = state;
  one.reason = state == "passed" ? "" : "stage_failed";
  one.sentence = "stage test ended with exit code 1";
  one.url = "https://ci.example/builds/42";
  one.queued_at_us = 1'700'000'000'000'000;
  one.started_at_us = one.queued_at_us + 1'000'000;
  one.finished_at_us = one.started_at_us + 61'000'000;
  one.stages = {{"build", "passed", 0, 1000}, {"test", state == "passed" ? "passed" : "failed", 1, 60000}};
  one.previous_state = "passed";
  return one;
}

std::unique_ptr<Notifier> made(Subject& subject, const Settings& settings) {
  std::string why;
  std::unique_ptr<Notifier> notifier;
  if (statusOf([&] { notifier = subject.notifier(settings); }, &why) != Status::ok)
    throw Skipped("with made-up settings it refuses (" + why + "); give real ones with --set");
  return notifier;
}

void noFault(Status status, const std::string& why, const std::string& what) {
  require(status != Status::internal, what + " is an internal error: " + why);
}

void everyOutcome(Subject& subject) {
  const Settings settings = subject.settings();
  const auto notifier = made(subject, settings);
  subject.host().answerWith(200, "{}");
  for (const char* state :
       {"passed", "failed", "timed_out", "canceled", "error", "rejected", "from_a_newer_host", ""}) {
    const std::size_t before = subject.host().asked();
    TestCall call;
    std::string why;
    const Status status = statusOf([&] { notifier->tell(call, notice(state), ""); }, &why);
    noFault(status, why, "a build that ended \"" + std::string(state) + "\"");
    require(subject.host().asked() - before <= 1, "one build was told more than once");
  }
  subject.rules();
}

void oddTexts(Subject& subject) {
  const Settings settings = subject.settings();
  const auto notifier = made(subject, settings);
  subject.host().answerWith(200, "{}");
  const std::vector<std::string> texts{"",
                                       "naïve 日本語 🐆 \"quoted\" \\ </script>",
                                       std::string("a\0b", 3),
                                       "\xff\xc0\x80 no UTF-8",
                                       "\x1b[31mred",
                                       std::string(100 * 1024, 'x'),
                                       "%s%n",
                                       "a\r\nX-Injected: 1"};
  for (const std::string& text : texts) {
    BuildNotice odd = notice("failed");
    odd.repo = odd.branch = odd.author = odd.message = odd.sentence = odd.stages[0].name = text;
    TestCall call;
    std::string why;
    const Status status = statusOf([&] { notifier->tell(call, odd, text); }, &why);
    noFault(status, why, "a notice with " + std::to_string(text.size()) + " odd bytes");
  }
  BuildNotice many = notice("passed");
  many.stages.assign(5000, {"stage", "passed", 0, 1});
  TestCall call;
  std::string why;
  noFault(statusOf([&] { notifier->tell(call, many, ""); }, &why), why, "a build of 5000 stages");
  subject.rules();
}

void outcomesOfHttp(Subject& subject) {
  const Settings settings = subject.settings();
  const auto notifier = made(subject, settings);
  struct Case {
    int status;
    bool retry;
  };
  for (const Case& one : {Case{0, true}, Case{429, true}, Case{500, true}, Case{503, true}, Case{400, false},
                          Case{401, false}, Case{404, false}, Case{410, false}}) {
    subject.host().answerWith(one.status, "no");
    const std::size_t before = subject.host().asked();
    TestCall call;
    const Status status = statusOf([&] { notifier->tell(call, notice("failed"), ""); });
    if (subject.host().asked() == before) throw Skipped("it does not use the host's HTTP");
    const std::string what = one.status == 0 ? "nobody answering" : "an answer " + std::to_string(one.status);
    require(status != Status::ok, what + " is taken for success");
    require((status == Status::unavailable) == one.retry,
            what + " is " + nameOf(status) + ", and must " + (one.retry ? "" : "not ") +
                "be unavailable: a retry may " + (one.retry ? "help" : "not help"));
  }
  subject.rules();
}

void deadline(Subject& subject) {
  const Settings settings = subject.settings();
  const auto notifier = made(subject, settings);
  subject.host().answerWith(-1);
  TestCall call{std::chrono::milliseconds(300)};
  const auto begin = std::chrono::steady_clock::now();
  statusOf([&] { notifier->tell(call, notice("failed"), ""); });
  require(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2), "a deadline of 300 ms was not kept");
  subject.rules();
}

}  // namespace

std::vector<Test> notifierTests() {
  return {{"notifier.outcomes", "every ending of a build is told, once", everyOutcome},
          {"notifier.odd_texts", "odd and long texts are no internal error", oddTexts},
          {"notifier.http", "what a receiver answers is retried where that may help, and only there", outcomesOfHttp},
          {"notifier.deadline", "a receiver that hangs does not hold it beyond the deadline", deadline}};
}

}  // namespace ocelot::check
