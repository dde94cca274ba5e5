#include "host/plugin/plugin_library.hpp"

#include <boost/dll/shared_library.hpp>
#include <list>
#include <mutex>

#include "check/contract.hpp"
#include "check/elf.hpp"
#include "check/opened.hpp"
#include "host/plugin/describing.hpp"
#include "host/plugin/trusted_file.hpp"
#include "ocelot/abi/plugin.h"
#include "ocelot/bind/import_notifier.hpp"
#include "ocelot/bind/import_runtime.hpp"
#include "ocelot/bind/import_vcs.hpp"

namespace ocelot::plugin {

namespace dll = boost::dll;

struct PluginLibrary::Loaded {
  std::string path;
  dll::shared_library library;
  Description description;
  const ocelot_plugin* descriptor = nullptr;
};

namespace {

// The loader's own words inside Boost's: "… (dlerror system message: WORDS): Bad file descriptor".
std::string saidIn(const std::string& message) {
  static const std::string kBefore = "dlerror system message: ";
  const auto begin = message.find(kBefore);
  if (begin == std::string::npos) return message;
  const auto from = begin + kBefore.size();
  return message.substr(from, message.rfind("): ") - from);
}

// *Rationale:* loaded by /proc/self/fd/N, so that the file is the one that was checked. The loader takes a path that it
// knows for the library that it loaded by it, and so N must never mean another file: the descriptor stays open. That
// costs one per plugin.
dll::shared_library open(const std::string& path, OpenFile& file) {
  dll::shared_library library;
  try {
    library.load("/proc/self/fd/" + std::to_string(file.fd()), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  } catch (const boost::system::system_error& error) {
    throw Error(Status::invalid, "plugin " + path + ": " + check::loaderMessage(saidIn(error.what())));
  }
  file.release();
  return library;
}

const void* interfaceOf(const PluginLibrary& library, const char* id, Kind kind) {
  const void* table = library.descriptor().query(id);
  if (table == nullptr)
    throw Error(Status::unsupported,
                "plugin " + library.path() + " is no " + std::string(nameOf(kind)) + " plugin: it offers no " + id);
  return table;
}

std::string who(const PluginLibrary& library, const Settings& settings) {
  return "plugin " + library.description().id + " (" + settings.instance() + ")";
}

}  // namespace

const std::string& PluginLibrary::path() const { return loaded_->path; }
const Description& PluginLibrary::description() const { return loaded_->description; }
const ocelot_plugin& PluginLibrary::descriptor() const { return *loaded_->descriptor; }

PluginLibrary load(const std::string& path) {
  // Never freed, and so never unloaded, not even at exit; refused ones too, whose constructors have run.
  static auto& all = *new std::list<PluginLibrary::Loaded>;
  static std::mutex loading;  // guards all
  OpenFile file = openTrusted(path);
  const std::string fault = check::elfFault(file.fd());
  if (!fault.empty()) throw Error(Status::invalid, "plugin " + path + ": " + fault);
  const std::lock_guard<std::mutex> lock(loading);
  dll::shared_library library = open(path, file);
  PluginLibrary::Loaded& loaded = all.emplace_back();
  loaded.path = path;
  loaded.library = std::move(library);
  if (!loaded.library.has("ocelot_plugin_v1"))
    throw Error(Status::invalid, "plugin " + path + ": " + check::wrongMajor(check::majorsOf(loaded.library.native())));
  loaded.descriptor = &loaded.library.get<const ocelot_plugin>("ocelot_plugin_v1");
  std::string sentences;
  for (const std::string& sentence : check::faultsOf(loaded.descriptor))
    sentences += (sentences.empty() ? "" : "\n") + ("plugin " + path + ": " + sentence);
  if (!sentences.empty()) throw Error(Status::invalid, sentences);
  loaded.description = descriptionFrom(check::describe(*loaded.descriptor));
  return PluginLibrary(loaded);
}

std::unique_ptr<Runtime> makeRuntime(const PluginLibrary& library, const Settings& settings,
                                     bind::Misbehaviour misbehaviour) {
  const auto* table = static_cast<const ocelot_runtime*>(interfaceOf(library, OCELOT_RUNTIME, Kind::runtime));
  const auto* images = static_cast<const ocelot_runtime_images*>(library.descriptor().query(OCELOT_RUNTIME_IMAGES));
  if (images != nullptr)
    return std::make_unique<bind::ImportedRuntimeWithImages>(table, images, who(library, settings), settings,
                                                             std::move(misbehaviour));
  return std::make_unique<bind::ImportedRuntime>(table, who(library, settings), settings, std::move(misbehaviour));
}

std::unique_ptr<Vcs> makeVcs(const PluginLibrary& library, const Settings& settings, bind::Misbehaviour misbehaviour) {
  const auto* table = static_cast<const ocelot_vcs*>(interfaceOf(library, OCELOT_VCS, Kind::vcs));
  return std::make_unique<bind::ImportedVcs>(table, who(library, settings), settings, std::move(misbehaviour));
}

std::unique_ptr<Notifier> makeNotifier(const PluginLibrary& library, const Settings& settings,
                                       bind::Misbehaviour misbehaviour) {
  const auto* table = static_cast<const ocelot_notifier*>(interfaceOf(library, OCELOT_NOTIFIER, Kind::notifier));
  return std::make_unique<bind::ImportedNotifier>(table, who(library, settings), settings, std::move(misbehaviour));
}

RuntimeImages* imagesOf(Runtime& runtime) { return dynamic_cast<RuntimeImages*>(&runtime); }

}  // namespace ocelot::plugin
