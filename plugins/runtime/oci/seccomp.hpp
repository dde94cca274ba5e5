#pragma once
// The default seccomp profile. It is compiled here, once per process, to a BPF program that crun takes as it is:
// letting crun compile the same profile from JSON through libseccomp costs about 25 ms at every start, half of a
// container. Anything not allowed fails with EPERM; a call newer than the profile with ENOSYS, so that libc falls back.

#include <cstddef>
#include <string>
#include <vector>

namespace ocelot::oci {

struct Syscall {
  const char* name;
  int number;
};

std::vector<Syscall> nativeSyscalls();  // what the profile allows, of this machine's architecture
std::vector<Syscall> compatSyscalls();  // the same for 32-bit programs; empty where there are none

// The profile as the bytes of an array of sock_filter.
std::string seccompProgram();
const std::string& seccompProgramBase64();

}  // namespace ocelot::oci
