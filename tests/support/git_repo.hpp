#pragma once
// A real git repository in a temporary folder, for tests.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace ocelot::test {

// The output of a shell command, without its last newline. Throws when it fails.
inline std::string shell(const std::string& command) {
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen");
  std::string out;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, got);
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class GitRepo {
 public:
  GitRepo() = default;  // of no folder yet: for its git() in a repository that something else makes
  explicit GitRepo(std::string folder, const std::string& init_options = "") : path(std::move(folder)) {
    std::filesystem::create_directories(path);
    git("init -q -b main " + init_options);
  }
  // Runs git in the repository, free of the machine's configuration.
  std::string git(const std::string& arguments) const {
    return shell(
        "cd '" + path +
        "' && GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com "
        "GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com git -c protocol.file.allow=always " +
        arguments);
  }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path + "/" + name).parent_path());
    std::ofstream(path + "/" + name, std::ios::binary) << content;
  }
  // Commits everything and returns the new commit.
  std::string commit(const std::string& message = "change") const {
    git("add -A");
    git("commit -q --allow-empty -m '" + message + "'");
    return git("rev-parse HEAD");
  }
  std::string path;
};

}  // namespace ocelot::test
