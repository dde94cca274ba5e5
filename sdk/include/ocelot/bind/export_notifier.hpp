#pragma once
// A class derived from ocelot::Notifier as the C table "ocelot.notifier/1".

#include "ocelot/bind/export.hpp"
#include "ocelot/bind/values_notifier.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

template <class Class>
struct NotifierExport {
  static_assert(std::is_base_of_v<Notifier, Class>, "a notifier plugin's class derives from ocelot::Notifier");
  static_assert(std::is_constructible_v<Class, const Settings&>,
                "a plugin's class has a constructor that takes const ocelot::Settings&");
  using Handle = ocelot_notifier_handle;
  using Own = Handles<Class, Handle>;

  static const void* query(const char* id) {
    static const ocelot_notifier table{sizeof(ocelot_notifier), &Own::create, &Own::destroy, &tell};
    return id != nullptr && std::string_view(id) == OCELOT_NOTIFIER ? &table : nullptr;
  }

 private:
  static ocelot_status tell(Handle* handle, ocelot_call* call, const ocelot_build_notice* notice, ocelot_str target) {
    return answer(call, "tell",
                  [&](Call& lent) { Own::of(handle).tell(lent, noticeFrom(seen(notice)), text(target)); });
  }
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
