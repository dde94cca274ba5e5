#pragma once
// Words that attack git, or whoever runs it: nothing of them may be accepted. Used by the tests of everything that
// gives words from outside to git. CANARY stands for a path; were a command in one of these run, that file would be
// there.

#include <string>
#include <vector>

namespace ocelot::test {

inline std::vector<std::string> withCanary(std::vector<std::string> words, const std::string& canary) {
  for (std::string& word : words) {
    for (std::size_t at = 0; (at = word.find("CANARY", at)) != std::string::npos;) word.replace(at, 6, canary);
  }
  return words;
}

inline std::vector<std::string> hostileUrls(const std::string& canary) {
  return withCanary(
      {
          "",
          "-",
          "--upload-pack=touch CANARY",
          "-utouch CANARY",
          "-oProxyCommand=touch CANARY",
          "--config=core.sshCommand=touch CANARY",
          "-cprotocol.ext.allow=always",
          "--template=/tmp",
          "ssh://-oProxyCommand=touch${IFS}CANARY/x",
          "ssh://-oProxyCommand=touch/x",
          "ssh://user@-oProxyCommand=touch/x",
          "ssh://-x@host/x",
          "-oProxyCommand=touch:x",
          "user@-oProxyCommand=touch:x",
          "git@host:-x",
          "git@host:",
          "ssh://host",
          "ssh://host/",
          "ssh://host:22x/x",
          "ssh://ho st/x",
          "ssh://git:password@host/x",
          "ext::sh -c touch% CANARY",
          "ext::sh",
          "fd::17",
          "fd::17,18/foo",
          "transport::address",
          "file:///etc",
          "file://localhost/etc",
          "/etc/../etc",
          "../x",
          "./x",
          "x",
          "git://host/x",
          "ftp://host/x",
          "HTTPS://host/x",
          "http://host/x",
          "https://user:password@host/x",
          "https://token@host/x",
          "https:///x",
          "https://host",
          "https://host/../x",
          "https://host/a/../../x",
          "https://host/x?service=git-upload-pack",
          "https://host/x#fragment",
          "https://host/x y",
          "https://host/x\ny",
          "https://host/x\ry",
          "https://host/x%0ahost",
          "https://host/x%0D",
          "https://host/x%00",
          "https://host/\xe2\x80\xae",
          "https://ho\\st/x",
          "https://[::1/x",
          "https://[zz]/x",
          "https://-host/x",
          "https://host:/x",
          "https://host:99999999/x",
          "https://host/$(touch CANARY)",
          "https://host/`touch CANARY`",
          "https://host/;touch CANARY",
          std::string("https://host/x\0y", 16),
          "https://host/" + std::string(4000, 'x'),
      },
      canary);
}

inline std::vector<std::string> hostileBranches(const std::string& canary) {
  return withCanary({"",
                     "-",
                     "--upload-pack=touch CANARY",
                     "--output=CANARY",
                     "-x",
                     "a b",
                     "a..b",
                     "a~1",
                     "a^",
                     "a:b",
                     "a?",
                     "a*",
                     "a[b",
                     "a\\b",
                     "/a",
                     "a/",
                     "a//b",
                     "a.",
                     ".a",
                     "a/.b",
                     "a.lock",
                     "a.lock/b",
                     "a@{1}",
                     "@",
                     "HEAD",
                     "a\nb",
                     "a\x7f",
                     std::string("a\0b", 3),
                     "refs/heads/../x",
                     std::string(256, 'a')},
                    canary);
}

// Names that git accepts and a shell would obey: accepted, and never executed.
inline std::vector<std::string> shellBranches(const std::string& canary) {
  std::string path = canary;
  return withCanary({"$(touch${IFS}CANARY)", "`touch${IFS}CANARY`", "a;touch${IFS}CANARY", "a&&touch${IFS}CANARY",
                     "\"x", "'x", "a|b", "a$b", "\xc3\xbcml\xc3\xa4ut"},
                    path);
}

inline std::vector<std::string> hostileCommits(const std::string& canary) {
  return withCanary({"", "HEAD", "main", "--output=CANARY", "--upload-pack=touch CANARY", std::string(39, 'a'),
                     std::string(41, 'a'), std::string(40, 'A'), std::string(39, 'a') + "g",
                     std::string(39, 'a') + "\n", std::string(38, 'a') + "^0", "-" + std::string(39, 'a')},
                    canary);
}

inline std::vector<std::string> hostilePaths(const std::string& canary) {
  return withCanary({"", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", "./a", "a/./b", "a//b", "a/", "a\nb",
                     std::string("a\0b", 3), "a\x7f", std::string(5000, 'a')},
                    canary);
}

}  // namespace ocelot::test
