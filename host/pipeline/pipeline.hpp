#pragma once
// What a repo's ocelot.yml says, read and checked. Reading is a pure function of the bytes: no network, no file system,
// no clock; hostile bytes cost at most a few milliseconds and end as problems, never as an exception.
//
//   auto result = pipeline::read(bytes, "ocelot.yml");
//   if (!result.pipeline) for (const auto& problem : result.problems) print(pipeline::toString(problem, "ocelot.yml"));

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/model/build.hpp"
#include "ocelot/runtime.hpp"

namespace ocelot::pipeline {

// In the order in which they stand in the file; names are unique.
using Environment = std::vector<std::pair<std::string, std::string>>;

// How much of the repository a build gets.
struct Clone {
  bool none = false;  // an empty workspace
  int depth = 50;     // commits of history; 0: all of it
  bool tags = false;
  bool submodules = false;
};

// How long this repo's builds stay; 0: what the operator configured. Whichever is less holds.
struct Keep {
  int days = 0;
  int builds = 0;
};

// Whom to tell when the build has ended.
struct Notification {
  std::string via;         // name of a notifier in the configuration: "slack", "team-webhook"
  std::string target;      // a channel, an address; "" : the notifier's own
  std::string identifier;  // the first Ocelot's notify.slack.identifier, "" when not given
  bool on_pass = true;
  bool on_fail = true;  // failed, timed_out, error and rejected; a canceled build tells nobody
  int line = 0;

  bool tells(model::BuildState state) const;
};

struct Stage {
  std::string name;                   // unique in the pipeline
  std::string script;                 // one shell script, run under `set -e`; ends with a newline
  Environment env;                    // over the pipeline's
  std::string user;                   // "" : the pipeline's
  std::int64_t timeout_ms = 0;        // 0: none but the build's
  std::vector<std::string> branches;  // trigger.branches: RE2 patterns or "ALL"; empty: every branch
  std::vector<std::string> triggers;  // mini-language, one of which must hold; empty: none needed
  std::vector<std::string> secrets;   // beside the pipeline's
  bool always = false;                // `when: always`: runs also after a failed stage
  int line = 0;                       // where the stage stands in the file, 1-based
};

struct Pipeline {
  std::string image;                  // as written: "debian:12"
  std::string machine_tag;            // "" : any worker
  std::string build_tool;             // any text; nothing depends on it
  std::vector<std::string> branches;  // RE2 patterns or "ALL"; empty: every branch builds
  Environment env;
  std::string user;                  // "" : the image's USER
  std::string shell;                 // absolute path; "" : /bin/sh
  std::int64_t timeout_ms = 0;       // of the whole build; 0: the worker's default
  std::string network = "bridge";    // bridge | none | host; whether host is allowed is the operator's to say
  Limits resources;                  // 0 where not given: the worker's default
  std::vector<std::string> secrets;  // names, given to every stage
  Clone clone;
  Keep keep;
  std::vector<Stage> stages;  // at least one
  std::vector<Notification> notify;
};

enum class Severity { error, warning };

struct Problem {
  int line = 0;  // 1-based; 0: of the file as a whole
  int column = 0;
  std::string message;  // "unknown key `scirpt`"
  std::string hint;     // "did you mean `script`?", "" when there is none
  Severity severity = Severity::error;
};

// "ocelot.yml:7:5: unknown key `scirpt`; did you mean `script`?". One line, without control characters.
std::string toString(const Problem& problem, const std::string& file_name);

struct ReadResult {
  std::optional<Pipeline> pipeline;  // set when no problem is an error
  std::vector<Problem> problems;     // all of them, by line; at most 100
  std::string file_name;             // as it was given
};

inline constexpr std::size_t kMaxFileBytes = 256u << 10;

// `file_name` is for messages; nothing is opened.
ReadResult read(std::string_view bytes, const std::string& file_name);

// Every error of a result on one line each: the sentence of a rejected build.
std::string describeErrors(const ReadResult& result);

// Does a build of this branch start without being forced? True when `branches` is empty.
bool buildsBranch(const Pipeline& pipeline, std::string_view branch);

// The handbook's page on ocelot.yml (Markdown) and the JSON Schema for editors, both written from the reader's own key
// table.
std::string reference();
std::string schema();

}  // namespace ocelot::pipeline
