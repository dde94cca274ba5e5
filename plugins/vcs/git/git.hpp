#pragma once
// Any git repository that a URL or a local path names, without a forge around it.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kept.hpp"
#include "ocelot/settings.hpp"
#include "ocelot/vcs.hpp"
#include "words.hpp"

namespace ocelot::vcs_git {

class Repository;

class Git final : public Vcs {
 public:
  explicit Git(const Settings& settings);

  void verifyHook(Call& call, const Hook& hook) override;
  std::vector<Change> parseHook(Call& call, const Hook& hook) override;
  Repo identify(Call& call, std::string_view url_or_name) override;
  std::vector<Head> heads(Call& call, const Repo& repo) override;
  std::string resolve(Call& call, const Repo& repo, std::string_view revision) override;
  std::string readFile(Call& call, const Commit& commit, std::string_view path, std::uint64_t max_bytes) override;
  Change changes(Call& call, const Commit& commit, std::string_view before) override;
  CloneAccess clone(Call& call, const Repo& repo) override;

 private:
  Url check(std::string_view url) const;
  std::unique_ptr<Repository> open(const Repo& repo, std::string_view commit = {}) const;
  std::unique_ptr<Repository> openKnown(const Repo& repo, std::string_view commit) const;

  const Settings& settings_;
  CloneAccess access_;  // without a URL
  std::vector<std::string> local_folders_;
  std::string cache_;
  std::string hook_secret_;
  std::chrono::milliseconds timeout_;
  Kept<std::optional<std::string>> files_{8u << 20};  // nullopt: there is no such file
  Kept<Change> changes_{4u << 20};                    // of commits alone
};

}  // namespace ocelot::vcs_git
