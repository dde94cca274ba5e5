#pragma once
// The values of a Vcs in both forms. A …Wire borrows from the value it is made of.

#include "ocelot/abi/vcs.h"
#include "ocelot/bind/common.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

inline ocelot_repo wire(const Repo& repo) { return {sizeof(ocelot_repo), str(repo.name), str(repo.url)}; }
inline Repo repoFrom(const ocelot_repo& lent) { return {text(lent.name), text(lent.url)}; }

class CommitWire : public ocelot_commit {
 public:
  explicit CommitWire(Commit&&) = delete;  // it borrows
  explicit CommitWire(const Commit& commit) : ocelot_commit{}, repo_(wire(commit.repo)) {
    size = sizeof(ocelot_commit);
    repo = &repo_;
    id = str(commit.id);
  }
  CommitWire(const CommitWire&) = delete;
  CommitWire& operator=(const CommitWire&) = delete;

 private:
  ocelot_repo repo_;
};
inline Commit commitFrom(const ocelot_commit& lent) { return {repoFrom(seen(lent.repo)), text(lent.id)}; }

inline ocelot_head wire(const Head& head) { return {sizeof(ocelot_head), str(head.branch), str(head.commit)}; }
inline Head headFrom(const ocelot_head& lent) { return {text(lent.branch), text(lent.commit)}; }

class HookWire : public ocelot_hook {
 public:
  explicit HookWire(Hook&&) = delete;  // it borrows
  explicit HookWire(const Hook& hook) : ocelot_hook{}, headers_(hook.headers) {
    size = sizeof(ocelot_hook);
    headers = headers_.get();
    body = str(hook.body);
  }

 private:
  LentPairs headers_;
};
inline Hook hookFrom(const ocelot_hook& lent) {
  return {pairs(lent.headers, kMostPairs, "headers of a hook"), text(lent.body)};
}

class ChangeWire : public ocelot_change {
 public:
  explicit ChangeWire(Change&&) = delete;  // it borrows
  explicit ChangeWire(const Change& change)
      : ocelot_change{}, repo_(wire(change.repo)), messages_(change.messages), files_(change.files) {
    size = sizeof(ocelot_change);
    kind = static_cast<std::int32_t>(change.kind);
    repo = &repo_;
    branch = str(change.branch);
    commit = str(change.commit);
    before = str(change.before);
    author = str(change.author);
    message = str(change.message);
    messages = messages_.get();
    files = files_.get();
    files_cut = change.files_complete ? 0 : 1;
  }
  ChangeWire(const ChangeWire&) = delete;
  ChangeWire& operator=(const ChangeWire&) = delete;

 private:
  ocelot_repo repo_;
  LentTexts messages_, files_;
};
inline Change changeFrom(const ocelot_change& lent) {
  if (lent.kind < OCELOT_CHANGE_PUSH || lent.kind > OCELOT_CHANGE_SCHEDULE)
    throw Error(Status::internal, "a change of kind " + std::to_string(lent.kind) + ", which does not exist");
  Change change;
  change.kind = static_cast<Change::Kind>(lent.kind);
  change.repo = repoFrom(seen(lent.repo));
  change.branch = text(lent.branch);
  change.commit = text(lent.commit);
  change.before = text(lent.before);
  change.author = text(lent.author);
  change.message = text(lent.message);
  change.messages = texts(lent.messages, kMostMessages, "messages of a change");
  change.files = texts(lent.files, kMostFiles, "files of a change");
  change.files_complete = lent.files_cut == 0;
  return change;
}

inline ocelot_clone_access wire(const CloneAccess& access) {
  return {sizeof(ocelot_clone_access), str(access.url),     str(access.username),
          str(access.password),        str(access.ssh_key), str(access.known_hosts)};
}
inline CloneAccess cloneAccessFrom(const ocelot_clone_access& lent) {
  return {text(lent.url), text(lent.username), text(lent.password), text(lent.ssh_key), text(lent.known_hosts)};
}

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
