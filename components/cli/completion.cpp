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

std::string spaced(const std::string& left, const std::string& right) {
  return left + (left.empty() || right.empty() ? "" : " ") + right;
}

// ── bash ──

// As the table has it: --flag, --takes=, --file=FILE, --choice=a|b.
std::string bashOption(const Option& option) {
  std::string value;
  if (!option.argument.empty()) {
    value = "=" + (isFile(option.argument) ? "FILE" : choicesOf(option.argument));
    std::replace(value.begin(), value.end(), ' ', '|');
  }
  return (shortName(option).empty() ? "" : shortName(option) + value + " ") + longName(option) + value;
}

std::string bashOptions(const std::vector<Option>& options) { return joined(options, bashOption); }

std::string bashRow(const Command& command) {
  return spaced(spaced(bashOptions(command.options), takesFile(command) ? "FILE" : ""), choicesOf(command.words));
}

void bashRow(std::ostringstream& out, const std::string& name, const std::string& row) {
  out << "    [" << quoted(name) << "]=" << quoted(row) << "\n";
}

const char* const kBashLookup = R"(  )
  local key=ocelot item
  if [[ -n ${said[0]-} ]]; then
    key=${said[0]}
    [[ -z ${said[1]-} || -z ${rows[$key ${said[1]}]+x} ]] || key+=" ${said[1]}"
  fi
  local row=${rows[$key]-}
  [[ $row == @* ]] || row+=" $common"
  for item in ${row#@}; do
    case $item in
      "$prev="*)
        item=${item#*=}
        if [[ $item == FILE ]]; then compopt -o default; else COMPREPLY=($(compgen -W "${item//|/ }" -- "$cur")); fi
        return
        ;;
      FILE) compopt -o default ;;
      -*) options+=" ${item%%=*}" ;;
      *) words+=" $item" ;;
    esac
  done
  case $cur in -*) words=$options ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _ocelot ocelot
)";

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
         "  # A row a command: the words that go on, @ before those of a noun; options, with what they take.\n"
         "  local common="
      << quoted(bashOptions(commonOptions())) << "\n  local -A rows=(\n";
  const auto all = nouns();
  bashRow(out, "ocelot", "@" + joined(all, [](const Noun& noun) { return noun.name; }) + " --help --version");
  for (const auto& noun : all) {
    std::string row = joined(noun.verbs, [](const Command* one) { return verbOf(*one); });
    row = noun.command ? spaced(row, bashRow(*noun.command)) : "@" + row;
    bashRow(out, noun.name, row);
    for (const Command* verb : noun.verbs) bashRow(out, verb->name, bashRow(*verb));
  }
  return out.str() + kBashLookup;
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

void zshOptions(std::ostringstream& out, const std::vector<Option>& options, const std::string& before) {
  for (const auto& option : options) {
    const std::string help =
        "[" + zshText(option.help) + "]" + (option.argument.empty() ? "" : zshValue(option.argument));
    for (const std::string& name : {shortName(option), longName(option)})
      if (!name.empty()) out << before << quoted("*" + name + help);
  }
}

void zshArguments(std::ostringstream& out, const Command& command, const std::string& indent) {
  out << indent << "_arguments $common";
  zshOptions(out, command.options, " \\\n" + indent + "  ");
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
         "  local -a common=(";
  zshOptions(out, commonOptions(), "\n    ");
  out << ")\n  if ((CURRENT == 2)); then\n";
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

void fishOptions(std::ostringstream& out, const std::vector<Option>& options, const std::string& condition) {
  for (const auto& option : options) {
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
}

void fishCommand(std::ostringstream& out, const Command& command, const std::string& condition) {
  fishOptions(out, command.options, condition);
  if (takesFile(command)) out << "complete -c ocelot -n " << quoted(condition) << " -F\n";
  if (!choicesOf(command.words).empty())
    out << "complete -c ocelot -n " << quoted(condition) << " -a " << quoted(choicesOf(command.words)) << "\n";
}

std::string fish() {
  std::ostringstream out;
  out << "# fish completion for ocelot, written by `ocelot completion fish`\n\ncomplete -c ocelot -f\n";
  fishOptions(out, commonOptions(), "not __fish_use_subcommand");
  for (const auto& noun : nouns()) {
    out << "complete -c ocelot -n __fish_use_subcommand -a " << noun.name << " -d " << quoted(noun.summary) << "\n";
    const std::string seen = "__fish_seen_subcommand_from " + noun.name;
    if (noun.verbs.empty()) {
      fishCommand(out, *noun.command, seen);
      continue;
    }
    const std::string verbs = joined(noun.verbs, [](const Command* one) { return verbOf(*one); });
    for (const Command* verb : noun.verbs) {
      out << "complete -c ocelot -n " << quoted(seen + "; and not __fish_seen_subcommand_from " + verbs) << " -a "
          << verbOf(*verb) << " -d " << quoted(verb->summary) << "\n";
      fishCommand(out, *verb, seen + "; and __fish_seen_subcommand_from " + verbOf(*verb));
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
