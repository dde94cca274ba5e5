// The file and what it declares.

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "check/contract.hpp"
#include "check/elf.hpp"
#include "check/opened.hpp"
#include "check/program/subject.hpp"
#include "check/program/suite.hpp"

namespace ocelot::check {
namespace {

void oneSymbol(Subject& subject) {
  const int fd = ::open(subject.path().c_str(), O_RDONLY | O_CLOEXEC);
  require(fd >= 0, "cannot be opened");
  const std::string fault = elfFault(fd);
  const auto names = fault.empty() ? exportedSymbols(fd) : std::vector<std::string>();
  ::close(fd);
  require(fault.empty(), fault);
  std::string others;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (name.rfind("ocelot_plugin_v", 0) == 0) continue;
    if (++count <= 5) others += " " + name;
  }
  require(count == 0, "it also exports" + others + (count > 5 ? " and " + std::to_string(count - 5) + " more" : "") +
                          "; link with the version script of ocelot_add_plugin");
}

void idsAreExact(Subject& subject) {
  const auto& plugin = subject.plugin();
  for (const char* id : {"", "ocelot", "ocelot.teapot/1", "OCELOT.VCS/1"})
    require(plugin.query(id) == nullptr, "query(\"" + std::string(id) + "\") gives a table");
  for (const std::string& known : interfacesOf(plugin))
    for (const std::string& id :
         {known + "0", known + "x", known + " ", known.substr(0, known.size() - 1), "x" + known})
      require(plugin.query(id.c_str()) == nullptr, "query(\"" + id + "\") gives a table: ids are compared whole");
}

void sameAnswer(Subject& subject) {
  const auto& plugin = subject.plugin();
  for (const std::string& id : interfacesOf(plugin)) {
    const void* first = plugin.query(id.c_str());
    for (int i = 0; i < 100; ++i)
      require(plugin.query(id.c_str()) == first, "query(\"" + id + "\") gives another table each time");
  }
  for (int i = 0; i < 100; ++i) require(&open(subject.path()) == &plugin, "loading it again gives another plugin");
}

void describedFast(Subject& subject) {
  const auto begin = std::chrono::steady_clock::now();
  describe(open(subject.path()));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  if (took.count() > 100)
    throw Warned("it took " + std::to_string(took.count()) +
                 " ms: work at load time slows every start of every daemon");
}

}  // namespace

std::vector<Test> libraryTests() {
  return {{"library.loads", "it loads, and what it declares is complete", [](Subject& subject) { subject.plugin(); }},
          {"library.one_symbol", "it exports nothing but its descriptor", oneSymbol},
          {"library.exact_ids", "ids that it does not know, or that only resemble one, give nothing", idsAreExact},
          {"library.same_answer", "asked a hundred times, it answers the same", sameAnswer},
          {"library.fast", "it is loaded and described in 100 ms", describedFast}};
}

}  // namespace ocelot::check
