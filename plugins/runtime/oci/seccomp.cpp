#include "seccomp.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <openssl/evp.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace ocelot::oci {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kNativeArch = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kX32Bit = 0x40000000;
// clone, clone3, personality and socket of i386, whose headers cannot be included beside the native ones.
constexpr std::uint32_t kCompatClone = 120, kCompatClone3 = 435, kCompatPersonality = 136, kCompatSocket = 359;
#elif defined(__aarch64__)
constexpr std::uint32_t kNativeArch = AUDIT_ARCH_AARCH64;
#else
#error "the seccomp profile is written for x86_64 and aarch64"
#endif

constexpr std::uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArch = offsetof(seccomp_data, arch);
constexpr std::uint32_t kFirstArgument = offsetof(seccomp_data, args);  // its low half: little-endian machines only
constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

using Program = std::vector<sock_filter>;

void load(Program& program, std::uint32_t offset) { program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)); }
void answer(Program& program, std::uint32_t action) { program.push_back(BPF_STMT(BPF_RET | BPF_K, action)); }
// Skips `otherwise` instructions unless the comparison holds.
void when(Program& program, std::uint16_t comparison, std::uint32_t value, std::uint8_t otherwise) {
  program.push_back(sock_filter{static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), 0, otherwise, value});
}

struct Special {
  std::uint32_t clone, clone3, personality, socket;
};

// Decides about one architecture, with the call's number in the accumulator; ends in an answer on every way.
void decide(Program& program, const std::vector<Syscall>& allowed, const Special& special) {
  // A thread or a process is fine, a namespace is not. clone3 hides its flags behind a pointer: libc falls back.
  when(program, BPF_JEQ, special.clone, 4);
  load(program, kFirstArgument);
  when(program, BPF_JSET, kNewNamespaces, 1);
  answer(program, kDeny);
  answer(program, kAllow);
  when(program, BPF_JEQ, special.clone3, 1);
  answer(program, kUnknown);
  // Linux, 32-bit Linux, both as version 2.6, no address randomisation (debuggers), and the question. READ_IMPLIES_EXEC
  // and its kin weaken every later program.
  constexpr std::uint32_t kPersonalities[] = {0, 0x0008, 0x20000, 0x20008, ADDR_NO_RANDOMIZE, 0xffffffff};
  when(program, BPF_JEQ, special.personality, static_cast<std::uint8_t>(2 + 2 * std::size(kPersonalities)));
  load(program, kFirstArgument);
  for (const std::uint32_t personality : kPersonalities) {
    when(program, BPF_JEQ, personality, 1);
    answer(program, kAllow);
  }
  answer(program, kDeny);
  // vsock reaches the hypervisor, whatever the network says.
  when(program, BPF_JEQ, special.socket, 4);
  load(program, kFirstArgument);
  when(program, BPF_JEQ, AF_VSOCK, 1);
  answer(program, kDeny);
  answer(program, kAllow);

  std::vector<std::uint32_t> numbers;
  for (const Syscall& call : allowed) numbers.push_back(static_cast<std::uint32_t>(call.number));
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] <= numbers[last] + 1) ++last;
    when(program, BPF_JGE, numbers[i], 2);
    // The range's end is tested the other way round: greater skips the answer.
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, numbers[last], 1, 0));
    answer(program, kAllow);
    i = last + 1;
  }
  when(program, BPF_JGT, std::max(numbers.back(), special.clone3), 1);
  answer(program, kUnknown);
  answer(program, kDeny);
}

}  // namespace

std::string seccompProgram() {
  Program native;
#if defined(__x86_64__)
  when(native, BPF_JGE, kX32Bit, 1);
  answer(native, kUnknown);
#endif
  decide(native, nativeSyscalls(), {SYS_clone, SYS_clone3, SYS_personality, SYS_socket});

  Program program;
  load(program, kArch);
  // The native part may be longer than a conditional jump reaches: jump over an unconditional one.
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNativeArch, 0, 1));
  program.push_back(BPF_STMT(BPF_JMP | BPF_JA, 0));  // its length is known below
  const std::size_t jump = program.size() - 1;
#if defined(__x86_64__)
  when(program, BPF_JEQ, AUDIT_ARCH_I386, 0);
  const std::size_t compat_test = program.size() - 1;
  Program compat;
  load(compat, kNumber);
  decide(compat, compatSyscalls(), {kCompatClone, kCompatClone3, kCompatPersonality, kCompatSocket});
  program[compat_test].jf = 1;
  program.push_back(BPF_STMT(BPF_JMP | BPF_JA, 1));
  answer(program, SECCOMP_RET_KILL_PROCESS);
  program.insert(program.end(), compat.begin(), compat.end());
#else
  answer(program, SECCOMP_RET_KILL_PROCESS);
#endif
  program[jump].k = static_cast<std::uint32_t>(program.size() - jump - 1);
  load(program, kNumber);
  program.insert(program.end(), native.begin(), native.end());
  return std::string(reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter));
}

const std::string& seccompProgramBase64() {
  static const std::string text = [] {
    const std::string program = seccompProgram();
    std::string out(4 * ((program.size() + 2) / 3) + 1, '\0');
    const int written =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(program.data()), static_cast<int>(program.size()));
    out.resize(static_cast<std::size_t>(written));
    return out;
  }();
  return text;
}

}  // namespace ocelot::oci
