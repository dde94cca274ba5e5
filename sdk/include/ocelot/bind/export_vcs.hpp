#pragma once
// A class derived from ocelot::Vcs as the C table "ocelot.vcs/1".

#include "ocelot/bind/export.hpp"
#include "ocelot/bind/values_vcs.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

template <class Class>
struct VcsExport {
  static_assert(std::is_base_of_v<Vcs, Class>, "a VCS plugin's class derives from ocelot::Vcs");
  static_assert(std::is_constructible_v<Class, const Settings&>,
                "a plugin's class has a constructor that takes const ocelot::Settings&");
  using Handle = ocelot_vcs_handle;
  using Own = Handles<Class, Handle>;

  static const void* query(const char* id) {
    static const ocelot_vcs table{sizeof(ocelot_vcs), &Own::create, &Own::destroy, &verifyHook,
                                  &parseHook,         &identify,    &heads,        &resolve,
                                  &readFile,          &changes,     &clone};
    return id != nullptr && std::string_view(id) == OCELOT_VCS ? &table : nullptr;
  }

 private:
  static ocelot_status verifyHook(Handle* handle, ocelot_call* call, const ocelot_hook* hook) {
    return answer(call, "verify_hook", [&](Call& lent) { Own::of(handle).verifyHook(lent, hookFrom(seen(hook))); });
  }
  static ocelot_status parseHook(Handle* handle, ocelot_call* call, const ocelot_hook* hook,
                                 const ocelot_changes* out) {
    return answer(call, "parse_hook", [&](Call& lent) {
      for (const Change& change : Own::of(handle).parseHook(lent, hookFrom(seen(hook)))) put(out, change);
    });
  }
  static ocelot_status identify(Handle* handle, ocelot_call* call, ocelot_str name, const ocelot_repos* out) {
    return answer(call, "identify", [&](Call& lent) {
      const Repo repo = Own::of(handle).identify(lent, view(name));
      emit(out, wire(repo));
    });
  }
  static ocelot_status heads(Handle* handle, ocelot_call* call, const ocelot_repo* repo, const ocelot_heads* out) {
    return answer(call, "heads", [&](Call& lent) {
      for (const Head& head : Own::of(handle).heads(lent, repoFrom(seen(repo)))) emit(out, wire(head));
    });
  }
  static ocelot_status resolve(Handle* handle, ocelot_call* call, const ocelot_repo* repo, ocelot_str revision,
                               const ocelot_texts* out) {
    return answer(call, "resolve", [&](Call& lent) {
      const std::string commit = Own::of(handle).resolve(lent, repoFrom(seen(repo)), view(revision));
      emit(out, str(commit));
    });
  }
  static ocelot_status readFile(Handle* handle, ocelot_call* call, const ocelot_commit* commit, ocelot_str path,
                                std::uint64_t max_bytes, const ocelot_texts* out) {
    return answer(call, "read_file", [&](Call& lent) {
      const std::string content = Own::of(handle).readFile(lent, commitFrom(seen(commit)), view(path), max_bytes);
      emit(out, str(content));
    });
  }
  static ocelot_status changes(Handle* handle, ocelot_call* call, const ocelot_commit* commit, ocelot_str before,
                               const ocelot_changes* out) {
    return answer(call, "changes",
                  [&](Call& lent) { put(out, Own::of(handle).changes(lent, commitFrom(seen(commit)), view(before))); });
  }
  static ocelot_status clone(Handle* handle, ocelot_call* call, const ocelot_repo* repo,
                             const ocelot_clone_accesses* out) {
    return answer(call, "clone", [&](Call& lent) {
      const CloneAccess access = Own::of(handle).clone(lent, repoFrom(seen(repo)));
      emit(out, wire(access));
    });
  }
  static void put(const ocelot_changes* out, const Change& change) {
    const ChangeWire lent(change);
    emit(out, static_cast<const ocelot_change&>(lent));
  }
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
