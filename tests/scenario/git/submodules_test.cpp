// Submodules, the wanted and the hostile.

#include <cppunit/extensions/HelperMacros.h>

#include "tests/scenario/git/git_scene.hpp"
#include "tests/support/git_hostile.hpp"

using namespace ocelot::git;
using ocelot::test::contents;
using ocelot::test::GitRepo;
namespace fs = std::filesystem;

namespace {

class GitSubmodulesTest : public ocelot::test::GitScene {
  CPPUNIT_TEST_SUITE(GitSubmodulesTest);
  CPPUNIT_TEST(submodulesComeFromTheirOwnMirrors);
  CPPUNIT_TEST(hostileSubmodulesAreRefused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void submodulesComeFromTheirOwnMirrors() {
    const GitRepo library(temp_.path + "/library");
    library.write("lib.c", "int x;\n");
    library.commit();
    const GitRepo repo(temp_.path + "/repo");
    repo.write("main.c", "\n");
    repo.git("submodule --quiet add ../library deps/library");
    const std::string commit = repo.commit();
    Git git(settings());
    git.checkout(call_, access(repo), commit, temp_.path + "/without");
    CPPUNIT_ASSERT(fs::is_empty(temp_.path + "/without/deps/library"));
    CloneOptions options;
    options.submodules = true;
    git.checkout(call_, access(repo), commit, temp_.path + "/with", options);
    CPPUNIT_ASSERT_EQUAL(std::string("int x;\n"), contents(temp_.path + "/with/deps/library/lib.c"));
  }

  void hostileSubmodulesAreRefused() {
    const GitRepo library(temp_.path + "/library");
    const std::string inner = library.commit();
    int round = 0;
    const auto attempt = [&](const std::string& path, const std::string& url, const std::string& link) {
      const std::string number = std::to_string(++round);
      const GitRepo repo(temp_.path + "/repo" + number);
      repo.write(".gitmodules", "[submodule \"x\"]\n\tpath = \"" + path + "\"\n\turl = \"" + url + "\"\n");
      if (!link.empty()) fs::create_directory_symlink(temp_.path, repo.path + "/" + link);
      repo.git("add -A");
      repo.git("update-index --add --cacheinfo 160000," + inner + ",module");
      repo.git("commit -q -m x");
      CloneOptions options;
      options.submodules = true;
      Git(settings()).checkout(call_, access(repo), repo.git("rev-parse HEAD"), temp_.path + "/work" + number, options);
    };
    for (const char* url : {"ext::sh -c touch% CANARY", "--upload-pack=touch CANARY", "file:///etc", "/etc",
                            "http://host/x", "../../../../../../../x"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(url, attempt("module", ocelot::test::withCanary({url}, canary_)[0], ""),
                                   ocelot::Error);
    }
    CPPUNIT_ASSERT_THROW(attempt("../module", "../library", ""), ocelot::Error);
    CPPUNIT_ASSERT_THROW(attempt("module\\r", "../library\\u0001", ""), ocelot::Error);
    attempt("elsewhere", "../library", "");  // .gitmodules names what the tree does not have: nothing to do
    CPPUNIT_ASSERT(!fs::exists(canary_));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GitSubmodulesTest);

}  // namespace
