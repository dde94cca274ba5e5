#include "components/guest/user.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

#include "components/guest/files.hpp"

namespace ocelot::guest {

namespace {

constexpr std::size_t kMaxFile = 16u << 20;
constexpr std::size_t kMaxGroups = 1000;

// An id is a decimal number; 2^32 - 1 means "no change" to the kernel and is nobody.
std::optional<std::uint32_t> number(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value >= UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::string_view cut(std::string_view& text, char at) {
  const auto end = text.find(at);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return part;
}

struct PasswdEntry {
  std::string_view name, home;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<PasswdEntry> parsePasswd(std::string_view line) {
  PasswdEntry entry;
  entry.name = cut(line, ':');
  cut(line, ':');
  const auto uid = number(cut(line, ':'));
  const auto gid = number(cut(line, ':'));
  cut(line, ':');
  entry.home = cut(line, ':');
  if (entry.name.empty() || !uid || !gid) return std::nullopt;
  entry.uid = *uid;
  entry.gid = *gid;
  return entry;
}

std::optional<PasswdEntry> findUser(std::string_view who, std::string_view passwd) {
  const auto uid = number(who);
  std::optional<PasswdEntry> by_number;
  while (!passwd.empty()) {
    const auto entry = parsePasswd(cut(passwd, '\n'));
    if (!entry) continue;
    if (entry->name == who) return entry;
    if (uid && entry->uid == *uid && !by_number) by_number = entry;
  }
  return by_number;
}

struct GroupEntry {
  std::string_view name, members;
  gid_t gid = 0;
};

std::optional<GroupEntry> parseGroup(std::string_view line) {
  GroupEntry entry;
  entry.name = cut(line, ':');
  cut(line, ':');
  const auto gid = number(cut(line, ':'));
  entry.members = cut(line, ':');
  if (entry.name.empty() || !gid) return std::nullopt;
  entry.gid = *gid;
  return entry;
}

gid_t findGroup(std::string_view which, std::string_view group) {
  while (!group.empty()) {
    const auto entry = parseGroup(cut(group, '\n'));
    if (entry && entry->name == which) return entry->gid;
  }
  if (const auto gid = number(which)) return *gid;
  throw UnknownUser("no group \"" + std::string(which) +
                    "\" in the image's /etc/group; use its number or another image");
}

std::vector<gid_t> groupsOf(std::string_view name, std::string_view group) {
  std::vector<gid_t> groups;
  while (!group.empty() && groups.size() < kMaxGroups) {
    const auto entry = parseGroup(cut(group, '\n'));
    if (!entry) continue;
    for (auto members = entry->members; !members.empty();)
      if (cut(members, ',') == name) {
        groups.push_back(entry->gid);
        break;
      }
  }
  return groups;
}

}  // namespace

User resolveUser(const std::string& spec, const std::string& passwd, const std::string& group) {
  std::string_view rest = spec;
  const bool has_group = rest.find(':') != rest.npos;
  std::string_view who = cut(rest, ':');
  if (who.empty()) who = "0";

  User user;
  const auto entry = findUser(who, passwd);
  const auto uid = number(who);
  if (!entry && !uid)
    throw UnknownUser("no user \"" + std::string(who) + "\" in the image's /etc/passwd; use a number or another image");
  user.uid = entry ? entry->uid : *uid;
  user.gid = entry ? entry->gid : 0;
  user.name = entry ? std::string(entry->name) : std::to_string(user.uid);
  if (entry) user.home = entry->home;
  if (has_group && !rest.empty())
    user.gid = findGroup(rest, group);
  else if (entry)
    user.groups = groupsOf(entry->name, group);
  return user;
}

User resolveUser(const std::string& spec) {
  return resolveUser(spec, readSmallFile("/etc/passwd", kMaxFile).value_or(""),
                     readSmallFile("/etc/group", kMaxFile).value_or(""));
}

}  // namespace ocelot::guest
