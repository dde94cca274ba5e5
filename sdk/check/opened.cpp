#include "check/opened.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "check/contract.hpp"
#include "check/elf.hpp"
#include "ocelot/call.hpp"

namespace ocelot::check {
namespace {

std::string demangled(const std::string& symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 && text != nullptr ? text : symbol;
  std::free(text);
  return name;
}

}  // namespace

std::vector<int> majorsOf(void* handle) {
  std::vector<int> majors;
  for (int major = 1; major <= 9; ++major)
    if (dlsym(handle, ("ocelot_plugin_v" + std::to_string(major)).c_str()) != nullptr) majors.push_back(major);
  return majors;
}

std::string loaderMessage(const std::string& said) {
  static const std::string kUndefined = "undefined symbol: ";
  static const std::string kMissing = ": cannot open shared object file";
  const auto undefined = said.find(kUndefined);
  if (undefined != std::string::npos) {
    const auto begin = undefined + kUndefined.size();
    const auto end = said.find_first_of(" ,)", begin);
    return "it uses " + demangled(said.substr(begin, end == std::string::npos ? end : end - begin)) +
           ", which neither it nor the libraries it is linked with define (link with -Wl,-z,defs to see this when "
           "building)";
  }
  const auto missing = said.find(kMissing);
  if (missing != std::string::npos) {
    auto begin = said.rfind(' ', missing - 1);
    begin = begin == std::string::npos ? 0 : begin + 1;
    return "it needs " + said.substr(begin, missing - begin) + ", which is not installed";
  }
  return "the loader refuses it: " + said;
}

const ocelot_plugin& open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(errno == ENOENT ? Status::not_found : Status::invalid, path + ": " + std::strerror(errno));
  const std::string fault = elfFault(fd);
  ::close(fd);
  if (!fault.empty()) throw Error(Status::invalid, path + ": " + fault);
  // With a slash: a bare name would be searched for in the system's folders.
  const std::string place = path.find('/') == std::string::npos ? "./" + path : path;
  void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Error(Status::invalid, path + ": " + loaderMessage(dlerror()));
  const auto* plugin = static_cast<const ocelot_plugin*>(dlsym(handle, "ocelot_plugin_v1"));
  if (plugin == nullptr) throw Error(Status::invalid, path + ": " + wrongMajor(majorsOf(handle)));
  std::string sentences;
  for (const std::string& sentence : faultsOf(plugin))
    sentences += (sentences.empty() ? "" : "\n") + path + ": " + sentence;
  if (!sentences.empty()) throw Error(Status::invalid, sentences);
  return *plugin;
}

}  // namespace ocelot::check
