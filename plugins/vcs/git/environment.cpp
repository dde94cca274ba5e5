#include "environment.hpp"

#include <cstdlib>

namespace ocelot::vcs_git {

namespace {

// fsck finds faults of old commits that hurt nobody; a repository must not be unbuildable for them.
constexpr const char* kConfiguration = R"([core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
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
)";

// Answers git's question from the environment, which nobody else can read.
constexpr const char* kHelper =
    R"(	helper = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$OCELOT_GIT_USERNAME\" \"$OCELOT_GIT_PASSWORD\"; }; f"
)";

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool isWeb(const Url& url) { return url.protocol == "https" || url.protocol == "http"; }

}  // namespace

std::string configurationFor(const Url& url, const CloneAccess& access) {
  std::string text = kConfiguration;
  if (isWeb(url) && !access.password.empty()) {
    // For this host alone.
    text += "[credential " + quoted(url.text.substr(0, url.text.find('/', url.protocol.size() + 3))) + "]\n" + kHelper;
  }
  if (url.protocol == "file") {
    // The operator has listed its folder: a repository there may belong to somebody else.
    text += "[safe]\n\tdirectory = " + quoted(url.text) + "\n\tdirectory = " + quoted(url.text + "/.git") + "\n";
  }
  return text;
}

std::map<std::string, std::string> plainEnvironment(const Url& url) {
  const char* path = std::getenv("PATH");
  return {{"PATH", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"},
          {"HOME", "/nonexistent"},
          {"LC_ALL", "C"},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_ATTR_NOSYSTEM", "1"},
          {"GIT_ALLOW_PROTOCOL", url.protocol},
          {"GIT_TERMINAL_PROMPT", "0"},
          {"GIT_ASKPASS", "/bin/false"},
          {"SSH_ASKPASS", "/bin/false"},
          {"GIT_LITERAL_PATHSPECS", "1"},
          {"GIT_NO_REPLACE_OBJECTS", "1"},
          {"GIT_NO_LAZY_FETCH", "1"},
          {"GIT_OPTIONAL_LOCKS", "0"}};
}

std::map<std::string, std::string> credentialEnvironment(const Url& url, const CloneAccess& access,
                                                         const std::string& key_file, const std::string& hosts_file) {
  std::map<std::string, std::string> environment;
  for (const char* name :
       {"http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  if (url.protocol == "ssh") {
    environment["GIT_SSH_VARIANT"] = "ssh";
    environment["GIT_SSH_COMMAND"] =
        "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o IdentitiesOnly=yes -o "
        "IdentityAgent=none "
        "-o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o ForwardAgent=no -o ForwardX11=no -o "
        "ClearAllForwardings=yes "
        "-o PermitLocalCommand=no -o ConnectTimeout=30 -o ServerAliveInterval=30 -o GlobalKnownHostsFile=/dev/null -o "
        "UserKnownHostsFile=" +
        hosts_file + (key_file.empty() ? " -o PubkeyAuthentication=no" : " -i " + key_file);
  } else if (isWeb(url) && !access.password.empty()) {
    environment["OCELOT_GIT_USERNAME"] = access.username.empty() ? "git" : access.username;
    environment["OCELOT_GIT_PASSWORD"] = access.password;
  }
  return environment;
}

}  // namespace ocelot::vcs_git
