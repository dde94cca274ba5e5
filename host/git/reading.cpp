#include "host/git/reading.hpp"

#include <algorithm>
#include <charconv>

namespace ocelot::git {

namespace {

constexpr std::size_t kMaxMessages = 1000;
constexpr std::size_t kMaxMessageBytes = 64u << 10;
constexpr std::size_t kMaxFiles = 10000;
constexpr std::size_t kMaxListBytes = 4u << 20;

// The records of `text`, each ended by NUL; one that is cut off is left out.
std::vector<std::string_view> records(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t end = text.find('\0'); end != std::string_view::npos; end = text.find('\0')) {
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string_view takeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

void readMessages(Call& call, const Session& session, const Mirror& mirror, const std::string& range, Change& change) {
  GitCommand git =
      mirror.command({"log", "-z", "--no-show-signature", "--no-color", "--no-notes", "--no-ext-diff",
                      "--encoding=UTF-8", range.find("..") == std::string::npos ? "--max-count=1" : "--max-count=1000",
                      "--format=%an <%ae>%n%B", "--end-of-options", range, "--"},
                     "read the messages of");
  git.max_output_bytes = kMaxListBytes;
  git.output_whole = false;
  // -z ends each record but the last.
  const std::string text = session.run(call, git).out + '\0';
  for (std::string_view record : records(text)) {
    const std::string_view author = takeLine(record);
    while (!record.empty() && record.back() == '\n') record.remove_suffix(1);
    if (change.messages.empty()) {
      change.author = author;
      change.message = record.substr(0, kMaxMessageBytes);
    }
    if (change.messages.size() < kMaxMessages) change.messages.emplace_back(record.substr(0, kMaxMessageBytes));
  }
  std::reverse(change.messages.begin(), change.messages.end());  // the oldest first, as pushes tell them
}

void readFiles(Call& call, const Session& session, const Mirror& mirror, std::vector<std::string> arguments,
               Change& change) {
  GitCommand git = mirror.command(std::move(arguments), "list the changed files of");
  git.max_output_bytes = kMaxListBytes;
  git.output_whole = false;
  const process::Result result = session.run(call, git);
  change.files_complete = change.files_complete && !result.out_truncated;
  for (const std::string_view path : records(result.out)) {
    if (change.files.size() == kMaxFiles) {
      change.files_complete = false;
      return;
    }
    change.files.emplace_back(path);
  }
}

bool hasCommit(Call& call, const Session& session, const Mirror& mirror, std::string_view id) {
  return session.tryRun(call, mirror.command({"cat-file", "-e", std::string(id) + "^{commit}"}, "look for a commit of"))
      .ok();
}

}  // namespace

std::vector<RemoteRef> listRemote(Call& call, const Session& session, const std::vector<std::string>& patterns) {
  GitCommand git;
  git.arguments = {"ls-remote", "--quiet", "--end-of-options", session.url().text};
  git.arguments.insert(git.arguments.end(), patterns.begin(), patterns.end());
  git.network = true;
  git.doing = "list the branches of";
  // A pattern's answer is short; all of them at most kMaxRefs lines of 64 digits and 255 characters.
  git.max_output_bytes = 4u << 20;
  const process::Result result = session.run(call, git);
  std::vector<RemoteRef> refs;
  std::string_view text = result.out;
  while (!text.empty()) {
    const std::string_view line = takeLine(text);
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos || !isCommit(line.substr(0, tab))) continue;
    if (refs.size() == kMaxRefs) {
      throw Error(Status::invalid,
                  "list the branches of " + session.url().text + ": there are more than " + std::to_string(kMaxRefs));
    }
    refs.push_back({std::string(line.substr(tab + 1)), std::string(line.substr(0, tab))});
  }
  return refs;
}

std::vector<TreeEntry> parseTree(std::string_view output) {
  std::vector<TreeEntry> entries;
  for (std::string_view record : records(output)) {
    const auto word = [&record] {
      record.remove_prefix(std::min(record.find_first_not_of(' '), record.size()));
      const std::string_view taken = record.substr(0, record.find_first_of(" \t"));
      record.remove_prefix(taken.size());
      return taken;
    };
    TreeEntry entry;
    entry.mode = word();
    word();  // blob, tree or commit: the mode says it too
    entry.id = word();
    const std::string_view size = word();
    std::from_chars(size.data(), size.data() + size.size(), entry.size);
    entry.path = record.substr(std::min<std::size_t>(1, record.size()));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string readBlob(Call& call, const Session& session, const Mirror& mirror, std::string_view commit,
                     std::string_view path, std::uint64_t max_bytes) {
  const std::string what =
      "read " + shown(path) + " at " + std::string(commit.substr(0, 12)) + " of " + session.url().text + ": ";
  const process::Result listed =
      session.run(call, mirror.command({"ls-tree", "-z", "-l", "--full-tree", "--end-of-options", std::string(commit),
                                        "--", std::string(path)},
                                       "look for a file in"));
  const std::vector<TreeEntry> entries = parseTree(listed.out);
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const TreeEntry& entry) { return entry.path == path; });
  if (found == entries.end()) throw Error(Status::not_found, what + "there is no such file");
  if (found->mode == "120000") throw Error(Status::invalid, what + "it is a symbolic link; it must be a regular file");
  if (found->mode == "040000") throw Error(Status::invalid, what + "it is a folder; it must be a regular file");
  if (found->mode == "160000") throw Error(Status::invalid, what + "it is a submodule; it must be a regular file");
  if (found->size > max_bytes) {
    throw Error(Status::invalid, what + "it has " + std::to_string(found->size) + " bytes; at most " +
                                     std::to_string(max_bytes) + " are read");
  }
  GitCommand git = mirror.command({"cat-file", "blob", found->id}, "read a file of");
  git.max_output_bytes = found->size + 1;
  return session.run(call, git).out;
}

void readChanges(Call& call, const Session& session, const Mirror& mirror, std::string_view commit,
                 std::string_view before, Change& change) {
  const std::string id(commit);
  change.commit = id;
  change.before = before;
  std::string from(before);
  if (!from.empty() && !hasCommit(call, session, mirror, from)) {
    // The branch was rewritten and its old head is gone: what changed since cannot be known.
    from.clear();
    change.files_complete = false;
  }
  readMessages(call, session, mirror, from.empty() ? id : from + ".." + id, change);
  if (change.messages.empty()) readMessages(call, session, mirror, id, change);  // set back: no commit is new
  if (from.empty()) {
    readFiles(call, session, mirror,
              {"log", "-z", "--max-count=1", "--first-parent", "-m", "--root", "--format=", "--name-only",
               "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--end-of-options", id, "--"},
              change);
  } else {
    readFiles(call, session, mirror,
              {"diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv",
               "--end-of-options", from, id, "--"},
              change);
  }
}

}  // namespace ocelot::git
