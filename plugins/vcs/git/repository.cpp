#include "repository.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "environment.hpp"

namespace ocelot::vcs_git {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRefs = 10000;
constexpr std::size_t kMaxMessages = 1000;
constexpr std::size_t kMaxMessageBytes = 64u << 10;
constexpr std::size_t kMaxFiles = 10000;
constexpr std::size_t kRefsAtOnce = 256;
constexpr int kMaxFetches = 300;  // to find the refs that are refused
constexpr int kMaxPacks = 50;     // every fetch adds one, and each makes looking an object up slower

bool contains(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::any_of(any.begin(), any.end(),
                     [&](std::string_view one) { return text.find(one) != std::string_view::npos; });
}

// Changes to a mirror exclude each other, also between processes.
class Lock {
 public:
  Lock(Call& call, const std::string& file)
      : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (fd_ < 0)
      throw Error(Status::internal, "lock the mirror " + file + ": " + std::generic_category().message(errno));
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      try {
        call.check("waiting for another fetch of the same repository");
      } catch (...) {
        ::close(fd_);
        throw;
      }
      pollfd cancelled{call.cancelFd(), POLLIN, 0};
      ::poll(&cancelled, 1, 50);
    }
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int fd_;
};

// Takes what stands before the next `end` off the text.
std::string_view takeUntil(std::string_view& text, char end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return taken;
}

// The last lines that say something, as one.
std::string lastWords(std::string_view err) {
  std::vector<std::string> lines;
  while (!err.empty()) {
    const std::string_view line = takeUntil(err, '\n');
    if (!line.empty() &&
        !contains(line, {"Please make sure you have the correct access rights", "and the repository exists."}))
      lines.push_back(shown(line, 500));
  }
  std::string out;
  for (std::size_t i = lines.size() > 3 ? lines.size() - 3 : 0; i < lines.size(); ++i)
    out += (out.empty() ? "" : "; ") + lines[i];
  return out;
}

// A mirror that git cannot work with.
bool isDamage(std::string_view said) {
  return contains(said, {"corrupt", "unable to read", "bad object", "valid object", "is empty", "inflate", "index file",
                         "did not send all necessary objects", "bad config", "not a git repository"});
}

bool saysNoSuchCommit(std::string_view err) { return contains(err, {"not our ref", "couldn't find remote ref"}); }

std::string together(const std::vector<std::string>& refused) {
  std::string out;
  for (const std::string& one : refused) out += (out.empty() ? "" : "; ") + one;
  return out.size() > 2000 ? out.substr(0, 2000) + "…" : out;
}

Status remoteStatus(std::string_view err) {
  if (contains(err,
               {"Authentication failed", "could not read Username", "could not read Password", "Permission denied (",
                "Host key verification failed", "error: 401", "error: 403", "error in libcrypto"})) {
    return Status::unauthenticated;
  }
  if (contains(err, {"ot found", "does not exist", "does not appear to be a git repository", "not our ref",
                     "couldn't find remote ref", "error: 404"})) {
    return Status::not_found;
  }
  if (contains(err, {"fsck error", "from redirection"})) return Status::invalid;
  return Status::unavailable;
}

std::string remedy(std::string_view err) {
  if (contains(err, {"Host key verification failed"})) return "; put the host's key into the option known_hosts";
  if (contains(err, {"could not read Username"}))
    return "; it is private or missing: set the options username and password";
  if (contains(err, {"Permission denied (publickey"})) return "; set the option ssh_key to a key that the host knows";
  if (contains(err, {"from redirection"})) return "; the repository has moved: use its new URL";
  return "";
}

}  // namespace

Error comesBack(const Error& error) {
  return error.status() == Status::not_found ? Error(Status::unavailable, error.what()) : error;
}

PrivateFolder::PrivateFolder() {
  std::error_code error;
  path_ = (::access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : fs::temp_directory_path(error).string()) +
          "/ocelot-git-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr)
    throw Error(Status::internal, "make the folder " + path_ + ": " + std::generic_category().message(errno));
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string PrivateFolder::write(const std::string& name, std::string_view content) const {
  const std::string path = path_ + "/" + name;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!written) throw Error(Status::internal, "write " + path + ": " + std::generic_category().message(error));
  return path;
}

Repository::Repository(Url url, CloneAccess access, const std::string& cache, const std::string& key)
    : url_(std::move(url)), access_(std::move(access)), key_(key), mirror_(cache + "/" + key + ".git") {}

const Repository::Surroundings& Repository::surroundings() const {
  if (surroundings_) return *surroundings_;
  Surroundings& made = surroundings_.emplace();
  const bool ssh = url_.protocol == "ssh";
  made.environment = plainEnvironment(url_);
  made.environment["GIT_CONFIG_GLOBAL"] = made.folder.write("config", configurationFor(url_, access_));
  made.environment["GIT_DIR"] = mirror_;
  const std::string key = ssh && !access_.ssh_key.empty() ? made.folder.write("key", access_.ssh_key + "\n") : "";
  const std::string hosts = ssh ? made.folder.write("known_hosts", access_.known_hosts + "\n") : "";
  made.credentials = credentialEnvironment(url_, access_, key, hosts);
  return made;
}

Ended Repository::git(Call& call, std::vector<std::string> arguments, bool network, std::size_t max_output) const {
  Program program;
  program.command = std::move(arguments);
  program.command.insert(program.command.begin(), "git");
  const Surroundings& within = surroundings();
  program.environment = within.environment;
  if (network) program.environment.insert(within.credentials.begin(), within.credentials.end());
  program.max_output_bytes = max_output;
  return runProgram(call, program);
}

Ended Repository::mustGit(Call& call, const char* doing, std::vector<std::string> arguments, bool network,
                          std::size_t max_output) const {
  Ended ended = git(call, std::move(arguments), network, max_output);
  if (ended.exit_code != 0) throw failure(doing, ended, network);
  return ended;
}

Error Repository::failure(const char* doing, const Ended& ended, bool network) const {
  std::string said = lastWords(ended.err);
  if (said.empty()) said = "git ended with status " + std::to_string(ended.exit_code);
  const std::string& password = access_.password;
  for (std::size_t at = 0; password.size() >= 4 && (at = said.find(password, at)) != std::string::npos;)
    said.replace(at, password.size(), "***");
  return Error(network ? remoteStatus(ended.err) : Status::internal,
               std::string(doing) + ' ' + url_.text + ": " + said + remedy(ended.err));
}

// What ls-remote would start to ask, asked itself: a quarter of the time. Each line has its length before it, in four
// hexadecimal digits; "0000" is the end, and what follows a NUL says what the server can do.
std::optional<Repository::Refs> Repository::listLocal(Call& call, const std::vector<std::string>& patterns) const {
  Program program;
  program.command = {"git", "upload-pack", "--http-backend-info-refs", url_.text};
  program.environment = surroundings().environment;
  program.environment.erase("GIT_DIR");  // it is not about the mirror
  const Ended ended = runProgram(call, program);
  if (ended.exit_code != 0) throw failure("list the branches of", ended, true);
  Refs refs;
  for (std::string_view text = ended.out; text.size() >= 4;) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 4, size, 16);
    if (error != std::errc() || end != text.data() + 4) return std::nullopt;
    if (size == 0) return refs;
    if (size < 4 || size > text.size()) return std::nullopt;
    std::string_view name = text.substr(4, size - 4);
    text.remove_prefix(size);
    name = name.substr(0, std::min(name.find('\0'), name.find('\n')));
    const std::string_view id = takeUntil(name, ' ');
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return pattern.back() == '*' ? name.substr(0, pattern.size() - 1) == pattern.substr(0, pattern.size() - 1)
                                   : name == pattern;
    });
    if (isCommit(id) && wanted) refs.emplace_back(name, id);
    if (refs.size() > kMaxRefs) throw tooManyRefs();
  }
  return std::nullopt;  // cut: there is more than is read of it
}

Error Repository::tooManyRefs() const {
  return Error(Status::invalid,
               "list the branches of " + url_.text + ": there are more than " + std::to_string(kMaxRefs));
}

Repository::Refs Repository::listRemote(Call& call, const std::vector<std::string>& patterns) const {
  if (url_.protocol == "file") {
    if (auto refs = listLocal(call, patterns)) return std::move(*refs);
  }
  std::vector<std::string> arguments{"ls-remote", "--quiet", "--end-of-options", url_.text};
  arguments.insert(arguments.end(), patterns.begin(), patterns.end());
  const Ended ended = mustGit(call, "list the branches of", arguments, true);
  Refs refs;
  for (std::string_view text = ended.out; !text.empty();) {
    std::string_view line = takeUntil(text, '\n');
    const std::string_view id = takeUntil(line, '\t');
    if (!isCommit(id) || line.empty()) continue;
    if (refs.size() == kMaxRefs || ended.truncated) throw tooManyRefs();
    refs.emplace_back(line, id);
  }
  return refs;
}

Repository::Refs Repository::listKnown(Call& call, const std::vector<std::string>& patterns) const {
  try {
    return listRemote(call, patterns);
  } catch (const Error& error) {
    throw comesBack(error);
  }
}

bool Repository::has(Call& call, std::string_view commit) const {
  return ::access((mirror_ + "/HEAD").c_str(), F_OK) == 0 &&
         git(call, {"cat-file", "-e", std::string(commit) + "^{commit}"}).exit_code == 0;
}

void Repository::makeMirror(std::size_t digits) const {
  for (const char* folder : {"/objects/pack", "/objects/info", "/refs/heads", "/refs/tags"})
    fs::create_directories(mirror_ + folder);
  std::ofstream(mirror_ + "/config", std::ios::trunc)
      << "[core]\n\trepositoryformatversion = "
      << (digits == 64 ? "1\n[extensions]\n\tobjectFormat = sha256\n[core]" : "0") << "\n\tbare = true\n";
  std::ofstream(mirror_ + "/HEAD", std::ios::trunc) << "ref: refs/heads/main\n";
}

Ended Repository::fetchRefs(Call& call, const std::vector<std::string>& refspecs, bool prune) const {
  std::vector<std::string> arguments{"fetch", "--quiet"};
  if (prune) arguments.emplace_back("--prune");
  for (const char* option :
       {"--no-tags", "--no-auto-gc", "--no-write-fetch-head", "--no-recurse-submodules", "--force", "--end-of-options"})
    arguments.emplace_back(option);
  arguments.push_back(url_.text);
  arguments.insert(arguments.end(), refspecs.begin(), refspecs.end());
  return git(call, std::move(arguments), true);
}

// All branches and tags; where an object of one of them is refused, every other one.
std::vector<std::string> Repository::fetchAll(Call& call, std::size_t digits) const {
  makeMirror(digits);
  const Ended ended = fetchRefs(call, {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}, true);
  if (ended.exit_code == 0) return {};
  const Error error = failure("fetch", ended, true);
  if (error.status() != Status::invalid) throw comesBack(error);
  std::vector<std::string> names;
  const auto refs = listKnown(call, {"refs/heads/*", "refs/tags/*"});
  const auto there = mirrored(call);
  for (const auto& [name, id] : refs) {
    const auto ours = there.find(name);
    if (name.find("^{}") == std::string::npos && (ours == there.end() || ours->second != id)) names.push_back(name);
  }
  std::vector<std::string> refused;
  int fetches_left = kMaxFetches;
  for (std::size_t at = 0; at < names.size(); at += kRefsAtOnce)
    fetchEach(call, names.data() + at, std::min(kRefsAtOnce, names.size() - at), fetches_left, refused);
  for (const std::string& one : refused) call.log(LogLevel::warning, "fetch " + url_.text + ": " + one);
  return refused;
}

// Halves what is refused until the ones stand alone that cause it: one bad ref among a thousand costs twenty fetches.
void Repository::fetchEach(Call& call, const std::string* names, std::size_t count, int& fetches_left,
                           std::vector<std::string>& refused) const {
  if (fetches_left-- <= 0) {
    if (fetches_left == -1)
      refused.push_back("more of its branches are refused than can be told apart; the others are not fetched");
    return;
  }
  std::vector<std::string> refspecs;
  for (std::size_t i = 0; i < count; ++i) refspecs.push_back("+" + names[i] + ":" + names[i]);
  const Ended ended = fetchRefs(call, refspecs, false);
  if (ended.exit_code == 0) return;
  const Error error = failure("fetch", ended, true);
  // A ref may have gone since it was listed, or stand in the way of another in the mirror.
  if (error.status() == Status::unauthenticated) throw error;
  if (count == 1) {
    refused.push_back(shown(names[0]) + ": " + lastWords(ended.err));
    return;
  }
  fetchEach(call, names, count / 2, fetches_left, refused);
  fetchEach(call, names + count / 2, count - count / 2, fetches_left, refused);
}

std::map<std::string, std::string> Repository::mirrored(Call& call) const {
  std::map<std::string, std::string> refs;
  const Ended ended = git(call, {"for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"});
  for (std::string_view text = ended.out; !text.empty();) {
    std::string_view line = takeUntil(text, '\n');
    const std::string_view id = takeUntil(line, ' ');
    refs.emplace(line, id);
  }
  return refs;
}

// The commit is asked for by its id, so that no branch but its own matters. Servers that do not give what they have not
// advertised (older ones, and plain files behind http) are asked for the branch that ends in it, then for all.
void Repository::fetchOnce(Call& call, std::string_view commit) const {
  makeMirror(commit.size());
  const std::string id(commit), what = "fetch " + id + " of " + url_.text + ": ";
  // One of 256 names, so that they do not grow with every build: it keeps the commit, and tells the next fetch what is
  // here already.
  const std::string name = "refs/ocelot/" + id.substr(0, 2);
  const Ended asked = fetchRefs(call, {"+" + id + ":" + name}, false);
  if (asked.exit_code == 0) {
    if (has(call, commit)) return;
    throw Error(Status::not_found, what + "that is no commit");
  }
  const Error error = failure("fetch", asked, true);
  if (error.status() == Status::invalid || error.status() == Status::unauthenticated || isDamage(error.what()))
    throw error;
  if (error.status() == Status::not_found && !saysNoSuchCommit(asked.err)) throw comesBack(error);

  for (const auto& [branch, tip] : listKnown(call, {"refs/heads/*"})) {
    if (tip != commit) continue;
    const Ended ended = fetchRefs(call, {"+" + branch + ":" + name}, false);
    if (ended.exit_code != 0) throw failure("fetch", ended, true);
    if (has(call, commit)) return;
  }
  const std::vector<std::string> refused = fetchAll(call, commit.size());
  if (has(call, commit)) return;
  if (refused.empty()) throw Error(Status::not_found, what + "there is no such commit (any more)");
  // It may be among what is refused, which is to be mended there, and not to be taken for a commit that is gone.
  throw Error(Status::invalid, what + "it is on none of the branches that can be fetched; " + together(refused));
}

void Repository::fetch(Call& call, std::string_view commit) const {
  if (has(call, commit)) return;
  const Lock lock(call, mirror_ + ".lock");
  if (has(call, commit)) return;  // another process was faster
  repackWhenSlow(call);
  // The mirror holds nothing that cannot be fetched again: what git cannot work with is made anew.
  const bool was_there = ::access(mirror_.c_str(), F_OK) == 0;
  try {
    return fetchOnce(call, commit);
  } catch (const Error& error) {
    if (!was_there || !isDamage(error.what())) throw;
    call.log(LogLevel::warning, std::string(error.what()) + "; making the mirror anew");
  }
  std::error_code ignored;
  fs::remove_all(mirror_, ignored);
  fetchOnce(call, commit);
}

// Objects that nothing refers to stay for two weeks: somebody may still ask for the commit of a rewritten branch.
void Repository::repackWhenSlow(Call& call) const {
  std::error_code ignored;
  const fs::directory_iterator files(mirror_ + "/objects/pack", ignored);
  if (std::count_if(begin(files), end(files), [](const auto& file) { return file.path().extension() == ".pack"; }) <=
      kMaxPacks)
    return;
  const Ended ended = git(call, {"repack", "-A", "-d", "-q", "--unpack-unreachable=2.weeks.ago"});
  if (ended.exit_code != 0) call.log(LogLevel::warning, failure("pack the mirror of", ended, false).what());
}

std::string Repository::findAbbreviated(Call& call, std::string_view abbreviation) const {
  std::vector<std::string> refused;
  {
    const Lock lock(call, mirror_ + ".lock");
    refused = fetchAll(call, 40);
  }
  const Ended ended =
      git(call, {"rev-parse", "--verify", "--quiet", "--end-of-options", std::string(abbreviation) + "^{commit}"});
  const std::string id = ended.out.substr(0, ended.out.find('\n'));
  if (ended.exit_code == 0 && isCommit(id)) return id;
  if (!refused.empty())
    throw Error(Status::invalid, "find " + shown(abbreviation) + " in " + url_.text +
                                     ": it is on none of the branches that can be fetched; " + together(refused));
  return "";
}

Ended Repository::askMirror(Call& call, std::string_view commit, const char* doing,
                            const std::vector<std::string>& arguments) const {
  if (::access((mirror_ + "/HEAD").c_str(), F_OK) == 0) {
    Ended ended = git(call, arguments);
    if (ended.exit_code == 0) return ended;
  }
  fetch(call, commit);
  return mustGit(call, doing, arguments);
}

std::string Repository::reading(std::string_view commit, std::string_view path) const {
  return "read " + shown(path) + " at " + std::string(commit.substr(0, 12)) + " of " + url_.text + ": ";
}

std::optional<std::string> Repository::readFile(Call& call, std::string_view commit, std::string_view path,
                                                std::uint64_t max_bytes) const {
  const Ended listed = askMirror(call, commit, "look for a file in",
                                 {"ls-tree", "-z", "-l", "--full-tree", "--end-of-options",
                                  std::string(commit) + "^{commit}", "--", std::string(path)});
  // <mode> SP <type> SP <id> SP+ <size> TAB <path> NUL
  std::string_view text = listed.out;
  const std::string_view mode = takeUntil(text, ' ');
  takeUntil(text, ' ');
  const std::string id(takeUntil(text, ' '));
  std::string_view size_text = takeUntil(text, '\t');
  size_text.remove_prefix(std::min(size_text.find_first_not_of(' '), size_text.size()));
  if (text.substr(0, text.find('\0')) != path || !isCommit(id)) return std::nullopt;
  const std::string what = reading(commit, path);
  if (mode == "120000") throw Error(Status::invalid, what + "it is a symbolic link; it must be a regular file");
  if (mode == "040000") throw Error(Status::invalid, what + "it is a folder; it must be a regular file");
  if (mode == "160000") throw Error(Status::invalid, what + "it is a submodule; it must be a regular file");
  std::uint64_t size = 0;
  std::from_chars(size_text.data(), size_text.data() + size_text.size(), size);
  if (size > max_bytes) {
    throw Error(Status::invalid,
                what + "it has " + std::to_string(size) + " bytes; at most " + std::to_string(max_bytes) + " are read");
  }
  return mustGit(call, "read a file of", {"cat-file", "blob", id}, false, size + 1).out;
}

void Repository::readMessages(Call& call, std::string_view commit, const std::string& since, Change& change) const {
  const std::string id(commit);
  const Ended ended =
      askMirror(call, commit, "read the messages of",
                {"log", "-z", "--no-show-signature", "--no-color", "--no-notes", "--encoding=UTF-8",
                 since.empty() ? "--max-count=1" : "--max-count=" + std::to_string(kMaxMessages),
                 "--format=%an <%ae>%n%B", "--end-of-options", since.empty() ? id : since + ".." + id, "--"});
  for (std::string_view text = ended.out; !text.empty();) {
    std::string_view record = takeUntil(text, '\0');
    const std::string_view author = takeUntil(record, '\n');
    while (!record.empty() && record.back() == '\n') record.remove_suffix(1);
    if (change.messages.empty()) {
      change.author = author;
      change.message = record.substr(0, kMaxMessageBytes);
    }
    change.messages.emplace_back(record.substr(0, kMaxMessageBytes));
  }
  std::reverse(change.messages.begin(), change.messages.end());  // the oldest first, as pushes tell them
}

void Repository::readChanges(Call& call, std::string_view commit, std::string_view before, Change& change) const {
  const std::string id(commit);
  std::string from(before);
  if (!from.empty()) fetch(call, commit);
  if (!from.empty() && !has(call, from)) {
    from.clear();  // the branch was rewritten, and what changed since cannot be known
    change.files_complete = false;
  }
  readMessages(call, commit, from, change);
  if (change.messages.empty()) readMessages(call, commit, "", change);  // the branch was set back: no commit is new
  std::vector<std::string> arguments;
  if (from.empty()) {
    arguments = {"log",
                 "-z",
                 "--max-count=1",
                 "--first-parent",
                 "-m",
                 "--root",
                 "--format=",
                 "--name-only",
                 "--no-renames",
                 "--no-ext-diff",
                 "--no-textconv",
                 "--no-show-signature",
                 "--end-of-options",
                 id,
                 "--"};
  } else {
    arguments = {"diff-tree",        "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv",
                 "--end-of-options", from, id,   "--"};
  }
  const Ended ended = mustGit(call, "list the changed files of", arguments);
  change.files_complete = change.files_complete && !ended.truncated;
  for (std::string_view text = ended.out; text.find('\0') != std::string_view::npos;) {
    const std::string_view path = takeUntil(text, '\0');
    if (path.empty()) continue;
    if (change.files.size() == kMaxFiles) {
      change.files_complete = false;
      break;
    }
    change.files.emplace_back(path);
  }
}

}  // namespace ocelot::vcs_git
