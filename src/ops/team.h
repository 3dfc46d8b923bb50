/* Teams of threads: the one place where the library opens parallel regions and waits in them. */
#ifndef WEFT_OPS_TEAM_H
#define WEFT_OPS_TEAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include <weft/context.h>
#include <weft/status.h>

#include "base/mem.h"
#include "kernels/kernels.h"

/* Where the threads of a team wait for each other. It opens when the generation changes. What
 * changes in each wait has a cache line of its own. */
struct weft_barrier {
    unsigned team_size; /* 1 outside parallel regions */
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    atomic_uint n_asleep;
    _Alignas(WEFT_CACHE_LINE) atomic_uint n_arrived;
    _Alignas(WEFT_CACHE_LINE) atomic_uint generation;
};

/* Room of each thread for the tiles it works on, in floats. */
enum { WEFT_SCRATCH_LEN = 64 * (256 + 16) };

struct weft_context {
    size_t n_threads; /* asked for */
    const struct weft_kernel_set *kernels;
    weft_precision precision;
    double flop_per_thread; /* see weft_team_run_for(); tests of threads set it to 0 */
    float *scratch;         /* [n_threads][WEFT_SCRATCH_LEN] */
    struct weft_barrier barrier;
};

/* Work that every thread of a team runs from beginning to end, sharing loops by orphaned `omp
 * for schedule(static) nowait` with weft_team_barrier() behind. Functions named ..._team may be
 * called inside it by all threads alike, or outside any region by one thread, and end behind a
 * barrier. */
typedef void weft_team_work(void *arg);

/* Runs work(arg) once in each of the context's threads, or of as many as the system gives; products
 * of bfloat16 numbers are only in here. */
void weft_team_run(weft_context *context, weft_team_work *work, void *arg);

/* The same for work whose steps, each of some ten barriers, take `flop` floating-point operations:
 * on no more threads than gain by it. */
void weft_team_run_for(weft_context *context, double flop, weft_team_work *work, void *arg);

/* WEFT_ERR_UNSUPPORTED: this process is a fork of one that had run teams, and the OpenMP library
 * would wait forever for threads that are not there. One thread needs no others. */
WEFT_CHECKED weft_status weft_team_check(size_t n_threads, weft_error *err);

/* Waits until all threads of the team are here; what they wrote before is then seen by all. */
void weft_team_barrier(weft_context *context);

/* The calling thread's share of n units of work: a contiguous range, as even as can be. */
void weft_team_share(const weft_context *context, size_t n, size_t *from, size_t *to);

/* The calling thread's WEFT_SCRATCH_LEN floats; contents do not outlive an operation. */
float *weft_team_scratch(const weft_context *context);

#endif
