#include "host/plugin/plugin_library.hpp"

#include <boost/dll/shared_library.hpp>
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
namespace {

namespace dll = boost::dll;

// The loader's own words inside Boost's: "… (dlerror system message: WORDS): Bad file descriptor".
std::string saidIn(const std::string& message) {
  static const std::string kBefore = "dlerror system message: ";
  const auto begin = message.find(kBefore);
  if (begin == std::string::npos) return message;
  const auto from = begin + kBefore.size();
  return message.substr(from, message.rfind("): ") - from);
}

// The library of an open file, for ever. *Rationale:* loaded by /proc/self/fd/N, so that the file is the one that was
// checked. The loader takes a path it knows for the library that it loaded by it, and so N must never mean another
// file: the descriptor stays open. That costs one per plugin.
dll::shared_library& loadForEver(const std::string& path, OpenFile& file) {
  auto library = std::make_unique<dll::shared_library>();
  try {
    library->load("/proc/self/fd/" + std::to_string(file.fd()), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  } catch (const boost::system::system_error& error) {
    throw Error(Status::invalid, "plugin " + path + ": " + check::loaderMessage(saidIn(error.what())));
  }
  file.release();
  return *library.release();
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

PluginLibrary load(const std::string& path) {
  // One at a time: the loader's own lock does not cover the names under /proc/self/fd.
  static std::mutex loading;
  const std::lock_guard<std::mutex> lock(loading);
  OpenFile file = openTrusted(path);
  const std::string fault = check::elfFault(file.fd());
  if (!fault.empty()) throw Error(Status::invalid, "plugin " + path + ": " + fault);
  dll::shared_library& opened = loadForEver(path, file);
  if (!opened.has("ocelot_plugin_v1"))
    throw Error(Status::invalid, "plugin " + path + ": " + check::wrongMajor(check::majorsOf(opened.native())));
  const auto& descriptor = opened.get<const ocelot_plugin>("ocelot_plugin_v1");
  std::string sentences;
  for (const std::string& sentence : check::faultsOf(&descriptor))
    sentences += (sentences.empty() ? "" : "\n") + ("plugin " + path + ": " + sentence);
  if (!sentences.empty()) throw Error(Status::invalid, sentences);
  PluginLibrary library;
  library.path_ = std::make_shared<const std::string>(path);
  library.description_ = std::make_shared<const Description>(descriptionFrom(check::describe(descriptor)));
  library.descriptor_ = &descriptor;
  return library;
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
