#include "host/git/mirror.hpp"

#include <fcntl.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace ocelot::git {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPacks = 30;  // beyond it, looking an object up costs more than packing anew

std::string keyOf(const Session& session) {
  std::string all;
  for (const std::string* part :
       {&session.url().text, &session.access().username, &session.access().password, &session.access().ssh_key}) {
    (all += std::to_string(part->size()) + ":") += *part;
  }
  unsigned char raw[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), raw);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (int i = 0; i < 16; ++i) (hex += kDigits[raw[i] >> 4]) += kDigits[raw[i] & 15];
  return hex;
}

void writeText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), "write " + path);
}

std::size_t packsIn(const std::string& mirror) {
  std::error_code ignored;
  const fs::directory_iterator packs(mirror + "/objects/pack", ignored);
  return static_cast<std::size_t>(
      std::count_if(begin(packs), end(packs), [](const auto& entry) { return entry.path().extension() == ".pack"; }));
}

}  // namespace

MirrorLock::MirrorLock(const std::string& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "lock the mirror: open " + file);
}

MirrorLock::MirrorLock(Call& call, const std::string& file, Mode mode) : MirrorLock(file) {
  for (int pause_ms = 2; !tryTake(mode); pause_ms = std::min(pause_ms * 2, 100)) {
    call.check("waiting for another fetch into the same mirror");
    pollfd cancelled{call.cancelFd(), POLLIN, 0};
    ::poll(&cancelled, 1, pause_ms);
  }
  // maintain() removes the file, under the lock that others wait for: theirs is then the next file of the name.
  struct stat status {};
  if (::fstat(fd_, &status) == 0 && status.st_nlink > 0) return;
  MirrorLock next(call, file, mode);
  std::swap(fd_, next.fd_);
}

std::unique_ptr<MirrorLock> MirrorLock::ifFree(const std::string& file) {
  std::unique_ptr<MirrorLock> lock(new MirrorLock(file));
  struct stat status {};
  if (!lock->tryTake(Mode::exclusive) || ::fstat(lock->fd_, &status) != 0 || status.st_nlink == 0) return nullptr;
  return lock;
}

bool MirrorLock::tryTake(Mode mode) const {
  if (::flock(fd_, (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK || errno == EINTR) return false;
  throw std::system_error(errno, std::generic_category(), "lock the mirror: flock");
}

MirrorLock::~MirrorLock() { ::close(fd_); }

Mirror::Mirror(const Settings& settings, const Session& session, std::size_t commit_digits)
    : settings_(settings),
      session_(session),
      commit_digits_(commit_digits),
      path_(settings.folder + "/" + keyOf(session)) {
  if (commit_digits_ == 64) path_ += "-sha256";
  lock_file_ = path_ + ".lock";
  path_ += ".git";
  std::error_code error;
  fs::create_directories(settings.folder, error);
  if (error) throw std::system_error(error, "make the folder of git mirrors " + settings.folder);
}

GitCommand Mirror::command(std::vector<std::string> arguments, const char* doing) const {
  GitCommand git;
  git.arguments = std::move(arguments);
  git.environment["GIT_DIR"] = path_;
  git.doing = doing;
  return git;
}

// An empty bare repository. Made by hand: `git init` would take longer than all the rest, and copy templates. The
// configuration is ours alone, and written whenever something is fetched.
void Mirror::ensureMade() const {
  if (::access((path_ + "/HEAD").c_str(), F_OK) != 0) {
    discard();
    for (const char* folder : {"/objects/pack", "/objects/info", "/refs/heads", "/refs/tags"}) {
      fs::create_directories(path_ + folder);
    }
    writeText(path_ + "/HEAD", "ref: refs/heads/main\n");
  }
  const bool sha256 = commit_digits_ == 64;
  writeText(path_ + "/config", std::string("[core]\n\trepositoryformatversion = ") + (sha256 ? "1" : "0") +
                                   "\n\tbare = true\n" + (sha256 ? "[extensions]\n\tobjectFormat = sha256\n" : ""));
}

// Out of the way by one rename first, so that nobody meets half of it.
void Mirror::discard() const {
  std::error_code ignored;
  const std::string aside = path_ + ".discarded";
  fs::remove_all(aside, ignored);
  fs::rename(path_, aside, ignored);
  fs::remove_all(aside, ignored);
}

bool Mirror::has(Call& call, std::string_view commit) const {
  if (::access((path_ + "/HEAD").c_str(), F_OK) != 0) return false;
  return session_.tryRun(call, command({"cat-file", "-e", std::string(commit) + "^{commit}"}, "look for a commit of"))
      .ok();
}

void Mirror::failed(const GitCommand& git, const process::Result& result) const {
  const Error error = session_.failure(git, result);
  if (saysDamaged(result.err)) throw Damaged(error.what());
  throw error;
}

void Mirror::fetchAll(Call& call, const Progress& progress) const {
  GitCommand git = command({"fetch", progress ? "--progress" : "--quiet", "--prune", "--no-tags", "--no-auto-gc",
                            "--no-write-fetch-head", "--no-recurse-submodules", "--force", "--end-of-options",
                            session_.url().text, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"},
                           "fetch");
  git.network = true;
  git.writable = {path_};
  const process::Result result = session_.tryRun(call, git, progress);
  if (!result.ok()) failed(git, result);
}

// A commit on no branch any more, or of a pull request: hosts give it by its id.
void Mirror::fetchCommit(Call& call, std::string_view commit, const Progress& progress) const {
  const std::string id(commit);
  GitCommand git =
      command({"fetch", progress ? "--progress" : "--quiet", "--no-tags", "--no-auto-gc", "--no-write-fetch-head",
               "--no-recurse-submodules", "--end-of-options", session_.url().text,
               "+" + id + ":refs/ocelot/" + id.substr(0, 2)},  // one of 256, so that they do not grow without end
              "fetch");
  git.network = true;
  git.writable = {path_};
  const process::Result result = session_.tryRun(call, git, progress);
  if (result.ok()) return;
  if (session_.failure(git, result).status() == Status::not_found) {
    throw Error(Status::not_found,
                "fetch " + id + " of " + session_.url().text + ": there is no such commit (any more)");
  }
  failed(git, result);
}

void Mirror::update(Call& call, std::string_view commit, const Progress& progress) const {
  ensureMade();
  if (progress) progress("fetching " + session_.url().text);
  try {
    fetchAll(call, progress);
  } catch (const Error& error) {
    // A branch with an object that is refused harms no build but its own.
    if (commit.empty() || error.status() != Status::invalid) throw;
    call.log(LogLevel::warning, std::string(error.what()) + "; fetching the commit alone");
  }
  if (commit.empty() || has(call, commit)) return;
  fetchCommit(call, commit, progress);
  if (has(call, commit)) return;
  // The other side gave it, and it is not usable: no commit at all, or our mirror only believes that it has it.
  const std::string what = "fetch " + std::string(commit) + " of " + session_.url().text + ": ";
  if (session_.tryRun(call, command({"cat-file", "-t", std::string(commit)}, "look at")).ok()) {
    throw Error(Status::not_found, what + "that is no commit");
  }
  throw Damaged(what + "it came, and cannot be read");
}

void Mirror::with(Call& call, std::string_view commit, const Progress& progress, const std::function<void()>& use,
                  Check check) {
  bool fetched = false, rebuilt = false;
  for (;;) {
    bool damaged = false;
    {
      const MirrorLock lock(call, lock_file_, MirrorLock::Mode::shared);
      if (check == Check::by_use || has(call, commit)) {
        ::utimensat(AT_FDCWD, lock_file_.c_str(), nullptr, 0);  // used now: maintain() looks at it
        try {
          return use();
        } catch (const Damaged& error) {
          // Where nobody has looked before, it may just not be there.
          damaged = check == Check::before || has(call, commit);
          if (damaged && rebuilt) throw Error(Status::internal, error.what());
          if (damaged) call.log(LogLevel::warning, std::string(error.what()) + "; making the mirror anew");
        }
      }
      if (fetched && !damaged) {
        throw Error(Status::unavailable,
                    "fetch " + session_.url().text + ": the mirror was changed meanwhile; try again");
      }
    }
    const MirrorLock lock(call, lock_file_, MirrorLock::Mode::exclusive);
    if (!damaged && has(call, commit)) continue;  // another process was faster
    if (damaged) discard();
    rebuilt = updateOrRebuild(call, commit, progress) || damaged;
    fetched = true;
    repackWhenSlow(call);
  }
}

bool Mirror::updateOrRebuild(Call& call, std::string_view commit, const Progress& progress) const {
  try {
    update(call, commit, progress);
    return false;
  } catch (const Damaged& error) {
    call.log(LogLevel::warning, std::string(error.what()) + "; making the mirror anew");
  }
  discard();
  try {
    update(call, commit, progress);
  } catch (const Damaged& error) {
    throw Error(Status::unavailable, error.what());  // it is not ours that is damaged
  }
  return true;
}

void Mirror::refresh(Call& call, const Progress& progress) {
  const MirrorLock lock(call, lock_file_, MirrorLock::Mode::exclusive);
  updateOrRebuild(call, "", progress);
  repackWhenSlow(call);
}

// Objects that nothing refers to stay for two weeks: builds of commits that left their branch may still wait.
void Mirror::repackWhenSlow(Call& call) const {
  if (packsIn(path_) <= kMaxPacks) return;
  GitCommand git = command({"repack", "-A", "-d", "-q", "--unpack-unreachable=2.weeks.ago"}, "pack the mirror of");
  git.writable = {path_};
  const process::Result result = session_.tryRun(call, git);
  if (!result.ok()) call.log(LogLevel::warning, session_.failure(git, result).what());
}

void Mirror::maintain(Call& call, const Settings& settings, std::chrono::hours unused) {
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  for (const fs::directory_entry& entry : fs::directory_iterator(settings.folder, error)) {
    const fs::path& lock_file = entry.path();
    if (lock_file.extension() != ".lock" || now - entry.last_write_time(error) < unused || error) continue;
    call.check("removing the mirrors that nobody uses");
    const auto lock = MirrorLock::ifFree(lock_file.string());
    if (!lock || now - fs::last_write_time(lock_file, error) < unused) continue;  // in use, or used meanwhile
    fs::path mirror = lock_file, aside = lock_file;
    mirror.replace_extension(".git");
    aside.replace_extension(".git.discarded");
    fs::remove_all(aside, error);  // of a worker that was killed
    fs::rename(mirror, aside, error);
    fs::remove_all(aside, error);
    fs::remove(lock_file, error);
  }
}

}  // namespace ocelot::git
