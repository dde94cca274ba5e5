#include "host/logserve/log_answer.hpp"

#include <algorithm>

#include "host/logs/log_source.hpp"

namespace ocelot::logserve {
namespace {

using http::Refusal;
using std::chrono::milliseconds;

constexpr std::size_t kBlock = 256u << 10;
// How long a follower waits before it looks again where nothing tells it of changes.
constexpr milliseconds kLookAgain{300};
constexpr milliseconds kWait{15000};

// tailOffset() reads through this.
class AsSource final : public logs::LogSource {
 public:
  explicit AsSource(GrowingLog& log) : log_(log) {}
  std::string read(std::int64_t offset, std::size_t max_bytes) override { return log_.read(offset, max_bytes); }
  std::int64_t size() override { return log_.size(); }

 private:
  GrowingLog& log_;
};

std::optional<logs::StageSlice> findStage(const std::vector<logs::StageSlice>& stages, const std::string& wanted) {
  for (const auto& stage : stages)
    if (stage.name == wanted || std::to_string(stage.stage) == wanted) return stage;
  return std::nullopt;
}

// Where the asked-for stage ends by now; -1 while it runs.
std::int64_t endOf(const Query& query, GrowingLog& log) {
  if (query.stage.empty()) return -1;
  const auto stage = findStage(log.stages(), query.stage);
  return stage ? stage->end : -1;
}

class Live final : public GrowingLog {
 public:
  Live(const std::string& folder, logs::LogWatch& watch) : reader_(folder, &watch) {}
  std::string read(std::int64_t offset, std::size_t max_bytes) override { return reader_.read(offset, max_bytes); }
  std::int64_t size() override { return reader_.size(); }
  std::optional<std::string> ended() override {
    // How the build stands is the store's to say; here the log is complete, and that is all.
    if (reader_.end()) return std::string();
    return std::nullopt;
  }
  std::vector<logs::StageSlice> stages() override { return reader_.stages(); }
  int fd() override { return reader_.fd(); }
  void clear() override { reader_.clear(); }

 private:
  logs::LogReader reader_;
};

class Stored final : public StoredLog {
 public:
  Stored(store::Store& store, std::string build_id) : store_(store), id_(std::move(build_id)) { look(); }
  std::string read(std::int64_t offset, std::size_t max_bytes) override {
    return offset < build_.log_bytes ? store_.readLog(id_, offset, max_bytes) : std::string();
  }
  std::int64_t size() override { return build_.log_bytes; }
  std::optional<std::string> ended() override {
    if (!model::isFinal(build_.state)) look();
    if (model::isFinal(build_.state)) return std::string(model::toString(build_.state));
    return std::nullopt;
  }
  std::vector<logs::StageSlice> stages() override {
    std::vector<logs::StageSlice> out;
    for (const auto& stage : build_.stages)
      if (stage.state != model::StageState::pending)
        out.push_back(
            {stage.index, stage.name, stage.log_begin, stage.state == model::StageState::running ? -1 : stage.log_end});
    return out;
  }
  const model::Build& build() override { return build_; }
  // A run is told by when it began: one that a worker gave back has the number of the next.
  bool begunAgain() override { return build_.started_at != 0 && build_.started_at != run_; }
  // Asked for by those who wait, and by them alone.
  int fd() override {
    if (!watch_asked_) watch_ = store_.watch(id_);
    watch_asked_ = true;
    return watch_ ? watch_->fd() : -1;
  }
  void clear() override {
    if (watch_) watch_->clear();
  }

 private:
  void look() {
    const auto found = store_.findBuild(id_);
    if (!found) throw Refusal(404, "no_such_build", "there is no build " + id_);
    build_ = *found;
    if (run_ == 0) run_ = build_.started_at;
  }

  store::Store& store_;
  const std::string id_;
  model::Build build_;
  model::Micros run_ = 0;  // when the run began whose log this is; 0: none had
  std::unique_ptr<store::Watch> watch_;
  bool watch_asked_ = false;
};

}  // namespace

Query queryOf(const http::Request& request) {
  Query query;
  query.offset = request.queryNumber("offset").value_or(0);
  query.follow = request.queryFlag("follow");
  query.tail = request.queryNumber("tail").value_or(0);
  query.stage = request.queryText("stage");
  const std::string last_event = request.header("last-event-id");
  if (!last_event.empty() && last_event.size() <= 18 && last_event.find_first_not_of("0123456789") == std::string::npos)
    query.offset = std::stoll(last_event);
  const std::string named = request.queryText("format");
  const auto format = named.empty() ? logs::formatFrom(request.header("accept")) : logs::formatFrom(named);
  if (!named.empty() && !format)
    throw Refusal(400, "bad_format", "format `" + named + "` is not known", "use plain, ndjson or sse");
  query.format = format.value_or(logs::Format::plain);
  if (query.offset < 0 || query.tail < 0) throw Refusal(400, "bad_number", "offset and tail cannot be negative");
  return query;
}

std::unique_ptr<GrowingLog> openLive(const std::string& folder, logs::LogWatch& watch) {
  return std::make_unique<Live>(folder, watch);
}

std::unique_ptr<StoredLog> openStored(store::Store& store, const std::string& build_id) {
  return std::make_unique<Stored>(store, build_id);
}

Range rangeOf(const Query& query, GrowingLog& log) {
  Range range;
  if (!query.stage.empty()) {
    const auto stages = log.stages();
    const auto stage = findStage(stages, query.stage);
    if (!stage) {
      std::string names;
      for (const auto& known : stages) names += (names.empty() ? "" : ", ") + known.name;
      throw Refusal(404, "no_such_stage", "the log has no stage `" + query.stage + "`",
                    names.empty() ? "no stage has begun" : "stages so far: " + names);
    }
    range = {stage->begin, stage->end};
  }
  const std::int64_t size = log.size();
  if (query.tail > 0) {
    AsSource source(log);
    range.begin = logs::tailOffset(source, query.tail, range.begin, range.end < 0 ? size : range.end);
  }
  if (query.offset > size)
    throw Refusal(416, "beyond_the_end",
                  "offset " + std::to_string(query.offset) + " is beyond the log's " + std::to_string(size) + " bytes");
  range.begin = std::max(range.begin, query.offset);
  return range;
}

Told tell(const Query& query, GrowingLog& log, Range& range, http::StreamWriter& out, const Patience& patience) {
  auto encoder = logs::makeEncoder(query.format, range.begin, log.stages());
  std::int64_t at = range.begin;
  std::string text;
  while (true) {
    log.clear();
    const auto ended = log.ended();            // asked first: what came before the end is then read
    if (log.begunAgain()) return Told::whole;  // who follows asks anew, and learns of it
    encoder->setStages(log.stages());
    if (range.end < 0) range.end = endOf(query, log);
    const std::size_t room =
        range.end < 0 ? kBlock : static_cast<std::size_t>(std::clamp<std::int64_t>(range.end - at, 0, kBlock));
    const std::string bytes = room ? log.read(at, room) : std::string();
    at += static_cast<std::int64_t>(bytes.size());
    text.clear();
    encoder->encode(bytes, text);
    const bool at_end = bytes.empty() && (ended || (range.end >= 0 && at >= range.end) || !query.follow);
    if (bytes.empty()) encoder->flush(text);
    if (at_end) encoder->finish(at, ended.value_or(""), text);
    if (!text.empty() && !out.write(text)) return Told::gone;
    range.begin = encoder->told();
    if (at_end) return Told::whole;
    if (!bytes.empty()) continue;
    const milliseconds most = patience ? patience() : kWait;
    if (most.count() <= 0) return Told::left;
    const int fd = log.fd();
    if (!out.wait(std::min(most, fd < 0 ? kLookAgain : kWait), fd)) return Told::gone;
  }
}

http::Answer headFor(const Query& query) {
  http::Answer out;
  out.content_type = std::string(logs::contentType(query.format));
  out.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  if (query.format == logs::Format::sse) out.heartbeat = ": still here\n\n";
  if (query.format == logs::Format::ndjson) out.heartbeat = "{\"alive\":true}\n";
  return out;
}

void beginsAt(http::Answer& answer, std::int64_t offset) {
  answer.headers.emplace_back("Ocelot-Log-Offset", std::to_string(offset));
}

http::Answer answer(const Query& query, std::shared_ptr<GrowingLog> log) {
  const Range range = rangeOf(query, *log);
  http::Answer out = headFor(query);
  beginsAt(out, range.begin);
  out.stream = [query, log, range](http::StreamWriter& writer) {
    Range told = range;
    return tell(query, *log, told, writer) == Told::whole;
  };
  return out;
}

}  // namespace ocelot::logserve
