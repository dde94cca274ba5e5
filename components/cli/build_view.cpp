#include "components/cli/build_view.hpp"

#include <Poco/JSON/Array.h>

#include <cstdlib>

#include "components/cli/terminal.hpp"
#include "host/logs/terminal.hpp"

namespace ocelot::cli {
namespace {

std::string tookOf(const Json& timed) {
  const std::int64_t begin = num(timed, "started_at"), end = num(timed, "finished_at");
  return begin > 0 && end >= begin ? duration(end - begin) : "";
}

Json brokenStage(const Json& build) {
  const auto stages = build->getArray("stages");
  for (unsigned i = 0; stages && i < stages->size(); ++i) {
    const auto stage = stages->getObject(i);
    const std::string state = str(stage, "state");
    if (state == "failed" || state == "timed_out") return stage;
  }
  return nullptr;
}

// Those of a build that passed: what did not run says why.
std::string skippedStages(const Json& build) {
  std::string out;
  const auto stages = build->getArray("stages");
  for (unsigned i = 0; stages && i < stages->size(); ++i) {
    const auto stage = stages->getObject(i);
    if (str(stage, "state") == "skipped")
      out += "  skipped   " + plain(str(stage, "name")) + ": " + plain(str(stage, "sentence")) + "\n";
  }
  return out;
}

std::string framed(std::string_view bytes, int fd) {
  const std::string safe = logs::terminalSafe(bytes, isTerminal(fd) && !std::getenv("NO_COLOR"));
  std::string out;
  for (std::size_t begin = 0; begin < safe.size();) {
    const std::size_t end = std::min(safe.find('\n', begin), safe.size());
    out += "  " + paint("│", Colour::dim, fd) + " " + safe.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

// Beside a label: the lines after the first stand below it.
std::string indented(const std::string& script) {
  std::string out;
  for (std::size_t begin = 0; begin < script.size();) {
    const std::size_t end = std::min(script.find('\n', begin), script.size());
    out += (out.empty() ? "" : "\n            ") + plain(script.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::string shortCommit(const std::string& commit) { return commit.substr(0, 7); }

std::string titleOf(const Json& build) {
  const std::int64_t number = num(build, "number");
  std::string title = number > 0 ? "#" + std::to_string(number) : "";
  for (const std::string& part :
       {plain(str(build, "repo")), plain(str(build, "branch")), shortCommit(str(build, "commit"))})
    if (!part.empty()) title += (title.empty() ? "" : " ") + part;
  return title;
}

int exitStatusOf(const std::string& state) {
  if (state == "passed" || state == "queued" || state == "running") return kPassed;
  if (state == "failed" || state == "timed_out") return kFailed;
  if (state == "canceled") return kCanceled;
  return kError;
}

std::string describe(const Json& build) {
  const std::string state = str(build, "state");
  std::string out = paint(titleOf(build), Colour::bold) + "  " + paint(state, colourOf(state)) + "\n";
  const auto line = [&out](const char* name, const std::string& value) {
    if (!value.empty())
      out += std::string("  ") + name + std::string(10 - std::string(name).size(), ' ') + value + "\n";
  };
  line("why", indented(str(build, "sentence")));
  line("waiting", plain(str(build, "waiting")));
  line("commit", str(build, "commit"));
  line("author", plain(str(build, "author")));
  const std::string message = str(build, "message");
  line("message", plain(message.substr(0, message.find('\n')).substr(0, 200)));
  line("asked by", plain(str(build, "trigger") +
                         (str(build, "requested_by").empty() ? "" : " (" + str(build, "requested_by") + ")")));
  if (num(build, "attempt") > 1) line("attempt", std::to_string(num(build, "attempt")));
  line("queued", ago(num(build, "queued_at")));
  line("took", tookOf(build));
  const auto stages = build->getArray("stages");
  if (stages && stages->size() > 0) {
    std::vector<std::vector<std::string>> rows;
    for (unsigned i = 0; i < stages->size(); ++i) {
      const auto stage = stages->getObject(i);
      const std::string stage_state = str(stage, "state");
      rows.push_back({"  " + plain(str(stage, "name")), paint(stage_state, colourOf(stage_state)), tookOf(stage),
                      plain(str(stage, "sentence"))});
    }
    out += "\n" + table(rows);
  }
  return out;
}

std::string ending(const Json& build, const Afterwards& afterwards, int fd) {
  const std::string state = str(build, "state");
  std::string out = paint(state, colourOf(state), fd) + "  " + titleOf(build);
  const std::string took = tookOf(build);
  if (!took.empty()) out += "  in " + took;
  out += "\n";
  if (state == "passed") return out + skippedStages(build);
  if (const Json stage = brokenStage(build)) {
    out += "\n  stage     " + paint(plain(str(stage, "name")), Colour::bold, fd) + "\n";
    if (num(stage, "line") > 0) out += "  at        ocelot.yml:" + std::to_string(num(stage, "line")) + "\n";
    if (!str(stage, "command").empty()) out += "  command   " + indented(str(stage, "command")) + "\n";
    if (num(stage, "exit_code") >= 0) out += "  exit code " + std::to_string(num(stage, "exit_code")) + "\n";
    if (!str(build, "sentence").empty()) out += "  why       " + indented(str(build, "sentence")) + "\n";
    const std::string lines = framed(afterwards.last_lines(num(stage, "index")), fd);
    if (!lines.empty()) out += "\n" + lines;
  } else if (!str(build, "sentence").empty()) {
    out += "  why       " + indented(str(build, "sentence")) + "\n";
  }
  if (!afterwards.next_steps.empty()) out += "\n";
  for (const auto& [what, command] : afterwards.next_steps)
    out += "  " + what + std::string(what.size() < 12 ? 12 - what.size() : 1, ' ') + command + "\n";
  return out;
}

std::string ending(Server& server, const Json& build, int fd) {
  Afterwards afterwards;
  afterwards.last_lines = [&](std::int64_t stage) {
    LogQuery query;
    query.via_admin = true;
    query.stage = std::to_string(stage);
    query.tail = kLastLines;
    std::string bytes;
    try {
      server.log(str(build, "id"), query, [&bytes](std::string_view part) {
        bytes += part;
        return bytes.size() < (1u << 20);
      });
    } catch (const Failure& failure) {
      bytes = std::string("(its last lines cannot be read: ") + failure.what() + ")";
    }
    return bytes;
  };
  const std::string number = std::to_string(num(build, "number"));
  // What never ran has no log, and the same file would be rejected again.
  if (str(build, "state") == "rejected") {
    afterwards.next_steps = {{"next", "mend the file (`ocelot validate` reads it as the server does), push, build"}};
  } else {
    afterwards.next_steps = {{"whole log", "ocelot logs " + number}, {"once more", "ocelot rerun " + number}};
  }
  return ending(build, afterwards, fd);
}

}  // namespace ocelot::cli
