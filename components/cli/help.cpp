// Help, and the handbook's page, from the commands' rows.

#include <algorithm>
#include <sstream>

#include "components/cli/command.hpp"

namespace ocelot::cli {
namespace {

constexpr std::size_t kColumns = 79;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string call(const Command& command) { return command.name + (command.words.empty() ? "" : " " + command.words); }

std::string optionText(const Option& option) {
  return option.name + (option.argument.empty() ? "" : " " + option.argument);
}

void addOptions(std::ostringstream& out, const std::vector<Option>& options) {
  for (const auto& option : options) out << "  " << padded(optionText(option), 24) << " " << option.help << "\n";
}

std::string nounOf(const Command& command) { return command.name.substr(0, command.name.find(' ')); }

// The nouns whose commands are no everyday ones, by the alphabet.
std::vector<std::string> otherNouns() {
  std::vector<std::string> nouns;
  for (const auto& command : commands())
    if (command.group.empty()) nouns.push_back(nounOf(command));
  std::sort(nouns.begin(), nouns.end());
  nouns.erase(std::unique(nouns.begin(), nouns.end()), nouns.end());
  return nouns;
}

// Words on lines of at most kColumns, the second and further ones indented.
std::string wrapped(const std::vector<std::string>& words) {
  std::string out, line;
  for (const auto& word : words) {
    if (line.size() + 1 + word.size() > kColumns) {
      out += line + "\n";
      line = " ";
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + line + "\n";
}

}  // namespace

std::string helpFor(const Command& command) {
  std::ostringstream out;
  out << "ocelot " << call(command) << "\n  " << command.summary << "\n";
  if (!command.more.empty()) out << "\n" << command.more << "\n";
  out << "\nOptions:\n";
  addOptions(out, command.options);
  addOptions(out, commonOptions());
  return out.str();
}

std::string helpAbout(const std::vector<std::string>& words) {
  std::string name;
  for (const auto& word : words) name += (name.empty() ? "" : " ") + word;
  std::ostringstream below;
  for (const auto& command : commands()) {
    if (command.name == name) return helpFor(command);
    if (command.name.compare(0, name.size() + 1, name + " ") == 0)
      below << "  ocelot " << padded(call(command), 26) << " " << command.summary << "\n";
  }
  if (!below.str().empty()) return below.str();
  return helpFor(findCommand(words));
}

std::string helpAll() {
  std::ostringstream out;
  out << "ocelot: continuous integration that you run yourself.\n\n";
  std::vector<std::string> groups;
  for (const auto& command : commands())
    if (!command.group.empty() && std::find(groups.begin(), groups.end(), command.group) == groups.end())
      groups.push_back(command.group);
  for (const auto& group : groups) {
    out << group << "\n";
    for (const auto& command : commands())
      if (command.group == group) out << "  " << padded(call(command), 16) << " " << command.summary << "\n";
  }
  std::vector<std::string> more{"More,", "each", "by", "`ocelot", "help", "NOUN`:"};
  for (const auto& noun : otherNouns()) more.push_back(noun);
  out << wrapped(more)
      << "\nIn a checkout BUILD and REPO may be left out. `ocelot help COMMAND` explains.\n"
         "Exit status: 0 passed, 1 failed, 2 error or bad use, 3 canceled.\n";
  return out.str();
}

std::string guidePage() {
  std::ostringstream out;
  out << "# The command line\n\n"
         "Written from the program's own tables: `ocelot help COMMAND` says the same.\n\n"
         "Exit status: 0 passed, 1 failed, 2 error or bad use, 3 canceled. Results go to stdout, progress and notices "
         "to\n"
         "stderr. `NO_COLOR` is honoured. `OCELOT_URL`, `OCELOT_TOKEN` and `OCELOT_CA_FILE` win over what `ocelot "
         "login`\n"
         "remembers (`OCELOT_INSECURE=1` is its `--insecure`); `OCELOT_DATA_DIR` over the usual place of an\n"
         "installation's files.\n\n"
         "Every command takes:\n\n| option | |\n|---|---|\n";
  const auto addTable = [&out](const std::vector<Option>& options) {
    for (const auto& option : options) {
      std::string text;
      for (const char c : option.help) text += c == '|' ? std::string("\\|") : std::string(1, c);
      out << "| `" << optionText(option) << "` | " << text << " |\n";
    }
  };
  addTable(commonOptions());
  for (const auto& command : commands()) {
    std::string summary = command.summary;
    if (summary[0] >= 'a' && summary[0] <= 'z') summary[0] = static_cast<char>(summary[0] - 'a' + 'A');
    out << "\n## `ocelot " << call(command) << "`\n\n" << summary << ".";
    if (!command.more.empty()) out << "\n" << command.more;
    out << "\n";
    for (const auto& alias : command.aliases)
      out << (&alias == &command.aliases.front() ? "\nAlso: " : ", ") << "`ocelot " << alias << "`";
    if (!command.aliases.empty()) out << "\n";
    if (!command.options.empty()) out << "\n| option | |\n|---|---|\n";
    addTable(command.options);
  }
  return out.str();
}

}  // namespace ocelot::cli
