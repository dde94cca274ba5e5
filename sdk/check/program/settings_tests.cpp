// What an operator may get wrong.

#include "check/program/subject.hpp"
#include "check/program/suite.hpp"

namespace ocelot::check {
namespace {

// Makes an instance. Refusing is fine, if it is done as agreed: INVALID or UNAVAILABLE, and a reason.
void mustAnswer(Subject& subject, const Settings& settings, const std::string& with) {
  std::string why;
  const Status status = statusOf([&] { subject.any(settings); }, &why);
  require(status == Status::ok || status == Status::invalid || status == Status::unavailable ||
              status == Status::unsupported,
          "with " + with + " create answers " + nameOf(status) + ": " + why);
  subject.rules();
}

void requiredKeys(Subject& subject) {
  const Settings whole = subject.settings();
  for (const ocelot_option* row = subject.plugin().options; row != nullptr && row->key != nullptr; ++row) {
    if ((row->flags & OCELOT_REQUIRED) == 0) continue;
    Settings without("check", subject.host());
    for (const auto& [key, values] : whole.values())
      if (key != row->key) without.set(key, values);
    std::string why;
    const Status status = statusOf([&] { subject.any(without); }, &why);
    if (status == Status::ok) continue;  // the host checks before; the plugin may, too
    require(status == Status::invalid, "without " + std::string(row->key) + " it answers " + nameOf(status));
    require(why.find(row->key) != std::string::npos,
            "without " + std::string(row->key) + " it says \"" + why + "\", which does not name the key");
  }
  subject.rules();
}

void unknownKeys(Subject& subject) {
  Settings settings = subject.settings();
  const Status before = statusOf([&] { subject.any(settings); });
  settings.set("from_a_newer_host", {"1"});
  std::string why;
  const Status after = statusOf([&] { subject.any(settings); }, &why);
  require(before == after, "a key that it does not know changes its answer to " + nameOf(after) + ": " + why);
}

void hostileValues(Subject& subject) {
  mustAnswer(subject, Settings("check", subject.host()), "no settings at all");
  const std::vector<std::string> values{"",
                                        std::string(1, '\0'),
                                        std::string(1 << 20, 'a'),
                                        "-1",
                                        "99999999999999999999",
                                        "a\nb",
                                        "\xff\xfe\x80",
                                        "../../../../etc/passwd",
                                        "%s%n%s%n",
                                        "--upload-pack=/bin/false",
                                        "https://",
                                        "https://user:pw@\r\nHost: evil/",
                                        "'; drop table builds; --"};
  for (const ocelot_option* row = subject.plugin().options; row != nullptr && row->key != nullptr; ++row) {
    // A host lets nothing of another type pass.
    if (row->type != OCELOT_TEXT && row->type != OCELOT_LIST && row->type != OCELOT_URL) continue;
    for (const std::string& value : values) {
      Settings settings = subject.settings();
      settings.set(row->key, {value});
      mustAnswer(subject, settings, std::string(row->key) + " of " + std::to_string(value.size()) + " odd bytes");
    }
    Settings settings = subject.settings();
    settings.set(row->key, {});
    mustAnswer(subject, settings, std::string(row->key) + " an empty list");
  }
}

void secretsAreKept(Subject& subject) {
  const auto secrets = subject.secrets();
  if (secrets.empty()) throw Skipped("it has no secret option");
  const auto look = [&](const std::string& text, const char* where) {
    for (const std::string& secret : secrets)
      require(text.find(secret) == std::string::npos, std::string("a secret's value stands in ") + where + ": " + text);
  };
  for (const int status : {0, 200, 401, 500}) {
    subject.host().answerWith(status, "{}");
    TestCall call{std::chrono::seconds(5)};
    std::string why;
    const Settings settings = subject.settings();
    statusOf(
        [&] {
          if (subject.offers("ocelot.runtime/1")) look(subject.runtime(settings)->probe(call).why_not, "why_not");
          if (subject.offers("ocelot.vcs/1"))
            subject.vcs(settings)->heads(call, {"acme/shop", "https://ocelot-check.example/acme/shop"});
          if (subject.offers("ocelot.notifier/1")) subject.notifier(settings)->tell(call, {}, "");
        },
        &why);
    look(why, "an error");
    look(call.logged(), "the log");
  }
  for (const HttpRequest& request : subject.host().requests())
    look(request.url, "a URL, which servers write to their logs");
}

}  // namespace

std::vector<Test> settingsTests() {
  return {{"settings.required", "a required key that is missing is refused by name, or left to the host", requiredKeys},
          {"settings.unknown", "a key from a newer host changes nothing", unknownKeys},
          {"settings.hostile", "odd values get an answer, never a crash or an internal error", hostileValues},
          {"settings.secrets", "no secret stands in an error, a log line or a URL", secretsAreKept}};
}

}  // namespace ocelot::check
