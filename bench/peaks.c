/* See peaks.h. Loops whose vectors are as wide as the target of each function allows. */
#include "peaks.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "quiet.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define HAS_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define HAS_AVX512 __builtin_cpu_supports("avx512f")
#endif

const char *const bench_peak_names[N_PEAKS] = {"f32 fma", "bf16 dot", "bf16 amx"};
const char *const bench_traffic_names[N_TRAFFICS] = {"read", "copy", "triad", "change", "update"};

/* One loop: does something `times` times over x, y, z [n], and returns a number that depends on all
 * of it. */
typedef float loop_function(size_t times, size_t n, const float *x, float *y, const float *z);

/* Enough independent sums for two units with a latency of up to six cycles. */
enum { SUMS = 12 };

/* acc = acc m + a contracts to one instruction (this file is built with -ffp-contract=fast); the
 * factor is unknown to the compiler, and below 1 so that nothing overflows or becomes denormal. */
#define FMA_LOOP(name, attributes, bytes)                                                          \
    attributes static float name(size_t times, size_t n, const float *x, float *y, const float *z) \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(bytes)));                                  \
        vector acc[SUMS], sum = {0}, m = sum + x[0], a = sum + x[1];                               \
        (void)n, (void)y, (void)z;                                                                 \
        _Pragma("GCC unroll 12") for (int k = 0; k < SUMS; k++)                                    \
        {                                                                                          \
            acc[k] = sum + (float)k;                                                               \
        }                                                                                          \
        for (size_t i = 0; i < times; i++) {                                                       \
            _Pragma("GCC unroll 12") for (int k = 0; k < SUMS; k++)                                \
            {                                                                                      \
                acc[k] = acc[k] * m + a;                                                           \
            }                                                                                      \
        }                                                                                          \
        _Pragma("GCC unroll 12") for (int k = 0; k < SUMS; k++)                                    \
        {                                                                                          \
            sum += acc[k];                                                                         \
        }                                                                                          \
        return sum[0];                                                                             \
    }

/* Of this and the next, n is a multiple of eight vectors, and the pointers are aligned. */
#define READ_LOOP(name, attributes, bytes)                                                         \
    attributes static float name(size_t times, size_t n, const float *x, float *y, const float *z) \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(bytes), may_alias));                       \
        enum { W = bytes / sizeof(float) };                                                        \
        vector acc[8] = {{0}};                                                                     \
        (void)y, (void)z;                                                                          \
        for (size_t t = 0; t < times; t++) {                                                       \
            for (size_t i = 0; i < n; i += 8 * W) {                                                \
                _Pragma("GCC unroll 8") for (size_t k = 0; k < 8; k++)                             \
                {                                                                                  \
                    acc[k] += *(const vector *)(x + i + k * W);                                    \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        for (int k = 1; k < 8; k++) {                                                              \
            acc[0] += acc[k];                                                                      \
        }                                                                                          \
        return acc[0][0];                                                                          \
    }

/* One that writes y: `statement` is done to each vector, whose first element has the index AT. */
#define WRITE_LOOP(name, attributes, bytes, statement)                                             \
    attributes static float name(size_t times, size_t n, const float *x, float *y, const float *z) \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(bytes), may_alias));                       \
        enum { W = bytes / sizeof(float) };                                                        \
        (void)x, (void)z;                                                                          \
        for (size_t t = 0; t < times; t++) {                                                       \
            for (size_t i = 0; i < n; i += 4 * W) {                                                \
                _Pragma("GCC unroll 4") for (size_t at = i; at < i + 4 * W; at += W)               \
                {                                                                                  \
                    statement;                                                                     \
                }                                                                                  \
            }                                                                                      \
            __asm__ volatile("" ::: "memory");                                                     \
        }                                                                                          \
        return y[n - 1];                                                                           \
    }
#define X (*(const vector *)(x + at))
#define Y (*(vector *)(y + at))
#define Z (*(const vector *)(z + at))
#define LOOPS(suffix, attributes, bytes)                                                           \
    FMA_LOOP(fma_##suffix, attributes, bytes)                                                      \
    READ_LOOP(read_##suffix, attributes, bytes)                                                    \
    WRITE_LOOP(copy_##suffix, attributes, bytes, Y = X)                                            \
    WRITE_LOOP(triad_##suffix, attributes, bytes, Y = X + 0.5f * Z)                                \
    WRITE_LOOP(change_##suffix, attributes, bytes, Y *= 0.999f)                                    \
    WRITE_LOOP(update_##suffix, attributes, bytes, Y += 0.5f * X)

#define NOTHING
LOOPS(base, NOTHING, 16)
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f")))
LOOPS(avx2, AVX2, 32)
LOOPS(avx512, AVX512, 64)
#endif

#if defined(WEFT_BENCH_BF16)
__attribute__((target("avx512f,avx512bf16"))) static float
dot_bf16(size_t times, size_t n, const float *x, float *y, const float *z)
{
    __m512 acc[SUMS];
    __m512bh a = (__m512bh)_mm512_set1_ps(x[0]), b = (__m512bh)_mm512_set1_ps(x[1]);
    (void)n, (void)y, (void)z;
#pragma GCC unroll 12
    for (int k = 0; k < SUMS; k++) {
        acc[k] = _mm512_set1_ps((float)k); /* or the compiler makes one sum of all */
    }
    for (size_t i = 0; i < times; i++) {
#pragma GCC unroll 12
        for (int k = 0; k < SUMS; k++) {
            acc[k] = _mm512_dpbf16_ps(acc[k], a, b);
        }
    }
#pragma GCC unroll 12
    for (int k = 1; k < SUMS; k++) {
        acc[0] = _mm512_add_ps(acc[0], acc[k]);
    }
    return _mm512_reduce_add_ps(acc[0]);
}
#endif

#if defined(WEFT_BENCH_AMX)
/* The 64 bytes that LDTILECFG reads (Intel 64 manual, vol. 1, 18.3): eight tiles of 16 rows of 64
 * bytes. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

enum { AMX_FLOP = 2 * 16 * 16 * 32, AMX_SUMS = 4 }; /* of one TDPBF16PS */

__attribute__((target("amx-tile,amx-bf16"))) static float
dot_amx(size_t times, size_t n, const float *x, float *y, const float *z)
{
    struct tile_config config = {.palette = 1};
    (void)n, (void)x, (void)z;
    for (int k = 0; k < 8; k++) {
        config.row_bytes[k] = 64;
        config.rows[k] = 16;
    }
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (size_t i = 0; i < times; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, y, 64);
    _tile_release();
    return y[0];
}

/* In CPUID, and the system lets this process use it (Linux since 5.16; asked for once, it holds for
 * all threads). */
static bool has_amx(void)
{
    unsigned a, b, c, d;
    const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & amx_bf16) == 0 || (d & amx_tile) == 0) {
        return false;
    }
    const int arch_req_xcomp_perm = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, arch_req_xcomp_perm, tile_data) == 0;
}
#endif

/* What one turn of a loop does. */
struct loop {
    loop_function *run;
    double work; /* floating-point operations, or bytes for each element */
};

static struct loop peak_loop(enum bench_peak peak)
{
    switch (peak) {
    case PEAK_F32:
#if defined(__x86_64__)
        if (HAS_AVX512) {
            return (struct loop){fma_avx512, 2 * 16 * SUMS};
        }
        if (HAS_AVX2) {
            return (struct loop){fma_avx2, 2 * 8 * SUMS};
        }
#endif
        return (struct loop){fma_base, 2 * 4 * SUMS};
    case PEAK_BF16:
#if defined(WEFT_BENCH_BF16)
        if (__builtin_cpu_supports("avx512bf16")) {
            return (struct loop){dot_bf16, 4 * 16 * SUMS};
        }
#endif
        break;
    case PEAK_AMX:
#if defined(WEFT_BENCH_AMX)
        if (has_amx()) {
            return (struct loop){dot_amx, (double)AMX_FLOP * AMX_SUMS};
        }
#endif
        break;
    case N_PEAKS:
        break;
    }
    return (struct loop){NULL, 0};
}

static struct loop traffic_loop(enum bench_traffic traffic)
{
    static loop_function *const base[N_TRAFFICS] = {read_base, copy_base, triad_base, change_base,
                                                    update_base};
    static const double bytes[N_TRAFFICS] = {4, 8, 12, 8, 12};
    loop_function *const *loops = base;
#if defined(__x86_64__)
    static loop_function *const avx2[N_TRAFFICS] = {read_avx2, copy_avx2, triad_avx2, change_avx2,
                                                    update_avx2};
    static loop_function *const avx512[N_TRAFFICS] = {read_avx512, copy_avx512, triad_avx512,
                                                      change_avx512, update_avx512};
    loops = HAS_AVX512 ? avx512 : HAS_AVX2 ? avx2 : base;
#endif
    return (struct loop){loops[traffic], bytes[traffic]};
}

/* What a team runs: the loop, and for each thread its x, y and z of n floats one behind the other,
 * which it allocates and writes first itself. */
struct team {
    loop_function *run;
    size_t n_threads, n, n_arrays;
    float **arrays;
    volatile float keep; /* so that no loop is idle */
};

static float *arrays(const struct team *team)
{
    size_t n = team->n * team->n_arrays;
    float *block = aligned_alloc(4096, (n * sizeof(float) + 4095) / 4096 * 4096);
    if (block == NULL) {
        bench_die("no memory for %zu floats", n);
    }
    for (size_t k = 0; k < n; k++) {
        block[k] = 0.5f;
    }
    return block;
}

/* Seconds in which the slowest thread did its turns. */
static double lap(struct team *team, size_t turns)
{
    double slowest = 0;
#pragma omp parallel num_threads((int)team->n_threads)
    {
        float **mine = &team->arrays[omp_get_thread_num()];
        *mine = *mine == NULL ? arrays(team) : *mine;
        float *x = *mine, *y = team->n_arrays > 1 ? x + team->n : x, *z = x + 2 * team->n;
#pragma omp barrier
        double start = bench_now();
        float value = team->run(turns, team->n, x, y, z);
        double spent = bench_now() - start;
#pragma omp critical
        {
            slowest = fmax(slowest, spent);
            team->keep = team->keep + value;
        }
    }
    return slowest;
}

/* Turns per second of all threads together: laps with more and more turns until they fill the time,
 * which warms up, and a few more where threads had to wait for a core. */
static double turns_per_second(loop_function *run, size_t n_threads, size_t n, size_t n_arrays,
                               double seconds)
{
    struct team team = {run, n_threads, n, n_arrays, bench_alloc(n_threads, sizeof(float *)), 0};
    double best = 0;
    size_t turns = 1;
    for (int tries = 0; tries < 5;) {
        double before = bench_waited(), spent = lap(&team, turns);
        if (spent >= 0.8 * seconds) {
            best = fmax(best, (double)n_threads * (double)turns / spent);
            tries += bench_waited() - before < 0.02 * spent ? 5 : 1;
        } else {
            turns = (size_t)fmin(4 * (double)turns, ceil((double)turns * seconds / spent));
        }
    }
    for (size_t k = 0; k < n_threads; k++) {
        free(team.arrays[k]);
    }
    free(team.arrays);
    return best;
}

double bench_peak_gflops(enum bench_peak peak, size_t n_threads, double seconds)
{
    struct loop loop = peak_loop(peak);
    const size_t room = 1024; /* for the tile that AMX stores */
    return loop.run == NULL
               ? 0
               : 1e-9 * loop.work * turns_per_second(loop.run, n_threads, room, 1, seconds);
}

double bench_bandwidth(enum bench_traffic traffic, size_t n_threads, size_t bytes, double seconds)
{
    static const size_t n_arrays[N_TRAFFICS] = {1, 2, 3, 1, 2};
    struct loop loop = traffic_loop(traffic);
    size_t n = bytes / n_threads / n_arrays[traffic] / sizeof(float) / 128 * 128;
    n = n == 0 ? 128 : n;
    return 1e-9 * loop.work * (double)n *
           turns_per_second(loop.run, n_threads, n, n_arrays[traffic], seconds);
}
