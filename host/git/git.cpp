#include "host/git/git.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "host/git/checkout.hpp"
#include "host/git/fence.hpp"
#include "host/git/mirror.hpp"
#include "host/git/reading.hpp"
#include "host/git/session.hpp"
#include "ocelot/bounded_call.hpp"

namespace ocelot::git {

namespace {

namespace fs = std::filesystem;

constexpr int kMaxSubmoduleDepth = 5;
constexpr std::string_view kHeads = "refs/heads/";

bool isAbbreviation(std::string_view text) {
  return text.size() >= 7 && text.size() < 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A submodule's folder exists, empty, and no part of its path leads elsewhere: the tree it lies in comes from outside.
std::string submoduleFolder(const std::string& checkout, const std::string& path) {
  std::string at = checkout;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    at += "/" + path.substr(begin, end - begin);
    struct stat info {};
    if (::lstat(at.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      throw Error(Status::invalid, "check out the submodule \"" + shown(path) + "\": its place is not a folder");
    }
    begin = end + 1;
  }
  if (!fs::is_empty(at))
    throw Error(Status::invalid, "check out the submodule \"" + shown(path) + "\": its folder is not empty");
  return at;
}

}  // namespace

struct Git::State {
  Settings settings;

  UrlRules rules() const { return {settings.allow_http, settings.local_folders}; }
  Session session(const CloneAccess& access) const { return {settings, access, checkUrl(access.url, rules())}; }

  void checkOut(Call& call, const CloneAccess& access, const Url& url, const std::string& commit,
                const std::string& folder, const CloneOptions& options, const Progress& progress, int level) const {
    const Session session(settings, access, url);
    Mirror mirror(settings, session, commit.size());
    std::vector<Submodule> submodules;
    // With a depth, a checkout begins by reading the history.
    const Mirror::Check check = options.depth > 0 ? Mirror::Check::by_use : Mirror::Check::before;
    const auto use = [&] {
      makeCheckout(call, session, mirror, commit, folder, options);
      if (options.submodules) submodules = listSubmodules(call, session, mirror, commit);
    };
    mirror.with(call, commit, progress, use, check);
    for (const Submodule& submodule : submodules) {
      if (level == kMaxSubmoduleDepth) {
        throw Error(Status::invalid, "check out " + url.text + ": submodules lie in one another more than " +
                                         std::to_string(kMaxSubmoduleDepth) + " deep");
      }
      const Url submodule_url = checkSubmoduleUrl(submodule.url, url, rules());
      CloneAccess submodule_access;
      submodule_access.url = submodule_url.text;
      if (submodule_url.host == url.host && submodule_url.kind == url.kind) {
        submodule_access = access;
        submodule_access.url = submodule_url.text;
      }
      CloneOptions submodule_options = options;
      submodule_options.branch.clear();
      checkCommit(submodule.commit);
      checkOut(call, submodule_access, submodule_url, submodule.commit, submoduleFolder(folder, submodule.path),
               submodule_options, progress, level + 1);
    }
  }
};

Git::Git(Settings settings) : state_(std::make_unique<State>(State{std::move(settings)})) {}
Git::~Git() = default;

Facts Git::probe(Call& call) {
  Facts facts;
  facts.fenced = WriteFence::supported();
  try {
    process::Command command;
    command.program = state_->settings.program;
    command.arguments = {"--version"};
    command.environment = process::plainEnvironment();
    const process::Result result = process::run(call, command);
    int major = 0, minor = 0;
    char rest[32] = "";
    if (!result.ok() || std::sscanf(result.out.c_str(), "git version %d.%d%31[.0-9]", &major, &minor, rest) < 2) {
      facts.why_not = "run git --version: " + shown(result.ok() ? result.out : result.err);
      return facts;
    }
    facts.version = std::to_string(major) + "." + std::to_string(minor) + rest;
    // What hardens it came until then: GIT_CONFIG_GLOBAL (2.32), safe.directory (2.35.2), protected configuration
    // (2.38).
    if (major < 2 || (major == 2 && minor < 38))
      facts.why_not = "git " + facts.version + " is too old to be run on what strangers wrote; 2.38 is needed";
  } catch (const Error& error) {
    facts.why_not = error.what();
  }
  return facts;
}

std::vector<Head> Git::heads(Call& call, const CloneAccess& access) {
  BoundedCall bounded(call, state_->settings.fetch_timeout);
  const Session session = state_->session(access);
  std::vector<Head> heads;
  for (const RemoteRef& ref : listRemote(bounded, session, {"refs/heads/*"})) {
    if (ref.name.compare(0, kHeads.size(), kHeads) == 0) heads.push_back({ref.name.substr(kHeads.size()), ref.id});
  }
  return heads;
}

std::string Git::resolve(Call& call, const CloneAccess& access, std::string_view revision) {
  BoundedCall bounded(call, state_->settings.fetch_timeout);
  const Session session = state_->session(access);
  const std::string name(revision);
  if (isCommit(name)) {
    fetch(call, access, name);
    return name;
  }
  checkBranch(name);
  // The full names are given, for "x" would match "feature/x" too.
  const std::vector<RemoteRef> refs =
      listRemote(bounded, session, {"refs/heads/" + name, "refs/tags/" + name, "refs/tags/" + name + "^{}"});
  for (const std::string& wanted : {"refs/heads/" + name, "refs/tags/" + name + "^{}", "refs/tags/" + name}) {
    for (const RemoteRef& ref : refs) {
      if (ref.name == wanted) return ref.id;
    }
  }
  if (isAbbreviation(name)) {
    Mirror mirror(state_->settings, session, 40);
    const GitCommand look = mirror.command({"rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"},
                                           "look for a commit of");
    for (const bool fetched : {false, true}) {
      if (fetched) mirror.refresh(bounded, {});
      const process::Result result = session.tryRun(bounded, look);
      const std::string id = result.out.substr(0, result.out.find('\n'));
      if (result.ok() && isCommit(id)) return id;
    }
  }
  throw Error(Status::not_found,
              "find " + shown(name) + " in " + session.url().text + ": there is no such branch, tag or commit");
}

std::string Git::readFile(Call& call, const CloneAccess& access, std::string_view commit, std::string_view path,
                          std::uint64_t max_bytes) {
  BoundedCall bounded(call, state_->settings.fetch_timeout);
  checkCommit(commit);
  checkPath(path);
  const Session session = state_->session(access);
  Mirror mirror(state_->settings, session, commit.size());
  std::string content;
  mirror.with(bounded, commit, {}, [&] { content = readBlob(bounded, session, mirror, commit, path, max_bytes); });
  return content;
}

Change Git::changes(Call& call, const CloneAccess& access, std::string_view commit, std::string_view before) {
  BoundedCall bounded(call, state_->settings.fetch_timeout);
  checkCommit(commit);
  if (!before.empty()) checkCommit(before);
  const Session session = state_->session(access);
  Mirror mirror(state_->settings, session, commit.size());
  Change change;
  mirror.with(bounded, commit, {}, [&] {
    change = Change();
    readChanges(bounded, session, mirror, commit, before, change);
  });
  return change;
}

void Git::fetch(Call& call, const CloneAccess& access, std::string_view commit, const Progress& progress) {
  BoundedCall bounded(call, state_->settings.fetch_timeout);
  checkCommit(commit);
  const Session session = state_->session(access);
  Mirror(state_->settings, session, commit.size()).with(bounded, commit, progress, [] {});
}

void Git::checkout(Call& call, const CloneAccess& access, std::string_view commit, const std::string& folder,
                   const CloneOptions& options, const Progress& progress) {
  BoundedCall bounded(call, state_->settings.fetch_timeout);
  checkCommit(commit);
  if (!options.branch.empty()) checkBranch(options.branch);
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    throw Error(Status::invalid, "check out " + shown(access.url) + " in " + folder + ": the folder is not empty");
  }
  try {
    state_->checkOut(bounded, access, checkUrl(access.url, state_->rules()), std::string(commit), folder, options,
                     progress, 0);
  } catch (...) {
    fs::remove_all(folder, error);
    throw;
  }
}

void Git::maintain(Call& call, std::chrono::hours unused) { Mirror::maintain(call, state_->settings, unused); }

}  // namespace ocelot::git
