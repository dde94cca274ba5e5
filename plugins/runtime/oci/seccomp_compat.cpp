// A file of its own, because the numbers of i386 have the same names as the native ones.
#if defined(__x86_64__)
#include <asm/unistd_32.h>
#define OCELOT_SYSCALLS_X86
#define OCELOT_SYSCALLS_I386
#endif

#include "seccomp.hpp"

std::vector<ocelot::oci::Syscall> ocelot::oci::compatSyscalls() {
#if defined(__x86_64__)
#define SYSCALL(name) {#name, __NR_##name},
  return {
#include "syscalls.inc"
  };
#undef SYSCALL
#else
  return {};
#endif
}
