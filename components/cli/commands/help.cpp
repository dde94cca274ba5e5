// help, completion: what the program says about itself.

#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/completion.hpp"

namespace ocelot::cli {
namespace {

int help(const Arguments& arguments) {
  std::cout << (arguments.words().empty() ? helpAll() : helpAbout(arguments.words()));
  return kPassed;
}

int completion(const Arguments& arguments) {
  const std::string text = completionFor(arguments.word(0));
  if (text.empty()) throw Usage("there are completions for bash, zsh and fish, not for `" + arguments.word(0) + "`");
  std::cout << text;
  return kPassed;
}

}  // namespace

std::vector<Command> addHelpCommands() {
  return {
      {"completion",
       "SHELL",
       1,
       1,
       "print completions for bash, zsh or fish",
       "",
       {},
       completion,
       {},
       "For this shell only: source <(ocelot completion bash). For good: put it where your shell looks, like\n"
       "~/.local/share/bash-completion/completions/ocelot or ~/.config/fish/completions/ocelot.fish."},
      {"help", "[COMMAND]", 0, 3, "explain a command, or the commands of a noun", "", {}, help, {}},
  };
}

}  // namespace ocelot::cli
