#include "components/cli/completion.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include "components/cli/command.hpp"

namespace ocelot::cli {
namespace {

struct Noun {
  std::string name;
  std::string summary;                // of the command, when it is one
  std::vector<const Command*> verbs;  // empty: a command by itself
  const Command* command = nullptr;
};

std::vector<Noun> nouns() {
  std::vector<Noun> all;
  for (const auto& command : commands()) {
    const std::size_t blank = command.name.find(' ');
    const std::string first = command.name.substr(0, blank);
    auto known = std::find_if(all.begin(), all.end(), [&](const Noun& noun) { return noun.name == first; });
    if (known == all.end()) known = all.insert(all.end(), Noun{first, "", {}, nullptr});
    if (blank == std::string::npos) {
      known->command = &command;
      known->summary = command.summary;
    } else {
      known->verbs.push_back(&command);
      known->summary += (known->summary.empty() ? "" : ", ") + command.name.substr(blank + 1);
    }
  }
  return all;
}

std::string verbOf(const Command& command) { return command.name.substr(command.name.find(' ') + 1); }
std::string longName(const Option& option) { return option.name.substr(option.name.find("--")); }
std::string shortName(const Option& option) { return option.name[1] == '-' ? "" : option.name.substr(0, 2); }

std::vector<Option> optionsOf(const Command& command) {
  std::vector<Option> all = command.options;
  all.insert(all.end(), commonOptions().begin(), commonOptions().end());
  return all;
}

bool isFile(const std::string& argument) { return argument == "FILE" || argument == "DIR" || argument == "SOURCE"; }
bool takesFile(const Command& command) {
  return command.words.find("FILE") != std::string::npos || command.words.find("SOURCE") != std::string::npos;
}

// What an argument may be, where that is a short list.
std::string choicesOf(const std::string& argument) {
  static const std::map<std::string, std::string> lists{
      {"ROLE", "admin operator viewer"},
      {"SHELL", "bash zsh fish"},
      {"STATES", "queued running passed failed timed_out canceled error rejected"}};
  const auto found = lists.find(argument);
  return found == lists.end() ? "" : found->second;
}

// Inside of single quotes, for all three shells.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

template <class Range, class Text>
std::string joined(const Range& range, const Text& text) {
  std::string out;
  for (const auto& one : range) out += (out.empty() ? "" : " ") + text(one);
  return out;
}

// ── bash ──

void bashCase(std::ostringstream& out, const std::string& pattern, const Command& command) {
  std::string values;
  out << "    " << quoted(pattern) << ")\n      case $prev in\n";
  for (const auto& option : optionsOf(command)) {
    if (option.argument.empty()) continue;
    const std::string names = (shortName(option).empty() ? "" : shortName(option) + "|") + longName(option);
    const std::string choices = choicesOf(option.argument);
    out << "        " << names << ") "
        << (isFile(option.argument) ? "compopt -o default"
            : choices.empty()       ? ":"
                                    : "COMPREPLY=($(compgen -W '" + choices + "' -- \"$cur\"))")
        << "; return ;;\n";
  }
  out << "      esac\n      options='" << joined(optionsOf(command), [](const Option& option) {
    return (shortName(option).empty() ? "" : shortName(option) + " ") + longName(option);
  }) << "'\n";
  if (takesFile(command)) out << "      compopt -o default\n";
  if (!choicesOf(command.words).empty()) out << "      words='" << choicesOf(command.words) << "'\n";
  out << "      ;;\n";
}

std::string bash() {
  std::ostringstream out;
  out << "# bash completion for ocelot, written by `ocelot completion bash`\n\n"
         "_ocelot() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options='' words='' i\n"
         "  local -a said=()\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in -*) ;; *) said+=(\"${COMP_WORDS[i]}\") ;; esac\n"
         "  done\n"
         "  case ${said[0]-} in\n";
  const auto all = nouns();
  out << "    '') words='" << joined(all, [](const Noun& noun) { return noun.name; })
      << "'; options='--help --version' ;;\n";
  for (const auto& noun : all) {
    if (noun.verbs.empty()) {
      bashCase(out, noun.name, *noun.command);
      continue;
    }
    out << "    " << noun.name << ")\n    case ${said[1]-} in\n    '') words='"
        << joined(noun.verbs, [](const Command* one) { return verbOf(*one); }) << "' ;;\n";
    for (const Command* verb : noun.verbs) bashCase(out, verbOf(*verb), *verb);
    out << "    esac ;;\n";
  }
  out << "  esac\n"
         "  case $cur in -*) words=$options ;; esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -F _ocelot ocelot\n";
  return out.str();
}

// ── zsh ──

// In a specification of _arguments brackets and colons have a meaning.
std::string zshText(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zshValue(const std::string& argument) {
  if (isFile(argument)) return ":" + argument + ":_files";
  const std::string choices = choicesOf(argument);
  return ":" + zshText(argument) + ":" + (choices.empty() ? "" : "(" + choices + ")");
}

void zshArguments(std::ostringstream& out, const Command& command, const std::string& indent) {
  out << indent << "_arguments";
  for (const auto& option : optionsOf(command)) {
    const std::string help =
        "[" + zshText(option.help) + "]" + (option.argument.empty() ? "" : zshValue(option.argument));
    for (const std::string& name : {shortName(option), longName(option)})
      if (!name.empty()) out << " \\\n" << indent << "  " << quoted("*" + name + help);
  }
  if (command.most_words > 0)
    out << " \\\n" << indent << "  " << quoted(takesFile(command) ? "*:FILE:_files" : "*" + zshValue(command.words));
  out << "\n";
}

template <class Range, class Row>
void zshDescribe(std::ostringstream& out, const Range& range, const Row& row, const std::string& indent) {
  out << indent << "local -a choices=(\n";
  for (const auto& one : range) {
    const auto [name, summary] = row(one);
    out << indent << "  " << quoted(zshText(name) + ":" + zshText(summary)) << "\n";
  }
  out << indent << ")\n" << indent << "_describe command choices\n";
}

std::string zsh() {
  std::ostringstream out;
  out << "#compdef ocelot\n# zsh completion for ocelot, written by `ocelot completion zsh`\n\n"
         "_ocelot() {\n"
         "  if ((CURRENT == 2)); then\n";
  const auto all = nouns();
  zshDescribe(
      out, all, [](const Noun& noun) { return std::pair(noun.name, noun.summary); }, "    ");
  out << "    return\n  fi\n  shift words\n  ((CURRENT--))\n  case $words[1] in\n";
  for (const auto& noun : all) {
    out << "    " << noun.name << ")\n";
    if (noun.verbs.empty()) {
      zshArguments(out, *noun.command, "      ");
    } else {
      out << "      if ((CURRENT == 2)); then\n";
      zshDescribe(
          out, noun.verbs, [](const Command* one) { return std::pair(verbOf(*one), one->summary); }, "        ");
      out << "        return\n      fi\n      shift words\n      ((CURRENT--))\n      case $words[1] in\n";
      for (const Command* verb : noun.verbs) {
        out << "        " << verbOf(*verb) << ")\n";
        zshArguments(out, *verb, "          ");
        out << "          ;;\n";
      }
      out << "      esac\n";
    }
    out << "      ;;\n";
  }
  out << "  esac\n}\n\n_ocelot \"$@\"\n";
  return out.str();
}

// ── fish ──

void fishOptions(std::ostringstream& out, const Command& command, const std::string& condition) {
  for (const auto& option : optionsOf(command)) {
    out << "complete -c ocelot -n " << quoted(condition);
    if (!shortName(option).empty()) out << " -s " << shortName(option).substr(1);
    out << " -l " << longName(option).substr(2);
    const std::string choices = choicesOf(option.argument);
    if (isFile(option.argument)) {
      out << " -rF";
    } else if (!choices.empty()) {
      out << " -xa " << quoted(choices);
    } else if (!option.argument.empty()) {
      out << " -x";
    }
    out << " -d " << quoted(option.help) << "\n";
  }
  if (takesFile(command)) out << "complete -c ocelot -n " << quoted(condition) << " -F\n";
  if (!choicesOf(command.words).empty())
    out << "complete -c ocelot -n " << quoted(condition) << " -a " << quoted(choicesOf(command.words)) << "\n";
}

std::string fish() {
  std::ostringstream out;
  out << "# fish completion for ocelot, written by `ocelot completion fish`\n\ncomplete -c ocelot -f\n";
  for (const auto& noun : nouns()) {
    out << "complete -c ocelot -n __fish_use_subcommand -a " << noun.name << " -d " << quoted(noun.summary) << "\n";
    const std::string seen = "__fish_seen_subcommand_from " + noun.name;
    if (noun.verbs.empty()) {
      fishOptions(out, *noun.command, seen);
      continue;
    }
    const std::string verbs = joined(noun.verbs, [](const Command* one) { return verbOf(*one); });
    for (const Command* verb : noun.verbs) {
      out << "complete -c ocelot -n " << quoted(seen + "; and not __fish_seen_subcommand_from " + verbs) << " -a "
          << verbOf(*verb) << " -d " << quoted(verb->summary) << "\n";
      fishOptions(out, *verb, seen + "; and __fish_seen_subcommand_from " + verbOf(*verb));
    }
  }
  return out.str();
}

}  // namespace

std::string completionFor(const std::string& shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  if (shell == "fish") return fish();
  return "";
}

}  // namespace ocelot::cli
