#include "host/git/checkout.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <unordered_map>

#include "host/git/copy.hpp"
#include "host/git/reading.hpp"

namespace ocelot::git {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxHistoryBytes = 256u << 20;
constexpr std::size_t kMaxSubmodules = 100;

void writeText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), "write " + path);
}

// The part of a commit's history that a checkout gets.
struct History {
  std::set<std::string> commits;
  std::vector<std::string> cut;  // commits whose parents stay away
  bool whole() const { return cut.empty(); }
};

using Parents = std::unordered_map<std::string, std::vector<std::string>>;

Parents parseParents(std::string_view text) {
  Parents parents;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::vector<std::string> ids;
    while (!line.empty()) {
      const std::string_view id = line.substr(0, line.find(' '));
      ids.emplace_back(id);
      line.remove_prefix(std::min(id.size() + 1, line.size()));
    }
    if (ids.empty()) continue;
    std::string first = std::move(ids.front());
    ids.erase(ids.begin());
    parents.emplace(std::move(first), std::move(ids));
  }
  return parents;
}

// Breadth first from the commit, as git counts depth. false: a commit within the depth is not among `parents`.
bool takeHistory(const Parents& parents, const std::string& commit, int depth, History& history) {
  std::vector<std::string> level{commit};
  history.commits.insert(commit);
  for (int at = 1; !level.empty(); ++at) {
    std::vector<std::string> next;
    for (const std::string& id : level) {
      const auto found = parents.find(id);
      if (found == parents.end()) return false;
      if (found->second.empty()) continue;
      if (at == depth) {
        history.cut.push_back(id);
        continue;
      }
      for (const std::string& parent : found->second) {
        if (history.commits.insert(parent).second) next.push_back(parent);
      }
    }
    level = std::move(next);
  }
  return true;
}

[[noreturn]] void damaged(const Session& session, const GitCommand& git, const process::Result& result) {
  throw Mirror::Damaged(session.failure(git, result).what());
}

History readHistory(Call& call, const Session& session, const Mirror& mirror, const std::string& commit, int depth) {
  // In order of date the first few hundred hold a depth of 50 of most histories; else more are asked for.
  for (long count = std::max(200L, 4L * depth);; count *= 16) {
    GitCommand git =
        mirror.command({"rev-list", "--parents", "--max-count=" + std::to_string(count), "--end-of-options", commit},
                       "read the history of");
    git.max_output_bytes = kMaxHistoryBytes;
    const process::Result result = session.tryRun(call, git);
    if (!result.ok()) damaged(session, git, result);
    const Parents parents = parseParents(result.out);
    History history;
    if (takeHistory(parents, commit, depth, history)) return history;
    if (static_cast<long>(parents.size()) < count || result.out_truncated) {
      throw Error(Status::invalid, "read the history of " + session.url().text + ": it is too large for a depth of " +
                                       std::to_string(depth));
    }
  }
}

struct Tag {
  std::string name, id, commit;
};

std::vector<Tag> readTags(Call& call, const Session& session, const Mirror& mirror) {
  GitCommand git = mirror.command({"for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/tags"},
                                  "list the tags of");
  git.max_output_bytes = 16u << 20;
  const process::Result result = session.run(call, git);
  std::vector<Tag> tags;
  std::string_view text = result.out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Tag tag;
    tag.name = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(tag.name.size() + 1, line.size()));
    tag.id = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(tag.id.size() + 1, line.size()));
    tag.commit = line.empty() ? tag.id : std::string(line);
    if (isCommit(tag.id)) tags.push_back(std::move(tag));
  }
  return tags;
}

// One checkout in the making.
class Checkout {
 public:
  Checkout(Call& call, const Session& session, const Mirror& mirror, std::string_view commit, const std::string& folder,
           const CloneOptions& options)
      : call_(call),
        session_(session),
        mirror_(mirror),
        commit_(commit),
        folder_(folder),
        git_(folder + "/.git"),
        options_(options) {}

  void make() {
    for (const char* part : {"/objects/pack", "/objects/info", "/refs/heads", "/refs/tags", "/info"})
      fs::create_directories(git_ + part);
    std::vector<Tag> tags;
    if (options_.depth > 0) {
      tags = packHistory();
    } else {
      copyObjects(mirror_.objects(), git_ + "/objects");
      if (options_.tags) tags = readTags(call_, session_, mirror_);
    }
    writeFiles(tags);
    GitCommand git = inCheckout({"read-tree", "-u", "--reset", "--end-of-options", commit_}, "check out");
    git.environment["GIT_WORK_TREE"] = folder_;
    const process::Result result = session_.tryRun(call_, git);
    if (!result.ok()) failed(git, result);
  }

 private:
  GitCommand inCheckout(std::vector<std::string> arguments, const char* doing) const {
    GitCommand git;
    git.arguments = std::move(arguments);
    git.environment["GIT_DIR"] = git_;
    git.writable = {folder_};
    git.doing = doing;
    return git;
  }

  [[noreturn]] void failed(const GitCommand& git, const process::Result& result) const {
    if (saysDamaged(result.err)) damaged(session_, git, result);
    throw session_.failure(git, result);
  }

  // The history's objects as one new pack, written by git in the checkout; the mirror is only read. Nothing is synced:
  // a checkout does not outlive its build.
  // Returns the tags that it holds.
  std::vector<Tag> packHistory() const {
    const History history = readHistory(call_, session_, mirror_, commit_, options_.depth);
    std::vector<Tag> tags;
    if (options_.tags) tags = readTags(call_, session_, mirror_);
    tags.erase(std::remove_if(tags.begin(), tags.end(),
                              [&](const Tag& tag) { return history.commits.count(tag.commit) == 0; }),
               tags.end());
    GitCommand git =
        inCheckout({"-c", "core.fsync=none", "pack-objects", "--revs", "--quiet", "--delta-base-offset", "--threads=1"},
                   "pack the history of");
    for (const std::string& id : history.cut) git.input += "--shallow " + id + "\n";
    git.input += commit_ + "\n";
    for (const Tag& tag : tags) git.input += tag.id + "\n";
    if (!history.whole()) {
      git.arguments.emplace_back("--shallow");
      std::string shallow;
      for (const std::string& id : history.cut) shallow += id + "\n";
      writeText(git_ + "/shallow", shallow);
    }
    git.arguments.push_back(git_ + "/objects/pack/pack");
    writeText(git_ + "/HEAD", commit_ + "\n");
    writeConfig();
    git.environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = mirror_.objects();
    const process::Result result = session_.tryRun(call_, git);
    if (!result.ok()) failed(git, result);
    return tags;
  }

  void writeConfig() const {
    const bool sha256 = commit_.size() == 64;
    std::string text = std::string("[core]\n\trepositoryformatversion = ") + (sha256 ? "1" : "0") +
                       "\n\tbare = false\n\tlogallrefupdates = true\n";
    if (sha256) text += "[extensions]\n\tobjectFormat = sha256\n";
    // A checked URL holds neither quotes nor credentials; a local path may hold both characters that must be escaped.
    std::string url;
    for (const char c : session_.url().text) {
      if (c == '"' || c == '\\') url += '\\';
      url += c;
    }
    text += "[remote \"origin\"]\n\turl = \"" + url + "\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n";
    if (!options_.branch.empty()) {
      text += "[branch \"" + quoted(options_.branch) + "\"]\n\tremote = origin\n\tmerge = \"refs/heads/" +
              quoted(options_.branch) + "\"\n";
    }
    writeText(git_ + "/config", text);
  }

  static std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '"') out += '\\';  // a branch holds no backslash
      out += c;
    }
    return out;
  }

  void writeFiles(const std::vector<Tag>& tags) const {
    writeConfig();
    std::string refs;
    if (!options_.branch.empty()) {
      refs += commit_ + " refs/heads/" + options_.branch + "\n" + commit_ + " refs/remotes/origin/" + options_.branch +
              "\n";
    }
    for (const Tag& tag : tags) refs += tag.id + " " + tag.name + "\n";
    writeText(git_ + "/packed-refs", refs);
    writeText(git_ + "/HEAD", options_.branch.empty() ? commit_ + "\n" : "ref: refs/heads/" + options_.branch + "\n");
  }

  Call& call_;
  const Session& session_;
  const Mirror& mirror_;
  const std::string commit_;
  const std::string folder_;
  const std::string git_;
  const CloneOptions& options_;
};

}  // namespace

void makeCheckout(Call& call, const Session& session, const Mirror& mirror, std::string_view commit,
                  const std::string& folder, const CloneOptions& options) {
  try {
    Checkout(call, session, mirror, commit, folder, options).make();
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
}

std::vector<Submodule> listSubmodules(Call& call, const Session& session, const Mirror& mirror,
                                      std::string_view commit) {
  const std::string id(commit);
  const process::Result read = session.tryRun(
      call, mirror.command({"config", "--blob", id + ":.gitmodules", "-z", "--list"}, "read .gitmodules of"));
  if (!read.ok()) {
    if (!session.tryRun(call, mirror.command({"cat-file", "-e", id + ":.gitmodules"}, "look for .gitmodules in"))
             .ok()) {
      return {};
    }
    throw Error(Status::invalid, "read .gitmodules of " + session.url().text + ": " + lastWords(read.err));
  }
  // submodule.<name>.<key>\n<value>\0
  std::map<std::string, Submodule> by_name;
  for (std::string_view text = read.out; !text.empty();) {
    const std::string_view record = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(record.size() + 1, text.size()));
    const std::string_view key = record.substr(0, record.find('\n'));
    const std::size_t dot = key.rfind('.');
    if (key.substr(0, 10) != "submodule." || dot <= 10 || dot == std::string_view::npos || record.size() == key.size())
      continue;
    Submodule& submodule = by_name[std::string(key.substr(10, dot - 10))];
    if (key.substr(dot) == ".path") submodule.path = record.substr(key.size() + 1);
    if (key.substr(dot) == ".url") submodule.url = record.substr(key.size() + 1);
  }
  std::vector<Submodule> out;
  for (auto& [name, submodule] : by_name) {
    if (submodule.path.empty() || submodule.url.empty()) continue;
    checkPath(submodule.path);
    const process::Result listed = session.run(
        call, mirror.command({"ls-tree", "-z", "-l", "--full-tree", "--end-of-options", id, "--", submodule.path},
                             "look for a submodule in"));
    for (const TreeEntry& entry : parseTree(listed.out)) {
      if (entry.path == submodule.path && entry.mode == "160000") submodule.commit = entry.id;
    }
    if (submodule.commit.empty()) continue;
    if (out.size() == kMaxSubmodules) {
      throw Error(Status::invalid, "check out " + session.url().text + ": it has more than " +
                                       std::to_string(kMaxSubmodules) + " submodules");
    }
    out.push_back(std::move(submodule));
  }
  return out;
}

}  // namespace ocelot::git
