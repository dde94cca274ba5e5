#pragma once
// The plugin's end of the wire, for every kind: an object of the author's class behind an opaque handle.

#include "ocelot/bind/host.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

// What a handle points to. Host and settings live as long as the object, which may keep references to them.
template <class Class>
class Exported {
 public:
  Exported(const ocelot_host* host, const ocelot_settings* settings)
      : host_(host), settings_(settingsFrom(settings, host_)), object(settings_) {}

 private:
  LentHost host_;
  Settings settings_;

 public:
  Class object;
};

template <class Class, class Handle>
struct Handles {
  static ocelot_status create(ocelot_call* call, const ocelot_host* host, const ocelot_settings* settings,
                              Handle** out) {
    return answer(call, "create",
                  [&](Call&) { *out = reinterpret_cast<Handle*>(new Exported<Class>(host, settings)); });
  }
  static void destroy(Handle* handle) {
    guarded(
        "destroy", [](const char*) {}, [&] { delete reinterpret_cast<Exported<Class>*>(handle); });
  }
  static Class& of(Handle* handle) { return reinterpret_cast<Exported<Class>*>(handle)->object; }
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
