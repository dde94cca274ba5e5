// The lists of an ocelot.yml: variables, secrets, patterns, triggers, notifications.

#include <algorithm>
#include <limits>
#include <set>

#include "host/pipeline/directive.hpp"
#include "host/pipeline/patterns.hpp"
#include "host/pipeline/reader.hpp"
#include "host/pipeline/suggest.hpp"
#include "host/pipeline/values.hpp"

namespace ocelot::pipeline {

namespace {

constexpr std::size_t kMaxVariables = 1000;
constexpr std::size_t kMaxSecrets = 100;
constexpr std::size_t kMaxNotifications = 20;

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

}  // namespace

Environment Reader::environment(const Node& node) {
  Environment out;
  if (node.kind == Node::Kind::map) {
    if (node.entries.size() > kMaxVariables) {
      error(node,
            "`env` has " + std::to_string(node.entries.size()) + " variables; at most " +
                std::to_string(kMaxVariables) + " are read",
            "");
      return out;
    }
    for (const yaml::Entry& entry : node.entries) {
      if (entry.value->kind == Node::Kind::null) {
        variable(out, entry.key, "", entry.line, entry.column);
      } else if (const auto value = text(*entry.value, entry.key)) {
        variable(out, entry.key, *value, entry.line, entry.column);
      }
    }
    return out;
  }
  std::set<std::string, std::less<>> seen;
  for (const Text& item : texts(node, "env", kMaxVariables)) {
    const auto equals = item.value.find('=');
    if (equals == std::string::npos) {
      error(*item.node, "`env`: " + quoted(item.value) + " has no `=`", "write `NAME=value`");
      continue;
    }
    std::string name = item.value.substr(0, equals);
    if (!seen.insert(name).second) error(*item.node, "`env` sets " + quoted(name) + " twice", "");
    variable(out, std::move(name), item.value.substr(equals + 1), item.node->line, item.node->column);
  }
  return out;
}

void Reader::variable(Environment& env, std::string name, std::string value, int line, int column) {
  if (!isVariableName(name)) {
    error(line, column, "`env`: " + quoted(name) + " is not the name of a variable",
          "write letters, digits and `_`, not beginning with a digit");
  } else if (name.rfind("OCELOT_", 0) == 0) {
    error(line, column, "`env`: " + quoted(name) + " begins with `OCELOT_`",
          "these names are Ocelot's own; choose another");
  }
  env.emplace_back(std::move(name), std::move(value));
}

std::vector<std::string> Reader::secretNames(const Node& node) {
  std::vector<std::string> out;
  for (const Text& item : texts(node, "secrets", kMaxSecrets)) {
    if (!isVariableName(item.value)) {
      error(*item.node, "`secrets`: " + quoted(item.value) + " is not the name of a secret",
            "write letters, digits and `_`; a secret becomes the variable of its name");
    } else if (item.value.rfind("OCELOT_", 0) == 0) {
      error(*item.node, "`secrets`: " + quoted(item.value) + " begins with `OCELOT_`",
            "these names are Ocelot's own; choose another");
    } else if (std::find(out.begin(), out.end(), item.value) != out.end()) {
      error(*item.node, "`secrets` names " + quoted(item.value) + " twice", "");
    }
    out.push_back(item.value);
  }
  return out;
}

// A name that is both a variable and a secret would leave it to chance which of them a stage sees.
void Reader::checkSecrets(const Pipeline& pipeline) {
  const auto sets = [](const Environment& env, const std::string& name) {
    return std::any_of(env.begin(), env.end(), [&](const auto& variable) { return variable.first == name; });
  };
  for (const Stage& stage : pipeline.stages) {
    for (const auto* names : {&pipeline.secrets, &stage.secrets}) {
      for (const std::string& name : *names) {
        if (!sets(stage.env, name) && !sets(pipeline.env, name)) continue;
        error(stage.line, 1, "stage " + quoted(stage.name) + ": " + quoted(name) + " is in both `env` and `secrets`",
              "keep one of them");
      }
    }
    for (const std::string& name : stage.secrets) {
      if (std::find(pipeline.secrets.begin(), pipeline.secrets.end(), name) == pipeline.secrets.end()) continue;
      error(stage.line, 1, "stage " + quoted(stage.name) + ": every stage gets the secret " + quoted(name) + " already",
            "name it once");
    }
  }
}

// False, and said once, when the file's patterns cost more than is allowed.
bool Reader::patternsAffordable(const Node& at) {
  if (pattern_cost_ <= kMaxPatternCost) return true;
  if (pattern_cost_ != std::numeric_limits<std::size_t>::max()) {
    error(at, "the branch patterns of the file are too many or too large", "use shorter and simpler ones");
    pattern_cost_ = std::numeric_limits<std::size_t>::max();
  }
  return false;
}

std::vector<std::string> Reader::patterns(const Node& node, std::string_view key) {
  std::vector<std::string> out;
  for (const Text& item : texts(node, key, kMaxPatterns)) {
    if (!patternsAffordable(*item.node)) return out;
    const PatternCheck check = checkPattern(item.value);
    pattern_cost_ += check.cost;
    if (!check.fault.empty()) {
      error(*item.node,
            "`" + std::string(key) + "`: the pattern " + quoted(item.value) + " cannot be used: " + check.fault,
            "patterns are RE2 expressions for the whole name, such as `release-.*`");
    }
    out.push_back(item.value);
  }
  return out;
}

std::vector<std::string> Reader::directives(const Node& node) {
  std::vector<std::string> out;
  for (const Text& item : texts(node, "triggers", kMaxPatterns)) {
    if (!patternsAffordable(*item.node)) return out;
    DirectiveFault fault;
    if (!parseDirective(item.value, fault, pattern_cost_)) {
      error(
          *item.node,
          "`triggers`, character " + std::to_string(fault.column) + " of " + quoted(item.value) + ": " + fault.message,
          fault.hint);
    }
    out.push_back(item.value);
  }
  return out;
}

void Reader::notifications(const Node& node, std::vector<Notification>& out) {
  if (node.kind == Node::Kind::map) {
    map(node, Scope::notify, "`notify`", [&](Key, const Node& slack) {
      Notification notification;
      notification.via = "slack";
      notification.line = slack.line;
      map(slack, Scope::slack, "`slack`", [&](Key key, const Node& value) {
        if (key == Key::channel) notification.target = bounded(value, "channel", 1024);
        if (key == Key::identifier) notification.identifier = bounded(value, "identifier", 255);
        if (key == Key::on) results(value, notification);
      });
      out.push_back(std::move(notification));
    });
    return;
  }
  if (node.kind != Node::Kind::list)
    return error(node, "`notify` has to be a list", "for example `notify: [{via: team-chat, on: [FAIL]}]`");
  if (node.items.size() > kMaxNotifications) {
    return error(node,
                 "`notify` has " + std::to_string(node.items.size()) + " items; at most " +
                     std::to_string(kMaxNotifications) + " are read",
                 "");
  }
  for (const yaml::NodePtr& item : node.items) {
    Notification notification;
    notification.line = item->line;
    map(*item, Scope::notification, "a notification", [&](Key key, const Node& value) {
      if (key == Key::via) {
        notification.via = bounded(value, "via", 64);
        if (!isPlainName(notification.via))
          error(value, "`via`: " + quoted(notification.via) + " is not the name of a notifier", "");
      }
      if (key == Key::target) notification.target = bounded(value, "target", 1024);
      if (key == Key::on) results(value, notification);
    });
    out.push_back(std::move(notification));
  }
}

void Reader::results(const Node& node, Notification& out) {
  out.on_pass = out.on_fail = false;
  for (const Text& item : texts(node, "on", 10)) {
    const std::string word = upper(item.value);
    if (word == "PASS") {
      out.on_pass = true;
    } else if (word == "FAIL") {
      out.on_fail = true;
    } else if (word == "SKIP") {
      warn(item.node->line, item.node->column, "`on`: `SKIP` never happens to a build", "remove it");
    } else {
      error(*item.node, "`on`: " + quoted(item.value) + " is neither `PASS` nor `FAIL`", "");
    }
  }
}

}  // namespace ocelot::pipeline
