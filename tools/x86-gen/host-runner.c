/*
 * Runs the cases of a memory image (image.ts) on the processor of this machine: x86-64 Linux only.
 * A signal handler enters and leaves 32-bit code by changing the interrupted context, so no 32-bit libraries are needed.
 * Usage: host-runner IMAGE. Results are written into the image.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

/* As in image.ts and runner.asm. */
enum { PARAMETERS = 0x500, IN_BYTES = 768, OUT_BYTES = 576, CODE = 0x310800 };
enum { IN_EFLAGS = 32, IN_EIP = 36, IN_FX = 64, IN_CODE = 128, IN_WINDOWS = 256 };
enum { OUT_EFLAGS = 32, OUT_EIP = 36, OUT_VECTOR = 40, OUT_ERROR = 44, OUT_CR2 = 48, OUT_WINDOWS = 64 };
/* Linux: selectors of 32-bit user code and flat data. */
enum { USER32_CS = 0x23, USER_DS = 0x2b };

static uint8_t *image;
static const uint8_t *input;
static uint8_t *output;
static ucontext_t outside;
static struct _libc_fpstate outside_fpu;

static uint32_t word(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

static void put(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }

/* Registers in the order EAX ECX EDX EBX ESP EBP ESI EDI. */
static const int ORDER[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI};

static void enter(ucontext_t *context) {
  greg_t *g = context->uc_mcontext.gregs;
  outside = *context;
  outside_fpu = *context->uc_mcontext.fpregs;
  for (int n = 0; n < 8; n++) g[ORDER[n]] = word(input + 4 * n);
  g[REG_EFL] = word(input + IN_EFLAGS) | 0x200;
  g[REG_RIP] = word(input + IN_EIP);
  g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffull) | USER32_CS;
  uint32_t fx = word(input + IN_FX);
  /* Reserved bytes at the end describe the kernel's own extended state: keep them. */
  if (fx != 0) memcpy(context->uc_mcontext.fpregs, image + fx, 416);
}

static void leave(ucontext_t *context) {
  greg_t *g = context->uc_mcontext.gregs;
  for (int n = 0; n < 8; n++) put(output + 4 * n, (uint32_t)g[ORDER[n]]);
  put(output + OUT_EFLAGS, (uint32_t)g[REG_EFL] & ~0x200u);
  put(output + OUT_EIP, (uint32_t)g[REG_RIP]);
  put(output + OUT_VECTOR, (uint32_t)g[REG_TRAPNO]);
  put(output + OUT_ERROR, (uint32_t)g[REG_ERR]);
  put(output + OUT_CR2, (uint32_t)g[REG_CR2]);
  uint32_t fx = word(input + IN_FX + 4);
  if (fx != 0) memcpy(image + fx, context->uc_mcontext.fpregs, 512);
  memcpy(g, outside.uc_mcontext.gregs, sizeof(outside.uc_mcontext.gregs));
  memcpy(context->uc_mcontext.fpregs, &outside_fpu, 416);
}

static void handler(int number, siginfo_t *info, void *context) {
  (void)info;
  if (number == SIGUSR1) enter(context);
  else leave(context);
}

/* Maps memory at a fixed address with `rights` and once more for us to write to; the latter address is returned. */
static uint8_t *map(uint32_t address, size_t bytes, int rights) {
  int memory = memfd_create("case", 0);
  if (memory < 0 || ftruncate(memory, bytes) != 0) return NULL;
  void *fixed = (void *)(uintptr_t)address;
  void *ours = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (mmap(fixed, bytes, rights, MAP_SHARED | MAP_FIXED_NOREPLACE, memory, 0) != fixed || ours == MAP_FAILED) {
    perror("mmap");
    return NULL;
  }
  return ours;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int file = open(argv[1], O_RDWR);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) {
    perror(argv[1]);
    return 2;
  }
  image = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  /* Rights as in the other judges, where every page that can be read can be executed. */
  uint8_t *windows = map(0x300000, 0x2000, PROT_READ | PROT_WRITE | PROT_EXEC);
  uint8_t *third = map(0x303000, 0x1000, PROT_READ | PROT_EXEC);
  uint8_t *code = map(CODE & ~0xfff, 0x1000, PROT_READ | PROT_EXEC);
  if (image == MAP_FAILED || windows == NULL || third == NULL || code == NULL) return 2;
  memset(code, 0xcc, 0x1000);

  stack_t stack = {.ss_size = 1 << 20};
  stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
  for (size_t n = 0; n < sizeof signals / sizeof *signals; n++) sigaction(signals[n], &action, NULL);

  uint32_t count = word(image + PARAMETERS);
  input = image + word(image + PARAMETERS + 4);
  output = image + word(image + PARAMETERS + 8);
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"(USER_DS));
  for (uint32_t n = 0; n < count; n++, input += IN_BYTES, output += OUT_BYTES) {
    memcpy(code + (CODE & 0xfff), input + IN_CODE, 128);
    memset(windows, 0, 0x2000);
    memcpy(windows + 0xf80, input + IN_WINDOWS, 256);
    memcpy(windows + 0x1f80, input + IN_WINDOWS + 256, 128);
    memcpy(third, input + IN_WINDOWS + 384, 128);
    raise(SIGUSR1);
    memcpy(output + OUT_WINDOWS, windows + 0xf80, 256);
    memcpy(output + OUT_WINDOWS + 256, windows + 0x1f80, 128);
    memcpy(output + OUT_WINDOWS + 384, third, 128);
  }
  munmap(image, status.st_size);
  return 0;
}
