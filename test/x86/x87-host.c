/* Runs the x87 cases of an image (layout: x87-image.ts) on the processor of this x86-64 machine and writes the outcome back. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { SNIPPETS = 0x100000, COUNT = 0x10fff0, CASES = 0x200000, SIZE = 160, EAX = 4, EFLAGS = 8, STATE = 16, MEMORY = 128 };

int main(int argc, char **argv) {
  struct stat st;
  int fd = open(argv[argc - 1], O_RDWR);
  if (fd < 0 || fstat(fd, &st) < 0) return 1;
  uint8_t *ram = mmap(0, st.st_size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, fd, 0);
  if (ram == MAP_FAILED) return 1;
  uint32_t count = *(uint32_t *)(ram + COUNT);
  for (uint32_t n = 0; n < count; n++) {
    uint8_t *c = ram + CASES + (uint64_t)n * SIZE;
    uint64_t code = (uint64_t)(ram + SNIPPETS + 16ull * *(uint32_t *)c);
    uint64_t eax = *(uint32_t *)(c + EAX), flags = *(uint32_t *)(c + EFLAGS);
    __asm__ volatile(
        "sub $128, %%rsp\n\t"
        "frstor (%[state])\n\t"
        "push %[flags]\n\tpopf\n\t"
        "call *%[code]\n\t"
        "pushf\n\tpop %[flags]\n\t"
        "fnsave (%[state])\n\t"
        "add $128, %%rsp\n\t"
        : [flags] "+r"(flags), "+a"(eax)
        : [code] "r"(code), [state] "r"(c + STATE), "b"(c + MEMORY)
        : "memory", "cc");
    *(uint32_t *)(c + EAX) = (uint32_t)eax;
    *(uint32_t *)(c + EFLAGS) = (uint32_t)flags;
  }
  return 0;
}
