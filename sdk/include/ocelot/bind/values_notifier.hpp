#pragma once
// The values of a Notifier in both forms. A …Wire borrows from the value it is made of.

#include "ocelot/abi/notifier.h"
#include "ocelot/bind/common.hpp"
#include "ocelot/notifier.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

class NoticeWire : public ocelot_build_notice {
 public:
  explicit NoticeWire(BuildNotice&&) = delete;  // it borrows
  explicit NoticeWire(const BuildNotice& notice) : ocelot_build_notice{} {
    for (const StageNotice& stage : notice.stages)
      stages_.push_back(
          {sizeof(ocelot_stage_notice), stage.exit_code, str(stage.name), str(stage.state), stage.duration_ms});
    size = sizeof(ocelot_build_notice);
    id = str(notice.id);
    number = notice.number;
    repo = str(notice.repo);
    branch = str(notice.branch);
    commit = str(notice.commit);
    author = str(notice.author);
    message = str(notice.message);
    state = str(notice.state);
    reason = str(notice.reason);
    sentence = str(notice.sentence);
    url = str(notice.url);
    queued_at_us = notice.queued_at_us;
    started_at_us = notice.started_at_us;
    finished_at_us = notice.finished_at_us;
    stages = stages_.data();
    stage_count = stages_.size();
    previous_state = str(notice.previous_state);
  }
  NoticeWire(const NoticeWire&) = delete;
  NoticeWire& operator=(const NoticeWire&) = delete;

 private:
  std::vector<ocelot_stage_notice> stages_;
};

inline BuildNotice noticeFrom(const ocelot_build_notice& lent) {
  BuildNotice notice;
  notice.id = text(lent.id);
  notice.number = lent.number;
  notice.repo = text(lent.repo);
  notice.branch = text(lent.branch);
  notice.commit = text(lent.commit);
  notice.author = text(lent.author);
  notice.message = text(lent.message);
  notice.state = text(lent.state);
  notice.reason = text(lent.reason);
  notice.sentence = text(lent.sentence);
  notice.url = text(lent.url);
  notice.queued_at_us = lent.queued_at_us;
  notice.started_at_us = lent.started_at_us;
  notice.finished_at_us = lent.finished_at_us;
  each(lent.stages, lent.stage_count, [&](const ocelot_stage_notice& stage) {
    notice.stages.push_back({text(stage.name), text(stage.state), stage.exit_code, stage.duration_ms});
  });
  notice.previous_state = text(lent.previous_state);
  return notice;
}

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
