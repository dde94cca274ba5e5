// A provider that throws something else from every member; nothing of it may reach the host but a status and a
// sentence.

#include <new>
#include <ocelot/plugin.hpp>
#include <ocelot/vcs.hpp>
#include <stdexcept>

namespace {

struct NoException {};

class Throwing final : public ocelot::Vcs {
 public:
  explicit Throwing(const ocelot::Settings& settings) {
    if (settings.text("refuse") == "error")
      throw ocelot::Error(ocelot::Status::invalid, "refuse: the settings will not do");
    if (settings.text("refuse") == "int") throw 42;
  }
  void verifyHook(ocelot::Call&, const ocelot::Hook&) override {
    throw ocelot::Error(ocelot::Status::unauthenticated, "no signature");
  }
  std::vector<ocelot::Change> parseHook(ocelot::Call&, const ocelot::Hook&) override {
    throw std::runtime_error("parser at its wits' end");
  }
  ocelot::Repo identify(ocelot::Call&, std::string_view) override { throw 42; }
  std::vector<ocelot::Head> heads(ocelot::Call&, const ocelot::Repo&) override { throw NoException{}; }
  std::string resolve(ocelot::Call&, const ocelot::Repo&, std::string_view) override { throw std::bad_alloc(); }
  std::string readFile(ocelot::Call&, const ocelot::Commit&, std::string_view, std::uint64_t) override {
    return std::string().substr(1);
  }
  ocelot::Change changes(ocelot::Call&, const ocelot::Commit&, std::string_view) override {
    throw ocelot::Error(ocelot::Status::ok, "an error that says it is none");
  }
  ocelot::CloneAccess clone(ocelot::Call&, const ocelot::Repo&) override {
    throw ocelot::Error(ocelot::Status::internal, std::string(100000, 'x'));
  }
};

const ocelot_option kOptions[] = {{"refuse", OCELOT_TEXT, 0, nullptr, "how the constructor throws"}, {}};

}  // namespace

OCELOT_VCS_PLUGIN(Throwing, "org.ocelot.test.throwing", "1.0.0", "A provider that throws from every member", kOptions)
