#pragma once
// What a command line printed and how it ended.

#include <string>
#include <vector>

#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

struct Ran {
  int status = -1;
  std::string out, err;
};

// Runs `ocelot WORDS…` in this process, with stdout and stderr caught.
Ran ocelot(const std::vector<std::string>& words);

// A user of their own: home, configuration and current folder go with the object; OCELOT_… is unset.
class Person {
 public:
  Person();
  ~Person();
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  std::string file(const std::string& name, const std::string& text) const;  // made in the current folder
  const std::string& folder() const { return folder_.path; }

 private:
  TempFolder folder_;
  std::string before_;
};

// While it lives, what a command reads from standard input is that file.
class Typed {
 public:
  explicit Typed(const std::string& path);
  ~Typed();
  Typed(const Typed&) = delete;
  Typed& operator=(const Typed&) = delete;

 private:
  int kept_;
};

std::string readText(const std::string& path);
bool contains(const std::string& text, const std::string& part);
// The root of the source tree.
std::string sourceTree();

}  // namespace ocelot::test
