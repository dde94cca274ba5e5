#pragma once
// A class derived from ocelot::Runtime as the C table "ocelot.runtime/1", and as "ocelot.runtime.images/1" when it also
// derives from ocelot::RuntimeImages.

#include "ocelot/bind/export.hpp"
#include "ocelot/bind/values_runtime.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

inline ProgressSink progressTo(const ocelot_pull_progresses* sink) {
  return [sink](const PullProgress& progress) { emit(sink, wire(progress)); };
}

template <class Class>
struct RuntimeImagesExport {
  using Handle = ocelot_runtime_handle;
  using Own = Handles<Class, Handle>;

  static ocelot_status importImage(Handle* handle, ocelot_call* call, ocelot_str source, ocelot_str reference,
                                   const ocelot_pull_progresses* progress, const ocelot_images* out) {
    return answer(call, "import_image", [&](Call& lent) {
      const Image image = Own::of(handle).importImage(lent, text(source), text(reference), progressTo(progress));
      emit(out, static_cast<const ocelot_image&>(ImageWire(image)));  // lends: the image must outlive it
    });
  }
  static ocelot_status listImages(Handle* handle, ocelot_call* call, const ocelot_stored_images* out) {
    return answer(call, "list_images", [&](Call& lent) {
      for (const StoredImage& image : Own::of(handle).listImages(lent)) emit(out, wire(image));
    });
  }
  static ocelot_status removeImage(Handle* handle, ocelot_call* call, ocelot_str reference) {
    return answer(call, "remove_image", [&](Call& lent) { Own::of(handle).removeImage(lent, text(reference)); });
  }
};

template <class Class>
struct RuntimeExport {
  static_assert(std::is_base_of_v<Runtime, Class>, "a runtime plugin's class derives from ocelot::Runtime");
  static_assert(std::is_constructible_v<Class, const Settings&>,
                "a plugin's class has a constructor that takes const ocelot::Settings&");
  using Handle = ocelot_runtime_handle;
  using Own = Handles<Class, Handle>;

  static const void* query(const char* id) {
    static const ocelot_runtime table{
        sizeof(ocelot_runtime), &Own::create, &Own::destroy, &probe, &pull, &start, &wait, &kill, &remove, &list};
    const std::string_view asked = id == nullptr ? "" : id;
    if (asked == OCELOT_RUNTIME) return &table;
    if constexpr (std::is_base_of_v<RuntimeImages, Class>) {
      using Images = RuntimeImagesExport<Class>;
      static const ocelot_runtime_images images{sizeof(ocelot_runtime_images), &Images::importImage,
                                                &Images::listImages, &Images::removeImage};
      if (asked == OCELOT_RUNTIME_IMAGES) return &images;
    }
    return nullptr;
  }

 private:
  static ocelot_status probe(Handle* handle, ocelot_call* call, const ocelot_facts* out) {
    return answer(call, "probe", [&](Call& lent) {
      const RuntimeFacts facts = Own::of(handle).probe(lent);
      emit(out, static_cast<const ocelot_runtime_facts&>(FactsWire(facts)));
    });
  }
  static ocelot_status pull(Handle* handle, ocelot_call* call, const ocelot_image_request* request,
                            const ocelot_pull_progresses* progress, const ocelot_images* out) {
    return answer(call, "pull", [&](Call& lent) {
      const Image image = Own::of(handle).pull(lent, imageRequestFrom(seen(request)), progressTo(progress));
      emit(out, static_cast<const ocelot_image&>(ImageWire(image)));
    });
  }
  static ocelot_status start(Handle* handle, ocelot_call* call, const ocelot_container_spec* spec) {
    return answer(call, "start", [&](Call& lent) { Own::of(handle).start(lent, specFrom(seen(spec))); });
  }
  static ocelot_status wait(Handle* handle, ocelot_call* call, ocelot_str name, ocelot_exit* out) {
    return answer(call, "wait", [&](Call& lent) {
      const Exit ended = Own::of(handle).wait(lent, view(name));
      ocelot_exit wire{sizeof(ocelot_exit), ended.known ? 1 : 0, ended.code, ended.out_of_memory ? 1 : 0};
      wire.size = out->size < sizeof wire ? out->size : static_cast<std::uint32_t>(sizeof wire);
      std::memcpy(out, &wire, wire.size);
    });
  }
  static ocelot_status kill(Handle* handle, ocelot_call* call, ocelot_str name, std::int32_t signal) {
    return answer(call, "kill", [&](Call& lent) { Own::of(handle).kill(lent, view(name), signal); });
  }
  static ocelot_status remove(Handle* handle, ocelot_call* call, ocelot_str name) {
    return answer(call, "remove", [&](Call& lent) { Own::of(handle).remove(lent, view(name)); });
  }
  static ocelot_status list(Handle* handle, ocelot_call* call, ocelot_str owner, const ocelot_containers* out) {
    return answer(call, "list", [&](Call& lent) {
      for (const Container& container : Own::of(handle).list(lent, view(owner)))
        emit(out, static_cast<const ocelot_container&>(ContainerWire(container)));
    });
  }
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
