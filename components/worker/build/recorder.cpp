#include "components/worker/build/recorder.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <stdexcept>

namespace ocelot::worker {
namespace {

using journal::Ending;
using journal::Tampered;
using model::StageState;

StageState stateOf(Ending ending) {
  switch (ending) {
    case Ending::passed:
      return StageState::passed;
    case Ending::failed:
    case Ending::broken:
      return StageState::failed;
    case Ending::timed_out:
      return StageState::timed_out;
    case Ending::canceled:
    case Ending::abandoned:
      return StageState::canceled;
    case Ending::skipped:
      return StageState::skipped;
  }
  throw Tampered("a stage ended in an unknown way");
}

std::int64_t micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The cursor: a line of numbers, then the saved states one after another. The version before had no interjections.
constexpr std::string_view kCursorWord = "ocelot-cursor", kCursorVersion = "2", kCursorBefore = "1";

}  // namespace

Recorder::Recorder(const builddir::Directory& directory, Settings settings, MaskFile mask)
    : directory_(directory),
      settings_(std::move(settings)),
      events_(directory.events()),
      mask_(std::move(mask)),
      out_(mask_.given()),
      err_(mask_.given()),
      stages_(settings_.stages),
      order_(settings_.build_id, static_cast<std::uint32_t>(settings_.attempt),
             static_cast<std::uint32_t>(stages_.size())) {
  if (const auto cursor = builddir::readIfPresent(directory.cursor())) {
    restore(*cursor);
  } else {
    log_ = std::make_unique<logs::LogWriter>(logs::LogWriterSettings{directory.disk(), settings_.log_limit, false});
  }
}

void Recorder::note(std::string_view sentence) { log_->note(sentence); }

void Recorder::phase(const std::string& name) {
  builddir::Event event;
  event.kind = builddir::Event::Kind::phase;
  event.text = name;
  events_.write(event);
}

void Recorder::image(const std::string& digest) {
  builddir::Event event;
  event.kind = builddir::Event::Kind::image;
  event.text = digest;
  events_.write(event);
}

void Recorder::tell(const model::Stage& stage) {
  builddir::Event event;
  event.kind = builddir::Event::Kind::stage;
  event.stage = stage;
  events_.write(event);
}

void Recorder::apply(const journal::Frame& frame, std::uint64_t end) {
  order_.accept(frame);
  take(frame);
  position_ = end;
  interject();  // what a predecessor put here
}

void Recorder::learn(const std::string& name, const std::string& value) { put({position_, name, value}); }

void Recorder::remark(const std::string& sentence) { put({position_, "", sentence}); }

void Recorder::put(Interjection one) {
  if (!caughtUp()) throw std::logic_error("put something between frames that were not read again yet");
  mask_.add(std::move(one));
  interject();
}

void Recorder::interject() {
  const auto& all = mask_.interjections();
  for (; interjected_ < all.size() && all[interjected_].at <= position_; ++interjected_) {
    const Interjection& one = all[interjected_];
    if (one.secret.empty()) {
      log_->note(one.text);
      continue;
    }
    for (logs::Masker* masker : {&out_, &err_}) masker->add(one.text);
    log_->served(one.secret, static_cast<std::int64_t>(one.at));
  }
}

void Recorder::take(const journal::Frame& frame) {
  switch (frame.kind) {
    case journal::FrameKind::hello:
      greeted_ = true;
      return;
    case journal::FrameKind::stage_started:
      return beginStage(frame);
    case journal::FrameKind::output:
      return output(frame);
    case journal::FrameKind::stage_finished:
      return endStage(frame);
    case journal::FrameKind::notice:
      cancel_heard_ = cancel_heard_ || frame.bytes.compare(0, 8, "canceled") == 0;
      return log_->note(frame.bytes);
    case journal::FrameKind::finished:
      finished_ = frame;
      return;
  }
  throw Tampered("a frame of an unknown kind");
}

void Recorder::beginStage(const journal::Frame& frame) {
  model::Stage& stage = stages_[frame.stage];
  running_ = static_cast<int>(frame.stage);
  stage.state = StageState::running;
  stage.started_at = static_cast<std::int64_t>(frame.time_us);
  stage.log_begin = log_->size();
  log_->beginStage(stage.index, stage.name);
  tell(stage);
}

void Recorder::output(const journal::Frame& frame) {
  logs::Masker& masker = frame.stream == 2 ? err_ : out_;
  log_->append(masker.mask(frame.bytes, scratch_));
}

void Recorder::flushMaskers() {
  for (logs::Masker* masker : {&out_, &err_}) {
    scratch_.clear();
    masker->flush(scratch_);
    log_->append(scratch_);
  }
}

void Recorder::endStage(const journal::Frame& frame) {
  model::Stage& stage = stages_[frame.stage];
  stage.state = stateOf(frame.ending);
  stage.exit_code = frame.exit_code;
  stage.sentence = frame.bytes;
  stage.cpu_us = frame.cpu_us;
  stage.max_rss_bytes = frame.max_rss_bytes;
  stage.finished_at = static_cast<std::int64_t>(frame.time_us);
  if (running_ < 0) {  // it never ran
    stage.exit_code = -1;
    stage.started_at = 0;
    stage.log_begin = log_->size();
  } else {
    flushMaskers();
    log_->endStage();
  }
  stage.log_end = log_->size();
  last_ended_ = static_cast<int>(frame.stage);
  running_ = -1;
  tell(stage);
}

void Recorder::save(std::uint64_t journal_offset) {
  journal_offset_ = journal_offset;
  const std::string log = log_->save(), out = out_.save(), err = err_.save();
  const std::string last = finished_ ? journal::encode(*finished_) : std::string();
  std::ostringstream text;
  text << kCursorWord << ' ' << kCursorVersion << ' ' << journal_offset << ' ' << running_ << ' ' << last_ended_ << ' '
       << greeted_ << ' ' << cancel_heard_ << ' ' << log.size() << ' ' << out.size() << ' ' << err.size() << ' '
       << last.size() << ' ' << interjected_ << '\n'
       << log << out << err << last;
  builddir::replaceFile(directory_.cursor(), text.str());
}

void Recorder::restore(const std::string& cursor) {
  const std::size_t line = cursor.find('\n');
  std::istringstream numbers(cursor.substr(0, line));
  std::string word, version;
  std::size_t log = 0, out = 0, err = 0, last = 0;
  numbers >> word >> version >> journal_offset_ >> running_ >> last_ended_ >> greeted_ >> cancel_heard_ >> log >> out >>
      err >> last;
  if (version == kCursorVersion) numbers >> interjected_;
  if (word == kCursorWord && version != kCursorVersion && version != kCursorBefore)
    throw std::runtime_error("read the cursor " + directory_.cursor() + ": version " + version + "; ocelot-worker " +
                             OCELOT_VERSION + " reads version " + std::string(kCursorVersion));
  if (!numbers || word != kCursorWord || interjected_ > mask_.interjections().size() ||
      line + 1 + log + out + err + last != cursor.size())
    throw std::runtime_error("read the cursor " + directory_.cursor() + ": it is damaged");
  std::string_view rest = std::string_view(cursor).substr(line + 1);
  const auto part = [&rest](std::size_t size) {
    const std::string_view state = rest.substr(0, size);
    rest.remove_prefix(size);
    return state;
  };
  log_ = std::make_unique<logs::LogWriter>(logs::LogWriterSettings{directory_.disk(), settings_.log_limit, false},
                                           part(log));
  for (std::size_t i = 0; i < interjected_; ++i)
    if (const Interjection& one = mask_.interjections()[i]; !one.secret.empty())
      for (logs::Masker* masker : {&out_, &err_}) masker->add(one.text);
  out_.restore(part(out));
  err_.restore(part(err));
  position_ = journal_offset_;
  std::string_view frame = part(last);
  if (!frame.empty()) finished_ = journal::takeFrame(frame);
  // What was told of the stages before is in the events; what comes behind the cursor is told again, identically.
  builddir::EventReader(directory_.events()).poll([this](const builddir::Event& event) {
    if (event.kind != builddir::Event::Kind::stage || event.stage.index < 0) return;
    const auto index = static_cast<std::size_t>(event.stage.index);
    if (index < stages_.size() && (event.stage.index <= last_ended_ || event.stage.index == running_))
      stages_[index] = event.stage;
  });
  if (running_ >= 0) stages_[static_cast<std::size_t>(running_)].state = StageState::running;
  replayOrder();
  interject();
}

// What was accepted before the cursor, as the shortest journal that has the same effect.
void Recorder::replayOrder() {
  journal::Frame frame;
  frame.version = journal::kJournalVersion;
  frame.bytes = settings_.build_id;
  frame.number = static_cast<std::uint32_t>(settings_.attempt);
  if (greeted_) order_.accept(frame);
  for (int i = 0; greeted_ && i <= std::max(last_ended_, running_); ++i) {
    const StageState state = stages_.at(static_cast<std::size_t>(i)).state;
    frame.stage = static_cast<std::uint32_t>(i);
    frame.kind = journal::FrameKind::stage_started;
    if (state != StageState::skipped) order_.accept(frame);
    frame.kind = journal::FrameKind::stage_finished;
    frame.ending = state == StageState::passed    ? Ending::passed
                   : state == StageState::skipped ? Ending::skipped
                                                  : Ending::failed;
    if (i <= last_ended_) order_.accept(frame);
  }
  if (finished_) order_.accept(*finished_);
}

void Recorder::conclude(const model::Outcome& outcome, bool retry) {
  if (running_ >= 0) {
    model::Stage& stage = stages_[static_cast<std::size_t>(running_)];
    flushMaskers();
    log_->endStage();
    stage.state = outcome.state == model::BuildState::canceled    ? StageState::canceled
                  : outcome.state == model::BuildState::timed_out ? StageState::timed_out
                                                                  : StageState::failed;
    stage.sentence = outcome.sentence;
    stage.finished_at = micros();
    stage.log_end = log_->size();
    tell(stage);
    running_ = -1;
  }
  for (model::Stage& stage : stages_)
    if (stage.state == StageState::pending) {
      stage.state = StageState::skipped;
      stage.log_begin = stage.log_end = log_->size();
      tell(stage);
    }
  const logs::LogEnd end = log_->finish();
  builddir::Event event;
  event.kind = builddir::Event::Kind::result;
  event.outcome = outcome;
  event.retry = retry;
  event.log_bytes = end.bytes;
  event.log_sha256 = end.sha256;
  events_.write(event);
}

}  // namespace ocelot::worker
