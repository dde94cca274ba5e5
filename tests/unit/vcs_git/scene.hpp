#pragma once
// The generic git provider in a folder of the test's own, which is also the one that repositories may lie in.

#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <string>

#include "plugins/vcs/git/git.hpp"
#include "tests/support/git_repo.hpp"
#include "tests/support/scripted_host.hpp"
#include "tests/support/temp_folder.hpp"

namespace ocelot::vcs_git::test {

class Scene : public CppUnit::TestFixture {
 protected:
  Settings settings() {
    Settings settings("git", host_);
    settings.set("cache", {temp_.path + "/cache"});
    settings.set("local_repos", {temp_.path});
    settings.set("hook_secret", {"key"});
    return settings;
  }

  static Repo of(const ocelot::test::GitRepo& repo) { return {"a/b", repo.path}; }

  ocelot::test::TempFolder temp_;
  ocelot::test::ScriptedHost host_;
  SimpleCall call_{std::chrono::seconds(120)};
  const Settings settings_ = settings();
  Git git_{settings_};
  const std::string canary_ = temp_.path + "/canary";  // what must never be made
};

}  // namespace ocelot::vcs_git::test
