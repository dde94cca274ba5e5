// Repositories and builds of an Installation.

#include "tests/support/installation.hpp"

namespace ocelot::test {

TestRepo Installation::makeRepo(const std::string& name, const std::string& yml,
                                const std::map<std::string, std::string>& files) {
  TestRepo repo;
  repo.git = GitRepo(folder_.path + "/repos/" + name);
  if (!yml.empty()) repo.git.write("ocelot.yml", yml);
  for (const auto& [file, content] : files) repo.git.write(file, content);
  repo.git.commit("first");
  static_cast<RepoSeen&>(repo) = addRepo("test/" + name, repo.git.path);
  return repo;
}

std::string Installation::build(const TestRepo& repo, const std::string& branch) {
  const std::string id = requestBuild(repo.name, branch, repo.git.git("rev-parse " + branch));
  GitRepo seen;  // for leftovers(): which control groups are ours
  seen.path = folder_.path;
  seen.write("seen/" + id, "");
  return id;
}

BuildRun Installation::runBuild(const TestRepo& repo, const std::string& branch) {
  return awaitEnd(build(repo, branch));
}

}  // namespace ocelot::test
