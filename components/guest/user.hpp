#pragma once
// Who a stage runs as. /etc/passwd and /etc/group are read here, not by the C library: in a static program its name
// service would load the image's shared libraries.

#include <sys/types.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace ocelot::guest {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
  std::string name;           // of /etc/passwd; the number when it has none
  std::string home;           // of /etc/passwd; "" when it has none
};

class UnknownUser : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `spec` as in an image's USER: "", "app", "1000", "app:staff", "1000:1000"; "" is root. A name is looked up before a
// number is taken as one; a number without an entry is itself, in group 0. A group that is given replaces all that
// /etc/group says. Throws UnknownUser, naming what is unknown.
User resolveUser(const std::string& spec);

// The same on given texts of the two files.
User resolveUser(const std::string& spec, const std::string& passwd, const std::string& group);

}  // namespace ocelot::guest
