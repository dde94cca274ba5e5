#pragma once
// The C table "ocelot.vcs/1" as an ocelot::Vcs.

#include "ocelot/bind/imported.hpp"
#include "ocelot/bind/values_vcs.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

class ImportedVcs final : public Vcs {
 public:
  // `table` lives for ever; `settings.host()` outlives this object. Throws what create() refused with.
  ImportedVcs(const ocelot_vcs* table, std::string who, const Settings& settings, Misbehaviour misbehaviour = {})
      : table_(seen(table)), wire_(std::move(who), std::move(misbehaviour)), own_(table_, wire_, settings) {}

  void verifyHook(Call& call, const Hook& hook) override {
    if (table_.verify_hook == nullptr) return Vcs::verifyHook(call, hook);
    const HookWire lent(hook);
    wire_.call(call, "verify_hook", Wire::Turn::serial,
               [&](Wire::Loans& loans) { return table_.verify_hook(own_.get(), loans.call(), &lent); });
  }
  std::vector<Change> parseHook(Call& call, const Hook& hook) override {
    if (table_.parse_hook == nullptr) return Vcs::parseHook(call, hook);
    const HookWire lent(hook);
    std::vector<Change> all;
    wire_.call(call, "parse_hook", Wire::Turn::serial, [&](Wire::Loans& loans) {
      const auto* sink = loans.sink<ocelot_changes, ocelot_change>([&](const ocelot_change& change) {
        if (all.size() == kMostChanges) throw Error(Status::invalid, "a hook of more than 1000 changes");
        all.push_back(changeFrom(change));
      });
      return table_.parse_hook(own_.get(), loans.call(), &lent, sink);
    });
    return all;
  }
  Repo identify(Call& call, std::string_view name) override {
    return wire_.callForOne<Repo>(call, "identify", Wire::Turn::serial,
                                  [&](Wire::Loans& loans, std::optional<Repo>& out) {
                                    const auto* sink = loans.one<ocelot_repos, ocelot_repo>(out, repoFrom);
                                    return table_.identify(own_.get(), loans.call(), str(name), sink);
                                  });
  }
  std::vector<Head> heads(Call& call, const Repo& repo) override {
    const ocelot_repo lent = wire(repo);
    std::vector<Head> all;
    wire_.call(call, "heads", Wire::Turn::serial, [&](Wire::Loans& loans) {
      const auto* sink = loans.sink<ocelot_heads, ocelot_head>([&](const ocelot_head& head) {
        if (all.size() == kMostHeads) throw Error(Status::invalid, repo.name + ": more than 10000 branches");
        all.push_back(headFrom(head));
      });
      return table_.heads(own_.get(), loans.call(), &lent, sink);
    });
    return all;
  }
  std::string resolve(Call& call, const Repo& repo, std::string_view revision) override {
    const ocelot_repo lent = wire(repo);
    return callForText(call, "resolve", [&](Wire::Loans& loans, const ocelot_texts* sink) {
      return table_.resolve(own_.get(), loans.call(), &lent, str(revision), sink);
    });
  }
  std::string readFile(Call& call, const Commit& commit, std::string_view path, std::uint64_t max_bytes) override {
    const CommitWire lent(commit);
    std::string content = callForText(call, "read_file", [&](Wire::Loans& loans, const ocelot_texts* sink) {
      return table_.read_file(own_.get(), loans.call(), &lent, str(path), max_bytes, sink);
    });
    if (content.size() > max_bytes)
      throw Error(Status::internal, wire_.who() + ": read_file gave more bytes than it was asked for");
    return content;
  }
  Change changes(Call& call, const Commit& commit, std::string_view before) override {
    const CommitWire lent(commit);
    return wire_.callForOne<Change>(call, "changes", Wire::Turn::serial,
                                    [&](Wire::Loans& loans, std::optional<Change>& out) {
                                      const auto* sink = loans.one<ocelot_changes, ocelot_change>(out, changeFrom);
                                      return table_.changes(own_.get(), loans.call(), &lent, str(before), sink);
                                    });
  }
  CloneAccess clone(Call& call, const Repo& repo) override {
    const ocelot_repo lent = wire(repo);
    return wire_.callForOne<CloneAccess>(
        call, "clone", Wire::Turn::serial, [&](Wire::Loans& loans, std::optional<CloneAccess>& out) {
          const auto* sink = loans.one<ocelot_clone_accesses, ocelot_clone_access>(out, cloneAccessFrom);
          return table_.clone(own_.get(), loans.call(), &lent, sink);
        });
  }

 private:
  template <class Body>
  std::string callForText(Call& call, const char* member, Body&& body) {
    return wire_.callForOne<std::string>(
        call, member, Wire::Turn::serial, [&](Wire::Loans& loans, std::optional<std::string>& out) {
          return body(loans, loans.one<ocelot_texts, ocelot_str>(out, [](const ocelot_str& got) { return text(got); }));
        });
  }

  const ocelot_vcs table_;
  Wire wire_;
  ImportedHandle<ocelot_vcs, ocelot_vcs_handle> own_;
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
