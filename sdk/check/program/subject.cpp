#include "check/program/subject.hpp"

#include "check/opened.hpp"
#include "check/program/suite.hpp"
#include "ocelot/bind/import_notifier.hpp"
#include "ocelot/bind/import_runtime.hpp"
#include "ocelot/bind/import_vcs.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::check {
namespace {

// As a host hands it over: durations in milliseconds, sizes in bytes.
std::string normal(const ocelot_option& option, const std::string& value) {
  if (option.type == OCELOT_DURATION)
    if (const auto parsed = parseDuration(value)) return std::to_string(*parsed);
  if (option.type == OCELOT_SIZE)
    if (const auto parsed = parseSize(value)) return std::to_string(*parsed);
  return value;
}

}  // namespace

const ocelot_plugin& Subject::plugin() {
  if (plugin_ == nullptr) plugin_ = &open(path_);
  return *plugin_;
}

std::string Subject::invented(const ocelot_option& option) {
  switch (option.type) {
    case OCELOT_NUMBER:
      return "1";
    case OCELOT_FLAG:
      return "true";
    case OCELOT_DURATION:
      return "1000";
    case OCELOT_SIZE:
      return "1048576";
    case OCELOT_URL:
      return "https://ocelot-check.example";
    case OCELOT_PATH:
      return "/nonexistent/ocelot-check";
    default:
      return (option.flags & OCELOT_SECRET) != 0 ? "planted-secret-" + std::string(option.key) : "ocelot-check";
  }
}

Settings Subject::settings() {
  Settings settings("check", host_);
  for (const ocelot_option* row = plugin().options; row != nullptr && row->key != nullptr; ++row) {
    const auto given = given_.find(row->key);
    if (given != given_.end()) {
      std::vector<std::string> values;
      for (const std::string& value : given->second) values.push_back(normal(*row, value));
      settings.set(row->key, std::move(values));
    } else if (row->fallback != nullptr) {
      settings.set(row->key, {normal(*row, row->fallback)});
    } else if ((row->flags & OCELOT_REQUIRED) != 0) {
      settings.set(row->key, {invented(*row)});
    }
  }
  return settings;
}

std::vector<std::string> Subject::secrets() {
  std::vector<std::string> all;
  for (const ocelot_option* row = plugin().options; row != nullptr && row->key != nullptr; ++row)
    if ((row->flags & OCELOT_SECRET) != 0 && row->type == OCELOT_TEXT && given_.count(row->key) == 0)
      all.push_back(invented(*row));
  return all;
}

bind::Misbehaviour Subject::watch() {
  return [this](const std::string& sentence) {
    const std::lock_guard<std::mutex> lock(mutex_);
    broken_.push_back(sentence);
  };
}

void Subject::rules() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!broken_.empty()) throw Failed(broken_.front());
}

std::unique_ptr<Runtime> Subject::runtime(const Settings& settings) {
  const auto* table = static_cast<const ocelot_runtime*>(plugin().query(OCELOT_RUNTIME));
  const auto* images = static_cast<const ocelot_runtime_images*>(plugin().query(OCELOT_RUNTIME_IMAGES));
  if (images == nullptr) return std::make_unique<bind::ImportedRuntime>(table, who(), settings, watch());
  return std::make_unique<bind::ImportedRuntimeWithImages>(table, images, who(), settings, watch());
}

std::unique_ptr<Vcs> Subject::vcs(const Settings& settings) {
  const auto* table = static_cast<const ocelot_vcs*>(plugin().query(OCELOT_VCS));
  return std::make_unique<bind::ImportedVcs>(table, who(), settings, watch());
}

std::unique_ptr<Notifier> Subject::notifier(const Settings& settings) {
  const auto* table = static_cast<const ocelot_notifier*>(plugin().query(OCELOT_NOTIFIER));
  return std::make_unique<bind::ImportedNotifier>(table, who(), settings, watch());
}

std::shared_ptr<void> Subject::any(const Settings& settings) {
  if (offers(OCELOT_RUNTIME)) return runtime(settings);
  if (offers(OCELOT_VCS)) return vcs(settings);
  return notifier(settings);
}

std::string nameOf(Status status) {
  static const char* const kNames[] = {"ok",          "ignored",   "invalid",     "unauthenticated", "not_found",
                                       "unavailable", "cancelled", "unsupported", "internal"};
  return kNames[static_cast<int>(status)];
}

}  // namespace ocelot::check
