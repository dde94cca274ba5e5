#include <asm/unistd.h>

#include "seccomp.hpp"

#if defined(__x86_64__)
#define OCELOT_SYSCALLS_X86
#endif

std::vector<ocelot::oci::Syscall> ocelot::oci::nativeSyscalls() {
#define SYSCALL(name) {#name, __NR_##name},
  return {
#include "syscalls.inc"
  };
#undef SYSCALL
}
