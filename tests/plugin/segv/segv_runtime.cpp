// A runtime that crashes in start: that is to be the bad luck of one build, and of nothing else.

#include <csignal>
#include <cstdlib>
#include <ocelot/plugin.hpp>
#include <ocelot/runtime.hpp>

namespace {

class SegvRuntime final : public ocelot::Runtime {
 public:
  explicit SegvRuntime(const ocelot::Settings&) {}

  ocelot::RuntimeFacts probe(ocelot::Call&) override { return {"segv 1.0", true, "", {}}; }
  ocelot::Image pull(ocelot::Call&, const ocelot::ImageRequest& request, const ocelot::ProgressSink&) override {
    ocelot::Image image;
    image.reference = request.reference;
    image.digest = "sha256:" + std::string(64, '0');
    image.architecture = "amd64";
    return image;
  }
  void start(ocelot::Call&, const ocelot::ContainerSpec&) override {
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
    std::abort();
  }
  ocelot::Exit wait(ocelot::Call&, std::string_view name) override { throw none(name); }
  void kill(ocelot::Call&, std::string_view name, int) override { throw none(name); }
  void remove(ocelot::Call&, std::string_view) override {}
  std::vector<ocelot::Container> list(ocelot::Call&, std::string_view) override { return {}; }

 private:
  static ocelot::Error none(std::string_view name) {
    return {ocelot::Status::not_found, "segv: there is no container " + std::string(name)};
  }
};

const ocelot_option kOptions[] = {{}};

}  // namespace

OCELOT_RUNTIME_PLUGIN(SegvRuntime, "org.ocelot.test.segv", "1.0.0", "A runtime that crashes in start", kOptions)
