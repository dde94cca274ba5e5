#pragma once
// What the operator can say about an instance of this plugin.

#include "ocelot/abi/option.h"

namespace ocelot::vcs_git {

inline constexpr ocelot_option kOptions[] = {
    {"cache", OCELOT_PATH, 0, nullptr,
     "folder for mirrors of the repositories; unset: ocelot-git-<uid> in the folder for temporary files"},
    {"local_repos", OCELOT_LIST, 0, nullptr, "folders at or below which repositories may be given as local paths"},
    {"allow_http", OCELOT_FLAG, 0, "false", "also accept http:// URLs, which can be read and changed on their way"},
    {"username", OCELOT_TEXT, 0, nullptr, "user for https, beside the password"},
    {"password", OCELOT_TEXT, OCELOT_SECRET, nullptr, "password or token for https"},
    {"ssh_key", OCELOT_TEXT, OCELOT_SECRET, nullptr, "private key for ssh, without a passphrase"},
    {"known_hosts", OCELOT_TEXT, 0, nullptr, "lines of an ssh known_hosts file; a host that is not in it is refused"},
    {"hook_secret", OCELOT_TEXT, OCELOT_SECRET, nullptr,
     "shared with whoever sends webhooks; without it none is accepted"},
    {"timeout", OCELOT_DURATION, 0, "10m", "how long one question to a repository may take"},
    {nullptr, 0, 0, nullptr, nullptr}};

}  // namespace ocelot::vcs_git
