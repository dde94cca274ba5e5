#include "components/guest/build_run.hpp"

#include <algorithm>

#include "components/guest/clock.hpp"
#include "components/guest/secret_door.hpp"
#include "components/guest/stage_run.hpp"

namespace ocelot::guest {

namespace {

using journal::Ending;
using journal::Frame;
using journal::FrameKind;

const char* verb(Ending ending) {
  switch (ending) {
    case Ending::timed_out:
      return "timed out";
    case Ending::broken:
      return "broke off";
    default:
      return "failed";
  }
}

std::string orderSentence(Watch::Order order) {
  switch (order) {
    case Watch::Order::cancel:
      return "canceled";
    case Watch::Order::build_timeout:
      return "the build timed out";
    case Watch::Order::abandon:
      return "the worker gave no sign of life";
    case Watch::Order::go_on:
      break;
  }
  return "";
}

Ending orderEnding(Watch::Order order) {
  switch (order) {
    case Watch::Order::cancel:
      return Ending::canceled;
    case Watch::Order::build_timeout:
      return Ending::timed_out;
    case Watch::Order::abandon:
      return Ending::abandoned;
    case Watch::Order::go_on:
      break;
  }
  return Ending::passed;
}

// Why this stage does not run; "" when it does.
std::string reasonToSkip(const journal::PlanStage& stage, Watch::Order order, const Frame& whole,
                         const std::string& culprit) {
  if (stage.skip) return stage.skip_reason.empty() ? "its conditions are not met" : stage.skip_reason;
  if (order != Watch::Order::go_on) return orderSentence(order);
  if (whole.ending == Ending::passed || (stage.always && whole.ending != Ending::broken)) return "";
  return culprit + " " + verb(whole.ending);
}

}  // namespace

Frame runBuild(const journal::Plan& plan, Recorder& recorder, Watch& watch) {
  SecretDoor door;
  const auto has_secrets = [](const journal::PlanStage& stage) { return !stage.secrets.empty(); };
  if (std::any_of(plan.stages.begin(), plan.stages.end(), has_secrets)) {
    Frame notice;
    notice.kind = FrameKind::notice;
    notice.bytes = door.open();
    if (!notice.bytes.empty()) recorder.append(notice);
  }

  Frame whole;
  whole.kind = FrameKind::finished;
  std::string culprit;
  for (std::uint32_t i = 0; i < plan.stages.size(); ++i) {
    std::vector<pollfd> nothing;
    watch.wait(nothing, bootMillis());  // a cancel that came between stages, or before the first
    watch.takeReaped();
    Frame result;
    result.kind = FrameKind::stage_finished;
    result.stage = i;
    result.ending = Ending::skipped;
    result.exit_code = -1;
    result.bytes = reasonToSkip(plan.stages[i], watch.order(), whole, culprit);
    if (result.bytes.empty()) result = StageRun(plan, i, recorder, watch, door).run();
    recorder.append(result);
    if (result.ending == Ending::passed || result.ending == Ending::skipped || whole.ending != Ending::passed) continue;
    whole.ending = result.ending;
    culprit = "stage \"" + plan.stages[i].name + "\"";
    whole.bytes = culprit + " " + verb(result.ending) + ": " + result.bytes;
  }
  if (watch.order() != Watch::Order::go_on) {
    whole.ending = orderEnding(watch.order());
    whole.bytes = orderSentence(watch.order());
  }
  return whole;
}

}  // namespace ocelot::guest
