#include "tests/unit/cli/ran.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "components/cli/command.hpp"

namespace ocelot::test {
namespace {

// What is written to a descriptor meanwhile.
class Caught {
 public:
  Caught(int fd, const std::string& path) : fd_(fd), path_(path), kept_(::dup(fd)) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(file, fd_);
    ::close(file);
  }
  std::string end() {
    ::dup2(kept_, fd_);
    ::close(kept_);
    return readText(path_);
  }

 private:
  int fd_;
  std::string path_;
  int kept_;
};

}  // namespace

Ran ocelot(const std::vector<std::string>& words) {
  const TempFolder folder;
  std::cout.flush();
  Caught out(1, folder.path + "/out"), err(2, folder.path + "/err");
  Ran ran;
  ran.status = cli::runCommandLine(words);
  std::cout.flush();
  std::cerr.flush();
  ran.err = err.end();
  ran.out = out.end();
  return ran;
}

Person::Person() : before_(std::filesystem::current_path()) {
  for (const char* name : {"OCELOT_URL", "OCELOT_TOKEN", "OCELOT_INSECURE", "OCELOT_CA_FILE", "XDG_CONFIG_HOME"})
    ::unsetenv(name);
  ::setenv("HOME", folder_.path.c_str(), 1);
  ::setenv("OCELOT_DATA_DIR", (folder_.path + "/data").c_str(), 1);
  // By default it lies in the machine's memory, named for the data folder, and would stay there.
  ::setenv("OCELOT_RUN_DIR", (folder_.path + "/run").c_str(), 1);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  std::filesystem::current_path(folder_.path);
}

Person::~Person() { std::filesystem::current_path(before_); }

std::string Person::file(const std::string& name, const std::string& text) const {
  std::ofstream(folder_.path + "/" + name) << text;
  return folder_.path + "/" + name;
}

Typed::Typed(const std::string& path) : kept_(::dup(0)) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::dup2(file, 0);
  ::close(file);
}

Typed::~Typed() {
  ::dup2(kept_, 0);
  ::close(kept_);
}

std::string readText(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// CMake compiles with absolute names.
std::string sourceTree() {
  std::string path = __FILE__;
  for (int up = 0; up < 4; ++up) path.resize(path.rfind('/'));
  return path;
}

}  // namespace ocelot::test
