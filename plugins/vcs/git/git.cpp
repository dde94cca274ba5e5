#include "git.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "hook.hpp"
#include "ocelot/bounded_call.hpp"
#include "repository.hpp"

namespace ocelot::vcs_git {

namespace {

namespace fs = std::filesystem;

// A folder that is ours alone: another user who owned it could give us any commit.
std::string prepareCache(const std::string& configured) {
  std::error_code error;
  const std::string cache =
      configured.empty() ? (fs::temp_directory_path(error) / ("ocelot-git-" + std::to_string(::getuid()))).string()
                         : configured;
  fs::create_directories(fs::path(cache).parent_path(), error);
  ::mkdir(cache.c_str(), 0700);
  struct stat info {};
  if (::lstat(cache.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    throw Error(Status::invalid, "cache: " + cache + " is no folder and cannot be made");
  if (info.st_uid != ::getuid()) throw Error(Status::invalid, "cache: " + cache + " belongs to another user");
  return cache;
}

bool isAbbreviation(std::string_view text) {
  return text.size() >= 7 && text.size() < 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::size_t sizeOf(const Change& change) {
  std::size_t bytes = sizeof change + change.author.size() + change.message.size();
  for (const auto* list : {&change.messages, &change.files})
    for (const std::string& text : *list) bytes += sizeof text + text.size();
  return bytes;
}

}  // namespace

Git::Git(const Settings& settings)
    : settings_(settings),
      access_{"", settings.text("username"), settings.text("password"), settings.text("ssh_key"),
              settings.text("known_hosts")},
      local_folders_(settings.list("local_repos")),
      cache_(prepareCache(settings.text("cache"))),
      hook_secret_(settings.text("hook_secret")),
      timeout_(settings.number("timeout") > 0 ? settings.number("timeout") : 600000) {
  for (const std::string& folder : local_folders_) {
    if (folder.empty() || folder.front() != '/')
      throw Error(Status::invalid, "local_repos: \"" + shown(folder) + "\" is no absolute path");
  }
}

Url Git::check(std::string_view url) const { return checkUrl(url, settings_.flag("allow_http"), local_folders_); }

// The same URL with other credentials has another mirror: what one key may fetch is not for the next to see.
std::unique_ptr<Repository> Git::open(const Repo& repo, std::string_view commit) const {
  Url url = check(repo.url);
  std::string all;
  for (const std::string& part : {url.text, access_.username, access_.password, access_.ssh_key}) {
    (all += std::to_string(part.size()) + ":") += part;
  }
  std::string key;
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : settings_.host().crypto().sha256(all).substr(0, 16))
    (key += kDigits[static_cast<unsigned char>(c) >> 4]) += kDigits[c & 15];
  return std::make_unique<Repository>(std::move(url), access_, cache_, key + (commit.size() == 64 ? "-sha256" : ""));
}

std::unique_ptr<Repository> Git::openKnown(const Repo& repo, std::string_view commit) const {
  try {
    return open(repo, commit);
  } catch (const Error& error) {
    throw comesBack(error);
  }
}

void Git::verifyHook(Call&, const Hook& hook) { checkSignature(settings_.host().crypto(), hook_secret_, hook); }

std::vector<Change> Git::parseHook(Call& call, const Hook& hook) {
  const PushHook push = readPush(hook.body);
  Change change;
  change.kind = Change::Kind::push;
  const bool is_url = push.repo.find("://") != std::string::npos || push.repo.find(':') != std::string::npos ||
                      push.repo.substr(0, 1) == "/";
  change.repo = is_url ? identify(call, push.repo) : Repo{shown(push.repo), ""};
  change.branch = push.branch;
  change.commit = push.commit;
  change.before = push.before;
  change.files_complete = false;  // the push does not say; whoever needs them asks for changes()
  return {change};
}

Repo Git::identify(Call&, std::string_view url_or_name) {
  const bool is_url = url_or_name.find(':') != std::string_view::npos || url_or_name.substr(0, 1) == "/";
  if (!is_url) {
    throw Error(Status::not_found, "find the repository \"" + shown(url_or_name) +
                                       "\": give its URL (https://…, ssh://…, user@host:path) or an absolute path");
  }
  const Url url = check(url_or_name);
  return {repoName(url), url.text};
}

std::vector<Head> Git::heads(Call& call, const Repo& repo) {
  BoundedCall bounded(call, timeout_);
  std::vector<Head> heads;
  for (const auto& [name, id] : open(repo)->listRemote(bounded, {"refs/heads/*"})) {
    if (name.compare(0, 11, "refs/heads/") == 0) heads.push_back({name.substr(11), id});
  }
  return heads;
}

std::string Git::resolve(Call& call, const Repo& repo, std::string_view revision) {
  BoundedCall bounded(call, timeout_);
  const std::string name(revision);
  const std::unique_ptr<Repository> repository = openKnown(repo, revision);
  if (isCommit(revision)) {
    repository->fetch(bounded, revision);
    return name;
  }
  checkBranch(revision);
  // Full names are compared, for the pattern "x" matches "feature/x" too.
  const std::vector<std::string> wanted{"refs/heads/" + name, "refs/tags/" + name + "^{}", "refs/tags/" + name};
  const auto refs = repository->listKnown(bounded, wanted);
  for (const std::string& one : wanted) {
    const auto found = std::find_if(refs.begin(), refs.end(), [&](const auto& ref) { return ref.first == one; });
    if (found != refs.end()) return found->second;
  }
  if (isAbbreviation(revision)) {
    const std::string id = repository->findAbbreviated(bounded, revision);
    if (!id.empty()) return id;
  }
  throw Error(Status::not_found,
              "find " + shown(revision) + " in " + shown(repo.url) + ": there is no such branch, tag or commit");
}

std::string Git::readFile(Call& call, const Commit& commit, std::string_view path, std::uint64_t max_bytes) {
  BoundedCall bounded(call, timeout_);
  checkCommit(commit.id);
  checkPath(path);
  const std::unique_ptr<Repository> repository = openKnown(commit.repo, commit.id);
  const std::string question =
      repository->key() + ' ' + commit.id + ' ' + std::to_string(max_bytes) + ' ' + std::string(path);
  const std::optional<std::string>* known = files_.find(question);
  std::optional<std::string> file;
  if (known == nullptr) {
    file = repository->readFile(bounded, commit.id, path, max_bytes);
    files_.put(question, file, file ? file->size() : 0);
    known = &file;
  }
  if (*known) return **known;
  throw Error(Status::not_found, repository->reading(commit.id, path) + "there is no such file");
}

Change Git::changes(Call& call, const Commit& commit, std::string_view before) {
  BoundedCall bounded(call, timeout_);
  checkCommit(commit.id);
  if (!before.empty()) checkCommit(before);
  const std::unique_ptr<Repository> repository = openKnown(commit.repo, commit.id);
  const std::string question = repository->key() + ' ' + commit.id;
  Change change;
  const Change* const known = before.empty() ? changes_.find(question) : nullptr;
  if (known != nullptr) {
    change = *known;
  } else {
    repository->readChanges(bounded, commit.id, before, change);
    // What has changed since another commit depends on whether that can still be had.
    if (before.empty()) changes_.put(question, change, sizeOf(change));
  }
  change.repo = commit.repo;
  change.commit = commit.id;
  change.before = before;
  return change;
}

CloneAccess Git::clone(Call&, const Repo& repo) {
  CloneAccess access = access_;
  access.url = check(repo.url).text;
  return access;
}

}  // namespace ocelot::vcs_git
