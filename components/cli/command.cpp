#include "components/cli/command.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/terminal.hpp"
#include "host/config/config.hpp"
#include "ocelot/call.hpp"
#include "ocelot/option_values.hpp"

namespace ocelot::cli {

std::string Arguments::text(const std::string& option, const std::string& fallback) const {
  const auto found = values_.find(option);
  return found == values_.end() ? fallback : found->second.back();
}

std::vector<std::string> Arguments::all(const std::string& option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::int64_t Arguments::number(const std::string& option, std::int64_t fallback, std::int64_t least) const {
  if (!has(option)) return fallback;
  const auto value = parseNumber(text(option));
  if (!value || *value < least)
    throw Usage("--" + option + " wants a whole number of at least " + std::to_string(least) + ", not `" +
                text(option) + "`");
  return *value;
}

const std::vector<Option>& commonOptions() {
  static const std::vector<Option> options{
      {"--json", "", "print JSON for programs"},
      {"--context", "NAME", "which server, of those that `ocelot login` remembers"},
      {"-h, --help", "", "show this help"}};
  return options;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> list;
    for (const auto& add : {addBuildCommands, addLocalCommands, addServerCommands, addDoctorCommand, addContextCommands,
                            addRepoCommands, addSecretCommands, addImageCommands, addWorkerCommands, addAdminCommands,
                            addBackupCommands, addMigrateCommands, addHelpCommands})
      for (auto& command : add()) list.push_back(std::move(command));
    return list;
  }();
  return all;
}

// Reads words by a command's options: --name VALUE, --name=VALUE, -n VALUE; `--` ends them.
class Parser {
 public:
  explicit Parser(const Command& command) : command_(command) {
    for (const auto* options : {&command.options, &commonOptions()})
      for (const auto& option : *options) add(option);
  }

  Arguments parse(const std::vector<std::string>& words) {
    Arguments out;
    bool only_words = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (only_words || word.size() < 2 || word[0] != '-') {
        out.words_.push_back(word);
      } else if (word == "--") {
        only_words = true;
      } else {
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const Option* option = find(name);
        const std::string key = longName(*option);
        if (option->argument.empty()) {
          if (equals != std::string::npos) throw Usage(name + " takes no value");
          out.values_[key].push_back("true");
        } else if (equals != std::string::npos) {
          out.values_[key].push_back(word.substr(equals + 1));
        } else {
          if (i + 1 == words.size()) throw Usage(name + " wants a value: " + option->argument);
          out.values_[key].push_back(words[++i]);
        }
      }
    }
    const auto count = static_cast<int>(out.words_.size());
    if (!out.has("help") && count < command_.least_words)
      throw Usage("`ocelot " + command_.name + "` wants " + command_.words);
    if (!out.has("help") && count > command_.most_words)
      throw Usage("`ocelot " + command_.name + "` takes " +
                  (command_.most_words == 0 ? "no arguments" : "at most " + std::to_string(command_.most_words)) +
                  "; `" + out.words_.back() + "` is one too many");
    return out;
  }

 private:
  static std::string longName(const Option& option) { return option.name.substr(option.name.find("--") + 2); }

  void add(const Option& option) {
    by_name_["--" + longName(option)] = &option;
    if (option.name[1] != '-') by_name_[option.name.substr(0, 2)] = &option;
  }

  const Option* find(std::string name) {
    // The first Ocelot's flags had one dash.
    if (by_name_.count(name) == 0 && name.size() > 2 && name[1] != '-') name = "-" + name;
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [key, option] : by_name_) known.push_back(key);
    const std::string near = nearest(name, known);
    throw Usage("`ocelot " + command_.name + "` has no option " + name +
                (near.empty() ? "" : "; did you mean " + near + "?"));
  }

  const Command& command_;
  std::map<std::string, const Option*> by_name_;
};

namespace {

std::size_t wordsOf(const std::string& name) {
  return static_cast<std::size_t>(std::count(name.begin(), name.end(), ' ')) + 1;
}

bool begins(const std::vector<std::string>& words, const std::string& name) {
  std::istringstream parts(name);
  std::size_t index = 0;
  for (std::string part; parts >> part; ++index)
    if (index >= words.size() || words[index] != part) return false;
  return true;
}

// The command with the longest name that the words begin with; nullptr: none.
const Command* match(const std::vector<std::string>& words, std::size_t& used) {
  const Command* best = nullptr;
  used = 0;
  for (const auto& command : commands()) {
    std::vector<std::string> names = command.aliases;
    names.push_back(command.name);
    for (const auto& name : names)
      if (begins(words, name) && wordsOf(name) > used) {
        best = &command;
        used = wordsOf(name);
      }
  }
  return best;
}

[[noreturn]] void unknown(const std::vector<std::string>& words) {
  if (words.empty()) throw Usage("no command was given");
  std::vector<std::string> known, below;
  for (const auto& command : commands()) {
    known.push_back(command.name);
    if (command.name.compare(0, words[0].size() + 1, words[0] + " ") == 0) below.push_back(command.name);
  }
  if (!below.empty()) {
    std::string list;
    for (const auto& name : below) list += (list.empty() ? "" : ", ") + ("`ocelot " + name + "`");
    throw Usage("`ocelot " + words[0] + "` is the beginning of: " + list);
  }
  const std::string near = nearest(words[0], known);
  throw Usage("there is no command `" + words[0] + "`" + (near.empty() ? "" : "; did you mean `ocelot " + near + "`?"));
}

// What every command takes may stand before it too: `ocelot --json list`.
std::vector<std::string> commonOptionsLast(std::vector<std::string> words) {
  std::size_t count = 0;
  while (count < words.size()) {
    const std::string& word = words[count];
    const bool alone = word == "--json" || word.compare(0, 10, "--context=") == 0;
    if (!alone && word != "--context") break;
    count += alone ? 1 : 2;
  }
  count = std::min(count, words.size());
  const auto behind = words.begin() + static_cast<std::ptrdiff_t>(count);
  // Not behind a `--` of the command's own.
  const auto end = std::find(behind, words.end(), "--");
  std::rotate(words.begin(), behind, end);
  return words;
}

// A noun alone is an alias of its list; asked for help it has more to tell.
bool isNounAlone(const Command& command, std::size_t used) { return used == 1 && wordsOf(command.name) > 1; }

int complain(const std::string& what, const std::string& hint) {
  std::cerr << paint("error: ", Colour::red, 2) << what << "\n";
  if (!hint.empty()) std::cerr << paint("hint:  ", Colour::cyan, 2) << hint << "\n";
  return kError;
}

}  // namespace

const Command& findCommand(const std::vector<std::string>& words, std::size_t* used) {
  std::size_t count = 0;
  const Command* command = match(words, count);
  if (!command) unknown(words);
  if (used) *used = count;
  return *command;
}

Arguments parse(const Command& command, const std::vector<std::string>& words) { return Parser(command).parse(words); }

int runCommandLine(const std::vector<std::string>& given) {
  const std::vector<std::string> words = commonOptionsLast(given);
  const Command* command = nullptr;
  try {
    if (words.empty() || words[0] == "--help" || words[0] == "-h") {
      std::cout << helpAll();
      return words.empty() ? kError : kPassed;
    }
    if (words[0] == "--version") return runCommandLine({"version"});
    std::size_t used = 0;
    command = &findCommand(words, &used);
    const Arguments arguments = parse(*command, {words.begin() + static_cast<std::ptrdiff_t>(used), words.end()});
    if (arguments.has("help")) {
      const std::string noun = command->name.substr(0, command->name.find(' '));
      std::cout << (isNounAlone(*command, used) && noun == words[0] ? helpAbout({noun}) + "\n" : "")
                << helpFor(*command);
      return kPassed;
    }
    const int status = command->run(arguments);
    std::cout.flush();
    return std::cout ? status : kError;  // who was to read it is gone
  } catch (const Usage& usage) {
    return complain(usage.what(), command && command->name != "help" ? "`ocelot help " + command->name + "` shows how"
                                                                     : "`ocelot --help` lists the commands");
  } catch (const Failure& failure) {
    return complain(failure.what(), failure.hint);
  } catch (const config::Invalid& invalid) {
    return complain("the configuration has mistakes:\n" + std::string(invalid.what()),
                    "`ocelot config defaults` explains each key");
  } catch (const Error& error) {
    return complain(error.what(), "");
  } catch (const std::exception& error) {
    return complain(error.what(), "");
  }
}

}  // namespace ocelot::cli
