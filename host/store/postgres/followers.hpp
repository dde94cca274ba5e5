#pragma once
// Who follows builds in this process, and the one connection that hears of changes for all of them.
//
// A writer notifies only of builds that somebody follows: commits that notify stand in one line, for the whole
// database. What is followed is told by advisory locks, which go by themselves when a follower dies. The listener holds
// a build's lock shared; a writer tries for the whole lock in its transaction, without waiting, and notifies when it is
// refused. A follower that comes in between waits for that transaction to end, and then sees what it wrote.

#include <memory>
#include <string>

#include "host/store/postgres/access.hpp"
#include "host/store/store.hpp"

namespace ocelot::store {

// An expression, 0 or 1, with the effect that followers of `build_id` (SQL: a text column or a placeholder) are told
// when the transaction commits.
std::string tellingFollowers(const std::string& build_id);

class PostgresFollowers {
 public:
  explicit PostgresFollowers(PostgresAccess& access);
  ~PostgresFollowers();
  PostgresFollowers(const PostgresFollowers&) = delete;
  PostgresFollowers& operator=(const PostgresFollowers&) = delete;

  // [any] The first one opens the connection, in a thread of its own; that one is tried again for as long as anybody
  // follows. Watches go before this does.
  std::unique_ptr<Watch> watch(const std::string& build_id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ocelot::store
