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
  // Puts a commit on top of a branch, or of main on a new one, whose tree names a file twice: git refuses to receive
  // such a tree. Returns the commit.
  std::string malformed(const std::string& branch) const {
    const bool there = !git("branch --list " + branch).empty();
    const std::string blob = git("rev-parse main:" + git("ls-tree --name-only main | head -1"));
    std::string entry = "100644 twice";
    entry += '\0';
    for (std::size_t i = 0; i < blob.size(); i += 2)
      entry += static_cast<char>(std::stoi(blob.substr(i, 2), nullptr, 16));
    const std::string file = path + "/.git/malformed";
    std::ofstream(file, std::ios::binary) << entry << entry;
    const std::string tree = git("hash-object --literally -w -t tree .git/malformed");
    const std::string commit =
        git("commit-tree -p " + (there ? branch : std::string("main")) + " -m malformed " + tree);
    git("update-ref refs/heads/" + branch + " " + commit);
    return commit;
  }
  std::string path;
};

}  // namespace ocelot::test
