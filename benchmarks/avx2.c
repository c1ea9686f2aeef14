/* Hides AVX-512, AVX-VNNI and AMX from a program, which then runs as on a processor with AVX2 alone.
 *
 *     gcc -O2 -shared -fPIC -o avx2.so benchmarks/avx2.c
 *     LD_PRELOAD=$PWD/avx2.so EMOREC_BENCH_NOTE="AVX-512 and AMX hidden by avx2.c" \
 *         python -m benchmarks.speed
 *
 * Libraries ask the processor itself what it can do, by the instruction CPUID. Linux lets a process
 * forbid itself that instruction (arch_prctl(2), ARCH_SET_CPUID); each use then raises SIGSEGV, where
 * it is answered with those bits cleared. Threads and started programs do the same. For x86-64 Intel
 * processors with the flag cpuid_fault in /proc/cpuinfo. The clock speed stays that of the processor.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012
#define BIT(n) (1u << (n))

static struct sigaction before;

static long allow_cpuid(int allowed) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, allowed); }

/* Intel's Software Developer's Manual, volume 2, "CPUID", leaf 7. */
static void clear_wide(unsigned subleaf, unsigned *a, unsigned *b, unsigned *c, unsigned *d)
{
    if (subleaf == 0) {
        *b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31)); /* F DQ IFMA CD BW VL */
        *c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14)); /* VBMI VBMI2 VNNI BITALG VPOPCNTDQ */
        *d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(23)); /* 4VNNIW 4FMAPS VP2INTERSECT FP16 */
        *d &= ~(BIT(22) | BIT(24) | BIT(25)); /* AMX: BF16, TILE, INT8 */
    } else if (subleaf == 1) {
        *a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23)); /* AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA */
        *d &= ~(BIT(4) | BIT(5) | BIT(10) | BIT(19)); /* AVX-VNNI-INT8, NE-CONVERT, INT16, AVX10 */
    }
}

static void answer(int number, siginfo_t *info, void *context)
{
    (void)number;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    if (info->si_code != SI_KERNEL || code[0] != 0x0f || code[1] != 0xa2) { /* a fault of its own */
        sigaction(SIGSEGV, &before, NULL); /* it comes again, and the one before takes it */
        return;
    }
    unsigned leaf = registers[REG_RAX], subleaf = registers[REG_RCX];
    unsigned a = leaf, b, c = subleaf, d;
    allow_cpuid(1);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    allow_cpuid(0);
    if (leaf == 7)
        clear_wide(subleaf, &a, &b, &c, &d);
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void)
{
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, &before);
    if (allow_cpuid(0))
        abort(); /* the kernel or the processor cannot do it: nothing would be hidden */
}
