// Help, and the handbook's page, from the commands' rows.

#include <sstream>

#include "components/cli/command.hpp"

namespace ocelot::cli {
namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string call(const Command& command) {
  return "ocelot " + command.name + (command.words.empty() ? "" : " " + command.words);
}

std::string optionText(const Option& option) {
  return option.name + (option.argument.empty() ? "" : " " + option.argument);
}

}  // namespace

std::string helpFor(const Command& command) {
  std::ostringstream out;
  out << call(command) << "\n  " << command.summary << ".\n";
  out << "\nOptions:\n";
  for (const auto* options : {&command.options, &commonOptions()})
    for (const auto& option : *options) out << "  " << padded(optionText(option), 24) << " " << option.help << "\n";
  return out.str();
}

std::string helpAll() {
  std::ostringstream out;
  out << "ocelot: continuous integration that you run yourself.\n";
  std::string group;
  for (const auto& command : commands()) {
    if (command.group.empty()) continue;
    if (command.group != group) out << "\n" << (group = command.group) << ":\n";
    out << "  " << padded(command.name + (command.words.empty() ? "" : " " + command.words), 22) << " "
        << command.summary << "\n";
  }
  out << "\nMore:";
  std::string noun;
  for (const auto& command : commands()) {
    if (!command.group.empty()) continue;
    const std::size_t blank = command.name.find(' ');
    const std::string first = command.name.substr(0, blank);
    if (first != noun) out << "\n  " << padded(first, 11);
    noun = first;
    if (blank != std::string::npos) out << " " << command.name.substr(blank + 1);
  }
  out << "\n\n`ocelot COMMAND --help` explains one. Exit status: 0 passed, 1 failed, 2 error or bad use, 3 canceled.\n";
  return out.str();
}

std::string guidePage() {
  std::ostringstream out;
  out << "# The command line\n\n"
         "Written from the program's own tables: `ocelot help` says the same.\n\n"
         "Exit status: 0 passed, 1 failed, 2 error or bad use, 3 canceled. Results go to stdout, progress and notices "
         "to\n"
         "stderr. `NO_COLOR` is honoured. `OCELOT_URL` and `OCELOT_TOKEN` win over what `ocelot login` remembers.\n\n"
         "Every command takes:\n\n| option | |\n|---|---|\n";
  for (const auto& option : commonOptions()) out << "| `" << optionText(option) << "` | " << option.help << " |\n";
  for (const auto& command : commands()) {
    out << "\n## `" << call(command) << "`\n\n" << command.summary << ".\n";
    if (!command.options.empty()) out << "\n| option | |\n|---|---|\n";
    for (const auto& option : command.options) out << "| `" << optionText(option) << "` | " << option.help << " |\n";
  }
  return out.str();
}

}  // namespace ocelot::cli
