#pragma once
// The C table "ocelot.runtime/1" as an ocelot::Runtime; with "ocelot.runtime.images/1" also as an
// ocelot::RuntimeImages.

#include "ocelot/bind/imported.hpp"
#include "ocelot/bind/values_runtime.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

inline const ocelot_pull_progresses* progressSink(Wire::Loans& loans, const ProgressSink& progress) {
  return loans.sink<ocelot_pull_progresses, ocelot_pull_progress>([&progress](const ocelot_pull_progress& step) {
    if (progress) progress(progressFrom(step));
  });
}

class ImportedRuntime : public Runtime {
 public:
  // `table` lives for ever; `settings.host()` outlives this object. Throws what create() refused with.
  ImportedRuntime(const ocelot_runtime* table, std::string who, const Settings& settings,
                  Misbehaviour misbehaviour = {})
      : table_(seen(table)), wire_(std::move(who), std::move(misbehaviour)), own_(table_, wire_, settings) {}

  RuntimeFacts probe(Call& call) override {
    return wire_.callForOne<RuntimeFacts>(
        call, "probe", Wire::Turn::serial, [&](Wire::Loans& loans, std::optional<RuntimeFacts>& out) {
          const auto* sink = loans.one<ocelot_facts, ocelot_runtime_facts>(out, factsFrom);
          return table_.probe(handle(), loans.call(), sink);
        });
  }
  Image pull(Call& call, const ImageRequest& request, const ProgressSink& progress) override {
    const ocelot_image_request lent = wire(request);
    return wire_.callForOne<Image>(
        call, "pull", Wire::Turn::serial, [&](Wire::Loans& loans, std::optional<Image>& out) {
          const auto* sink = loans.one<ocelot_images, ocelot_image>(out, imageFrom);
          return table_.pull(handle(), loans.call(), &lent, progressSink(loans, progress), sink);
        });
  }
  void start(Call& call, const ContainerSpec& spec) override {
    const SpecWire lent(spec);
    wire_.call(call, "start", Wire::Turn::serial,
               [&](Wire::Loans& loans) { return table_.start(handle(), loans.call(), &lent); });
  }
  Exit wait(Call& call, std::string_view name) override {
    ocelot_exit out{sizeof(ocelot_exit), 0, 0, 0};
    wire_.call(call, "wait", Wire::Turn::any,
               [&](Wire::Loans& loans) { return table_.wait(handle(), loans.call(), str(name), &out); });
    return {out.known != 0, out.code, out.out_of_memory != 0};
  }
  void kill(Call& call, std::string_view name, int signal) override {
    wire_.call(call, "kill", Wire::Turn::any,
               [&](Wire::Loans& loans) { return table_.kill(handle(), loans.call(), str(name), signal); });
  }
  void remove(Call& call, std::string_view name) override {
    wire_.call(call, "remove", Wire::Turn::any,
               [&](Wire::Loans& loans) { return table_.remove(handle(), loans.call(), str(name)); });
  }
  std::vector<Container> list(Call& call, std::string_view owner) override {
    std::vector<Container> all;
    wire_.call(call, "list", Wire::Turn::any, [&](Wire::Loans& loans) {
      const auto* sink = loans.sink<ocelot_containers, ocelot_container>([&](const ocelot_container& container) {
        if (all.size() == kMostContainers) throw Error(Status::internal, "more than 100000 containers");
        all.push_back(containerFrom(container));
      });
      return table_.list(handle(), loans.call(), str(owner), sink);
    });
    return all;
  }

 protected:
  ocelot_runtime_handle* handle() const { return own_.get(); }
  Wire& calls() { return wire_; }

 private:
  const ocelot_runtime table_;
  Wire wire_;
  ImportedHandle<ocelot_runtime, ocelot_runtime_handle> own_;
};

class ImportedRuntimeWithImages final : public ImportedRuntime, public RuntimeImages {
 public:
  ImportedRuntimeWithImages(const ocelot_runtime* table, const ocelot_runtime_images* images, std::string who,
                            const Settings& settings, Misbehaviour misbehaviour = {})
      : ImportedRuntime(table, std::move(who), settings, std::move(misbehaviour)), images_(seen(images)) {}

  Image importImage(Call& call, const std::string& source, const std::string& reference,
                    const ProgressSink& progress) override {
    return calls().callForOne<Image>(call, "import_image", Wire::Turn::serial,
                                     [&](Wire::Loans& loans, std::optional<Image>& out) {
                                       const auto* sink = loans.one<ocelot_images, ocelot_image>(out, imageFrom);
                                       return images_.import_image(handle(), loans.call(), str(source), str(reference),
                                                                   progressSink(loans, progress), sink);
                                     });
  }
  std::vector<StoredImage> listImages(Call& call) override {
    std::vector<StoredImage> all;
    calls().call(call, "list_images", Wire::Turn::serial, [&](Wire::Loans& loans) {
      const auto* sink = loans.sink<ocelot_stored_images, ocelot_stored_image>([&](const ocelot_stored_image& image) {
        if (all.size() == kMostContainers) throw Error(Status::internal, "more than 100000 images");
        all.push_back(storedImageFrom(image));
      });
      return images_.list_images(handle(), loans.call(), sink);
    });
    return all;
  }
  void removeImage(Call& call, const std::string& reference) override {
    calls().call(call, "remove_image", Wire::Turn::serial,
                 [&](Wire::Loans& loans) { return images_.remove_image(handle(), loans.call(), str(reference)); });
  }

 private:
  const ocelot_runtime_images images_;
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
