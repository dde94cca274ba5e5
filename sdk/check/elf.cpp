#include "check/elf.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace ocelot::check {
namespace {

#if defined(__x86_64__)
constexpr int kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr int kMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr int kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr int kMachine = EM_S390;
#else
#error "name this machine's EM_ constant here"
#endif
constexpr unsigned char kOrder = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

std::string machineName(int machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_386:
      return "32-bit x86";
    case EM_AARCH64:
      return "64-bit ARM";
    case EM_ARM:
      return "32-bit ARM";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "64-bit PowerPC";
    case EM_S390:
      return "S/390";
    default:
      return "machine " + std::to_string(machine);
  }
}

bool readAt(int fd, std::uint64_t offset, void* out, std::size_t size) {
  auto* at = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got = pread(fd, at, size, static_cast<off_t>(offset));
    if (got <= 0) return false;
    at += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// Is [offset, offset + length) inside the file? Without overflow.
bool inside(std::uint64_t offset, std::uint64_t length, std::uint64_t file) {
  return offset <= file && length <= file - offset;
}

std::string cutOff(std::uint64_t size) {
  return "the file is cut off: its headers speak of bytes beyond its " + std::to_string(size) + "; copy it again";
}

std::uint64_t sizeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

std::string elfFault(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return "it is not a regular file";
  const std::uint64_t size = sizeOf(fd);
  if (size == 0) return "the file is empty";
  unsigned char mark[EI_NIDENT] = {};
  if (size < sizeof mark || !readAt(fd, 0, mark, sizeof mark) || std::memcmp(mark, ELFMAG, SELFMAG) != 0)
    return "it is not a shared object (no ELF mark at its beginning)";
  if (mark[EI_CLASS] != ELFCLASS64) return "it is built for a 32-bit machine, and this is a 64-bit program";
  if (mark[EI_DATA] != kOrder) return "it is built for a machine of the other byte order";
  Elf64_Ehdr head{};
  if (!inside(0, sizeof head, size) || !readAt(fd, 0, &head, sizeof head)) return cutOff(size);
  if (head.e_machine != kMachine)
    return "it is built for " + machineName(head.e_machine) + ", and this machine is " + machineName(kMachine);
  if (head.e_type == ET_EXEC) return "it is a program, not a shared object";
  if (head.e_type != ET_DYN) return "it is not a shared object (link it with -shared)";
  if (head.e_phnum == 0 || head.e_phentsize != sizeof(Elf64_Phdr)) return "its program headers make no sense";
  if (!inside(head.e_phoff, std::uint64_t{head.e_phnum} * sizeof(Elf64_Phdr), size)) return cutOff(size);
  bool dynamic = false;
  for (int i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr part{};
    if (!readAt(fd, head.e_phoff + static_cast<std::uint64_t>(i) * sizeof part, &part, sizeof part))
      return cutOff(size);
    if (part.p_type == PT_NULL) continue;
    if (part.p_type != PT_GNU_STACK && !inside(part.p_offset, part.p_filesz, size)) return cutOff(size);
    if (part.p_type == PT_INTERP) return "it is a program, not a shared object";
    if (part.p_type == PT_DYNAMIC) dynamic = true;
  }
  if (!dynamic) return "it has no dynamic section, so that it cannot be loaded";
  // The section headers stand at the end, so that a shortened file mostly shows here.
  if (head.e_shnum != 0 && !inside(head.e_shoff, std::uint64_t{head.e_shnum} * sizeof(Elf64_Shdr), size))
    return cutOff(size);
  return {};
}

std::vector<std::string> exportedSymbols(int fd) {
  const std::uint64_t size = sizeOf(fd);
  std::vector<std::string> names;
  Elf64_Ehdr head{};
  if (!readAt(fd, 0, &head, sizeof head) || head.e_shentsize != sizeof(Elf64_Shdr)) return names;
  std::vector<Elf64_Shdr> sections(head.e_shnum);
  if (!inside(head.e_shoff, sections.size() * sizeof(Elf64_Shdr), size)) return names;
  if (!sections.empty() && !readAt(fd, head.e_shoff, sections.data(), sections.size() * sizeof(Elf64_Shdr)))
    return names;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections.size()) continue;
    const Elf64_Shdr& strings = sections[section.sh_link];
    if (!inside(section.sh_offset, section.sh_size, size) || !inside(strings.sh_offset, strings.sh_size, size))
      continue;
    std::string text(strings.sh_size, '\0');
    std::vector<Elf64_Sym> symbols(section.sh_size / sizeof(Elf64_Sym));
    if (!readAt(fd, strings.sh_offset, text.data(), text.size()) ||
        !readAt(fd, section.sh_offset, symbols.data(), symbols.size() * sizeof(Elf64_Sym)))
      continue;
    for (const Elf64_Sym& symbol : symbols) {
      const bool visible = ELF64_ST_BIND(symbol.st_info) != STB_LOCAL && symbol.st_shndx != SHN_UNDEF &&
                           ELF64_ST_VISIBILITY(symbol.st_other) == STV_DEFAULT;
      if (visible && symbol.st_name < text.size()) names.emplace_back(text.c_str() + symbol.st_name);
    }
  }
  return names;
}

}  // namespace ocelot::check
