#include "host/git/session.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "host/git/fence.hpp"

namespace ocelot::git {

namespace {

namespace fs = std::filesystem;

// fsck finds faults of old commits that hurt nobody; a repository must not be unbuildable for them.
constexpr std::string_view kConfiguration = R"([core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
	protectHFS = true
	protectNTFS = true
	autocrlf = false
	pager = cat
[credential]
	helper =
[transfer]
	fsckObjects = true
	unpackLimit = 1
[fetch]
	fsckObjects = true
	unpackLimit = 1
	recurseSubmodules = false
[fetch "fsck"]
	zeroPaddedFilemode = ignore
	badTimezone = ignore
	missingSpaceBeforeDate = ignore
	missingSpaceBeforeEmail = ignore
	missingNameBeforeEmail = ignore
	missingEmail = ignore
	badDate = ignore
	badDateOverflow = ignore
[submodule]
	recurse = false
[gc]
	auto = 0
[maintenance]
	auto = false
[http]
	followRedirects = false
	lowSpeedLimit = 1000
	lowSpeedTime = 60
[uploadpack]
	allowAnySHA1InWant = true
[advice]
	detachedHead = false
)";

// Answers git's question from the environment, which nobody else can read, and for the session's own host alone. A
// helper in place of an askpass script: the session's folder may be mounted noexec.
constexpr std::string_view kHelper =
    R"(	helper = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$OCELOT_GIT_USERNAME\" \"$OCELOT_GIT_PASSWORD\"; }; f"
)";

std::string configurationFor(const Url& url, const CloneAccess& access) {
  std::string text(kConfiguration);
  if ((url.kind == Url::Kind::https || url.kind == Url::Kind::http) && !access.password.empty()) {
    text += "[credential \"" + url.text.substr(0, url.text.find('/', url.protocol.size() + 3)) + "\"]\n" +
            std::string(kHelper);
  }
  if (url.kind == Url::Kind::local) {
    // The operator has listed its folder: a repository there may belong to somebody else.
    std::string quoted;
    for (const char c : url.text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    for (const char* inside : {"", "/.git"}) text += "[safe]\n\tdirectory = \"" + quoted + inside + "\"\n";
  }
  return text;
}

std::string withNewline(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

bool contains(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::any_of(any.begin(), any.end(),
                     [&](std::string_view one) { return text.find(one) != std::string_view::npos; });
}

// What git says about the other side, in its own words.
Status remoteStatus(std::string_view err) {
  if (contains(err, {"Authentication failed", "could not read Username", "could not read Password",
                     "Permission denied (", "Host key verification failed", "error: 401", "error: 403",
                     "terminal prompts disabled", "invalid format", "error in libcrypto"})) {
    return Status::unauthenticated;
  }
  if (contains(err, {"ot found", "does not exist", "does not appear to be a git repository", "not our ref",
                     "couldn't find remote ref", "error: 404", "no such remote ref"})) {
    return Status::not_found;
  }
  if (contains(err, {"fsck error", "transport '", "unable to update url base from redirection"}))
    return Status::invalid;
  return Status::unavailable;
}

std::string remedy(std::string_view err) {
  if (contains(err, {"Host key verification failed"}))
    return "; put the host's key into known_hosts (ssh-keyscan HOST shows it; compare it first)";
  if (contains(err, {"could not read Username", "terminal prompts disabled"}))
    return "; it is private or missing: give a username and a password or token";
  if (contains(err, {"Permission denied (publickey"})) return "; give an ssh key that the host knows";
  if (contains(err, {"from redirection"})) return "; the repository has moved: use its new URL";
  return "";
}

// Splits a stream of progress at CR and LF.
class ProgressLines {
 public:
  explicit ProgressLines(const Progress& progress) : progress_(progress) {}
  void take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c != '\r' && c != '\n') {
        if (line_.size() < 200) line_ += c;
        continue;
      }
      if (line_ != last_ && contains(line_, {"objects: ", "deltas: "})) progress_(last_ = shown(line_));
      line_.clear();
    }
  }

 private:
  const Progress& progress_;
  std::string line_, last_;
};

}  // namespace

SessionFolder::SessionFolder() {
  const std::string memory = "/dev/shm";
  std::error_code error;
  path_ = (::access(memory.c_str(), W_OK | X_OK) == 0 ? memory : fs::temp_directory_path(error).string()) +
          "/ocelot-git-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "make the folder " + path_);
}

SessionFolder::~SessionFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string SessionFolder::write(const std::string& name, std::string_view content, unsigned mode) const {
  const std::string path = path_ + "/" + name;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "make " + path);
  const ssize_t written = ::write(fd, content.data(), content.size());
  const int error = errno;
  ::close(fd);
  if (written != static_cast<ssize_t>(content.size()))
    throw std::system_error(written < 0 ? error : ENOSPC, std::generic_category(), "write " + path);
  return path;
}

Session::Session(const Settings& settings, CloneAccess access, Url url)
    : settings_(settings), access_(std::move(access)), url_(std::move(url)), environment_(process::plainEnvironment()) {
  environment_["HOME"] = "/nonexistent";
  environment_["LC_ALL"] = "C";
  environment_["GIT_CONFIG_NOSYSTEM"] = "1";
  environment_["GIT_CONFIG_GLOBAL"] = folder_.write("config", configurationFor(url_, access_), 0600);
  environment_["GIT_ATTR_NOSYSTEM"] = "1";
  environment_["GIT_ALLOW_PROTOCOL"] = url_.protocol;
  environment_["GIT_TERMINAL_PROMPT"] = "0";
  environment_["GIT_ASKPASS"] = "/bin/false";
  environment_["SSH_ASKPASS"] = "/bin/false";
  environment_["GIT_LITERAL_PATHSPECS"] = "1";
  environment_["GIT_NO_REPLACE_OBJECTS"] = "1";
  environment_["GIT_NO_LAZY_FETCH"] = "1";
  environment_["GIT_OPTIONAL_LOCKS"] = "0";
  for (const char* name :
       {"http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const char* value = std::getenv(name)) credentials_[name] = value;
  }
  if (url_.kind == Url::Kind::ssh) {
    std::string ssh =
        "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o IdentitiesOnly=yes "
        "-o IdentityAgent=none -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o ForwardAgent=no "
        "-o ForwardX11=no -o ClearAllForwardings=yes -o PermitLocalCommand=no -o ConnectTimeout=30 -o "
        "ServerAliveInterval=30 "
        "-o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=" +
        folder_.write("known_hosts", withNewline(access_.known_hosts), 0600);
    ssh += access_.ssh_key.empty() ? " -o PubkeyAuthentication=no"
                                   : " -i " + folder_.write("key", withNewline(access_.ssh_key), 0600);
    credentials_["GIT_SSH_COMMAND"] = ssh;
    credentials_["GIT_SSH_VARIANT"] = "ssh";
  } else if (!access_.password.empty()) {
    credentials_["OCELOT_GIT_USERNAME"] = access_.username.empty() ? "git" : access_.username;
    credentials_["OCELOT_GIT_PASSWORD"] = access_.password;
  }
}

process::Result Session::tryRun(Call& call, const GitCommand& git, const Progress& progress) const {
  const WriteFence fence(git.writable);
  process::Command command;
  command.program = settings_.program;
  command.arguments = git.arguments;
  command.environment = environment_;
  if (git.network) {
    for (const auto& [name, value] : credentials_) command.environment[name] = value;
  }
  for (const auto& [name, value] : git.environment) command.environment[name] = value;
  command.input = git.input;
  command.max_output_bytes = git.max_output_bytes;
  command.in_child = [&fence] {
    if (!fence.putOn()) ::_exit(125);
  };
  ProgressLines lines(progress);
  if (progress) command.on_error_output = [&lines](std::string_view bytes) { lines.take(bytes); };
  return process::run(call, command);
}

process::Result Session::run(Call& call, const GitCommand& command, const Progress& progress) const {
  process::Result result = tryRun(call, command, progress);
  if (!result.ok()) throw failure(command, result);
  if (result.out_truncated && command.output_whole) {
    throw Error(Status::invalid, std::string(command.doing) + ' ' + url_.text + ": it is larger than " +
                                     std::to_string(command.max_output_bytes) + " bytes");
  }
  return result;
}

Error Session::failure(const GitCommand& command, const process::Result& result) const {
  const Status status = command.network ? remoteStatus(result.err) : Status::internal;
  std::string said = lastWords(result.err);
  if (said.empty())
    said = result.signal != 0 ? "git was killed by signal " + std::to_string(result.signal)
                              : "git ended with status " + std::to_string(result.exit_code);
  return Error(status, std::string(command.doing) + ' ' + url_.text + ": " + scrubbed(said) + remedy(result.err));
}

std::string Session::scrubbed(std::string_view text) const {
  std::string out(text);
  const std::string& password = access_.password;
  for (std::size_t at = 0; password.size() >= 4 && (at = out.find(password, at)) != std::string::npos;)
    out.replace(at, password.size(), "***");
  return out;
}

std::string lastWords(std::string_view err) {
  std::vector<std::string> lines;
  while (!err.empty()) {
    const std::string_view line = err.substr(0, err.find_first_of("\r\n"));
    err.remove_prefix(std::min(line.size() + 1, err.size()));
    if (!line.empty() &&
        !contains(line, {"objects: ", "deltas: ", "Please make sure you have the correct access rights",
                         "and the repository exists."})) {
      lines.push_back(shown(line, 500));
    }
  }
  std::string out;
  for (std::size_t i = lines.size() > 3 ? lines.size() - 3 : 0; i < lines.size(); ++i)
    out += (out.empty() ? "" : "; ") + lines[i];
  return out;
}

bool saysDamaged(std::string_view err) {
  while (!err.empty()) {
    const std::string_view line = err.substr(0, err.find_first_of("\r\n"));
    err.remove_prefix(std::min(line.size() + 1, err.size()));
    if (line.substr(0, 7) == "remote:") continue;  // the other side's trouble
    if (contains(line, {"corrupt", "not a git repository", "unable to read", "missing blob", "missing tree",
                        "bad object", "valid object", "is empty", "inflate", "index file", "does not match index",
                        "broken link", "unable to unpack", "packfile", "invalid sha1 pointer", "bad config",
                        "bad numeric config", "did not send all necessary objects"})) {
      return true;
    }
  }
  return false;
}

}  // namespace ocelot::git
