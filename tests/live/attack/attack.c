// Tries to get at process 1 of its container, the guest: its memory, its descriptors, its obedience. Prints a line
// "FORGED …" for each way that works; exit status 0 whatever happened, because the caller reads the lines.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void report(const char* how, int worked) {
  if (worked) {
    printf("FORGED by %s\n", how);
  } else {
    printf("refused: %s: %s\n", how, strerror(errno));
  }
  fflush(stdout);
}

int main(void) {
  char bytes[64] = "forged";
  struct iovec mine = {bytes, sizeof bytes};
  struct iovec theirs = {(void*)0x400000, sizeof bytes};
  report("ptrace", ptrace(PTRACE_ATTACH, 1, 0, 0) == 0);
  report("PTRACE_SEIZE", ptrace(PTRACE_SEIZE, 1, 0, 0) == 0);
  report("process_vm_readv", process_vm_readv(1, &mine, 1, &theirs, 1, 0) > 0);
  report("process_vm_writev", process_vm_writev(1, &mine, 1, &theirs, 1, 0) > 0);
  const int memory = open("/proc/1/mem", O_RDWR);
  report("/proc/1/mem", memory >= 0 && pwrite(memory, bytes, sizeof bytes, 0x400000) > 0);
  const int environment = open("/proc/1/environ", O_RDONLY);
  report("/proc/1/environ", environment >= 0 && read(environment, bytes, sizeof bytes) > 0);
  const int guest = (int)syscall(SYS_pidfd_open, 1, 0);
  int taken = 0;
  for (int fd = 0; fd < 64 && guest >= 0; ++fd) taken += syscall(SYS_pidfd_getfd, guest, fd, 0) >= 0;
  report("pidfd_getfd", taken > 0);
  for (int fd = 0; fd < 64; ++fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/1/fd/%d", fd);
    const int opened = open(path, O_WRONLY | O_APPEND);
    if (opened >= 0) report(path, 1);
  }
  return 0;
}
