#include "components/admin/api/json.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>

#include "host/pipeline/pipeline.hpp"
#include "host/trigger/clean_text.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::admin {
namespace {

using http::JsonWriter;
using http::Refusal;

void write(JsonWriter& out, const model::Stage& stage, const pipeline::Pipeline* pipeline) {
  out.object()
      .field("index", stage.index)
      .field("name", stage.name)
      .field("state", model::toString(stage.state))
      .field("exit_code", stage.exit_code)
      .field("sentence", stage.sentence)
      .field("started_at", stage.started_at)
      .field("finished_at", stage.finished_at)
      .field("cpu_us", stage.cpu_us)
      .field("max_rss_bytes", stage.max_rss_bytes)
      .field("log_begin", stage.log_begin)
      .field("log_end", stage.log_end)
      .field("line", stage.line);
  const auto index = static_cast<std::size_t>(stage.index);
  if (pipeline && index < pipeline->stages.size()) out.field("command", pipeline->stages[index].script);
  out.end();
}

// Poco reads a whole number that fits no 64 bits as another number, without a word.
void refuseHugeNumbers(std::string_view json) {
  bool in_text = false, escaped = false;
  int digits = 0;
  for (const char c : json) {
    if (c == '"' && !escaped) in_text = !in_text;
    escaped = in_text && c == '\\' && !escaped;
    digits = !in_text && c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 18) throw Refusal(400, "out_of_range", "a number has more than 18 digits");
  }
}

}  // namespace

void write(JsonWriter& out, const model::Build& build, bool with_stages, const std::string& waiting) {
  out.object()
      .field("id", build.id)
      .field("number", build.number)
      .field("repo", build.repo)
      .field("branch", build.branch)
      .field("commit", build.commit)
      .field("author", build.author)
      .field("message", build.message)
      .field("trigger", model::toString(build.trigger))
      .field("requested_by", build.requested_by)
      .field("rerun_of", build.rerun_of)
      .field("state", model::toString(build.state))
      .field("reason", build.reason)
      .field("sentence", build.sentence)
      .field("machine_tag", build.machine_tag)
      .field("attempt", build.attempt)
      .field("worker", build.worker)
      .field("log_bytes", build.log_bytes)
      .field("log_sha256", build.log_sha256)
      .field("queued_at", build.queued_at)
      .field("started_at", build.started_at)
      .field("finished_at", build.finished_at)
      .field("cancel_requested", build.cancel_requested);
  if (!waiting.empty()) out.field("waiting", waiting);
  if (with_stages) {
    const auto read = pipeline::read(build.pipeline, "ocelot.yml");
    out.key("stages").array();
    for (const auto& stage : build.stages) write(out, stage, read.pipeline ? &*read.pipeline : nullptr);
    out.end();
  }
  out.end();
}

std::string hookPath(const model::Repo& repo) { return "/hooks/" + repo.id; }

void write(JsonWriter& out, const model::Repo& repo, const std::string& hook_url) {
  out.object()
      .field("id", repo.id)
      .field("name", repo.name)
      .field("vcs", repo.vcs)
      .field("url", repo.url)
      .field("poll_seconds", repo.poll_seconds)
      .field("poll_branches", repo.poll_branches)
      .field("polled_at", repo.polled_at)
      .field("added_at", repo.added_at)
      .field("trouble", repo.trouble)
      .field("hook_path", hookPath(repo))
      .field("hook_url", hook_url)
      .end();
}

void write(JsonWriter& out, const WorkerShown& shown) {
  const store::WorkerRow& worker = shown.worker;
  out.object().field("id", worker.id).field("name", worker.name).field("url", worker.url).key("tags").array();
  for (const auto& tag : worker.tags) out.value(tag);
  out.end()
      .field("slots", worker.slots)
      .field("version", worker.version)
      .field("version_is", shown.version_is)
      .field("note", worker.note)
      .field("online", shown.online)
      .field("drained_by", shown.drain ? shown.drain->by : std::string())
      .field("drained_at", shown.drain ? shown.drain->at : 0)
      .field("started_at", worker.started_at)
      .field("seen_at", worker.seen_at)
      .key("builds")
      .array();
  for (const auto& build : shown.builds)
    out.object()
        .field("number", build.number)
        .field("repo", build.repo)
        .field("branch", build.branch)
        .field("started_at", build.started_at)
        .end();
  out.end().end();
}

void write(JsonWriter& out, const store::Token& token) {
  out.object()
      .field("id", token.id)
      .field("name", token.name)
      .field("role", token.role)
      .field("created_at", token.created_at)
      .field("last_used_at", token.last_used_at)
      .field("expires_at", token.expires_at)
      .end();
}

void write(JsonWriter& out, const store::AuditEntry& entry) {
  out.object()
      .field("id", entry.id)
      .field("at", entry.at)
      .field("actor", entry.actor)
      .field("token", entry.token_id)
      .field("from", entry.peer)
      .field("action", entry.action)
      .field("object", entry.object)
      .field("status", entry.status)
      .end();
}

struct Body::Parsed {
  Poco::JSON::Object::Ptr object;
};

Body::~Body() = default;

Body::Body(const http::Request& request, const std::vector<std::string>& known) : parsed_(std::make_unique<Parsed>()) {
  refuseHugeNumbers(request.body);
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(16);
    parsed_->object = parser.parse(request.body).extract<Poco::JSON::Object::Ptr>();
  } catch (const Poco::JSON::JSONException& error) {
    throw Refusal(400, "bad_json", "the request's body is not JSON: " + error.message());
  } catch (const Poco::Exception&) {
    throw Refusal(400, "bad_json", "the request's body is JSON, but not an object");
  }
  for (const auto& key : parsed_->object->getNames()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto near = nearest(key, known);
    throw Refusal(400, "unknown_key", "the request has an unknown key `" + key.substr(0, 100) + "`",
                  near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
  }
}

bool Body::has(const std::string& key) const { return parsed_->object->has(key) && !parsed_->object->isNull(key); }

std::string Body::text(const std::string& key, std::size_t max_bytes) const {
  if (!has(key)) return "";
  const auto value = parsed_->object->get(key);
  if (!value.isString()) throw Refusal(400, "bad_type", "`" + key + "` must be a text");
  const auto text = value.extract<std::string>();
  if (text.size() > max_bytes)
    throw Refusal(400, "too_long", "`" + key + "` is longer than " + std::to_string(max_bytes) + " bytes");
  // Neither store could hold it; Poco lets half a surrogate pair through as bytes that are no UTF-8.
  if (trigger::cleanText(text, text.size()) != text)
    throw Refusal(400, "bad_text", "`" + key + "` holds a NUL or what is no character");
  return text;
}

std::string Body::required(const std::string& key, std::size_t max_bytes) const {
  const std::string value = text(key, max_bytes);
  if (value.empty()) throw Refusal(400, "missing_key", "`" + key + "` is missing");
  return value;
}

std::int64_t Body::number(const std::string& key, std::int64_t least, std::int64_t most, std::int64_t fallback) const {
  if (!has(key)) return fallback;
  const auto value = parsed_->object->get(key);
  if (!value.isInteger() || value.isBoolean()) throw Refusal(400, "bad_type", "`" + key + "` must be a whole number");
  const auto number = value.convert<Poco::Int64>();
  if (number < least || number > most)
    throw Refusal(400, "out_of_range",
                  "`" + key + "` must lie between " + std::to_string(least) + " and " + std::to_string(most));
  return number;
}

bool Body::flag(const std::string& key) const {
  if (!has(key)) return false;
  const auto value = parsed_->object->get(key);
  if (!value.isBoolean()) throw Refusal(400, "bad_type", "`" + key + "` must be true or false");
  return value.extract<bool>();
}

}  // namespace ocelot::admin
