#pragma once
// Whom the store logs in as, where that changes while the program runs: accounts that are made for a while and end.

#include <memory>
#include <string>

namespace ocelot::store {

struct Account {
  std::string user, password;
};

// [any] thread. An account is the same as another one when it is the same object.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // For connections that are opened now. May fetch one. Throws store::Unavailable, and store::Refused when somebody has
  // to mend something first.
  virtual std::shared_ptr<const Account> account() = 0;
  // True once there is another one: connections that were opened with this one are to be replaced while they still
  // serve. Never waits. An account that has ended without another in its place is not superseded: what is open may go
  // on.
  virtual bool superseded(const std::shared_ptr<const Account>& account) const = 0;
  // The server does not take this one, or does not let it do its work: whether it has ended early is found out, and
  // account() gives another one then.
  virtual void doubt(const std::shared_ptr<const Account>& account) = 0;
  // Why accounts cannot be had or kept now, "" when they can: for /readyz. Never throws.
  virtual std::string trouble() = 0;
};

}  // namespace ocelot::store
