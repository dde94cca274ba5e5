#pragma once
// What can be known of a shared object before the loader runs any of it.

#include <string>
#include <vector>

namespace ocelot::check {

// "" when `fd` is a whole shared object for this machine, else a sentence. *Rationale:* the loader maps what the
// headers promise; where a file was cut off, touching the missing part is SIGBUS, and its own messages for a wrong
// machine say "no such file".
std::string elfFault(int fd);

// The symbols that it defines for others. Read from .dynsym, which survives stripping. Call after elfFault().
std::vector<std::string> exportedSymbols(int fd);

}  // namespace ocelot::check
