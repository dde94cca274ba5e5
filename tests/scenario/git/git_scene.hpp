#pragma once
// Real repositories behind a local path, and the mirrors of host/git beside them.

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "host/git/git.hpp"
#include "tests/support/fails.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::test {

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class GitScene : public CppUnit::TestFixture {
 protected:
  git::Settings settings() const {
    return {temp_.path + "/mirrors", {temp_.path}, false, std::chrono::minutes(1), "git"};
  }
  static CloneAccess access(const GitRepo& repo) { return {repo.path, "", "", "", ""}; }

  TempFolder temp_;
  SimpleCall call_{std::chrono::seconds(120)};
  std::string canary_ = temp_.path + "/canary";  // what must never be made
};

}  // namespace ocelot::test
