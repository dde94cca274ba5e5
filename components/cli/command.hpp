#pragma once
// What a command of `ocelot` is: a row that says its words, options and help, and a function that does it. From the
// same rows come --help, the completions and the handbook's page.

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ocelot::cli {

// Exit statuses, the same for every command.
inline constexpr int kPassed = 0;
inline constexpr int kFailed = 1;  // the build failed
inline constexpr int kError = 2;   // something went wrong, or bad use
inline constexpr int kCanceled = 3;

struct Option {
  std::string name;      // "--branch", or "-f, --follow"
  std::string argument;  // "BRANCH"; "" : a switch
  std::string help;      // one sentence, no full stop
};

// What the command line said.
class Arguments {
 public:
  bool has(const std::string& option) const { return values_.count(option) != 0; }  // by long name without dashes
  std::string text(const std::string& option, const std::string& fallback = "") const;
  std::vector<std::string> all(const std::string& option) const;
  // Throws Usage when it is not a whole number of at least `least`.
  std::int64_t number(const std::string& option, std::int64_t fallback, std::int64_t least = 0) const;
  const std::vector<std::string>& words() const { return words_; }
  std::string word(std::size_t index) const { return index < words_.size() ? words_[index] : ""; }

 private:
  friend class Parser;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> words_;
};

struct Command {
  std::string name;   // "build", "repos add"
  std::string words;  // "[BUILD]", "URL": how its arguments are shown
  int least_words = 0;
  int most_words = 0;
  std::string summary;  // one sentence without its full stop; of an everyday command at most 60 characters
  std::string group;    // under which heading of --help; "" : noun-verb, shown in the second list
  std::vector<Option> options;
  std::function<int(const Arguments&)> run;
  std::vector<std::string> aliases;  // the first Ocelot's names and the like; not in the lists
  std::string more = {};             // sentences that the list has no room for
};

// Bad use: exit status 2, with a pointer to the help.
class Usage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A failure that is told as it is, exit status 2.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& what, std::string to_do = "")
      : std::runtime_error(what), hint(std::move(to_do)) {}
  const std::string hint;
};

// Every command, in the order of the help. Each file of commands/ adds its own.
const std::vector<Command>& commands();

// Options that every command takes.
const std::vector<Option>& commonOptions();

// Runs `ocelot` with these words (without the program's name) and returns the exit status.
int runCommandLine(const std::vector<std::string>& words);

// The command that these words begin with; `used`: how many of them are its name. Throws Usage when there is none.
const Command& findCommand(const std::vector<std::string>& words, std::size_t* used = nullptr);

// The words that follow a command's name, by its options. Throws Usage.
Arguments parse(const Command& command, const std::vector<std::string>& words);

std::string helpFor(const Command& command);
// Of a command, or of all commands of a noun.
std::string helpAbout(const std::vector<std::string>& words);
std::string helpAll();  // one screen
// The handbook's page (etc/guide/cli.md).
std::string guidePage();

}  // namespace ocelot::cli
