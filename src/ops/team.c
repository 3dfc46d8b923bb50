/* The parallel region and its barrier.
 *
 * The barrier is not `omp barrier` because libgomp's spins for a millisecond before it lets go
 * of the core: where another process wants that core, threads wait out each other's time
 * slices. With two busy processes beside two threads on two cores, an epoch of 784-128-10 took
 * 8.4 s with it and takes about 1 s with this one, which spins for some microseconds and then
 * sleeps; on a quiet machine both take the same. Counter and generation as in Mellor-Crummey &
 * Scott 1991, 3.1. */
#include "ops/team.h"

#include <assert.h>
#include <omp.h>
#include <unistd.h>

#include "base/fail.h"

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("isb") /* some tens of cycles; "yield" is none on most of them */
#else
#define PAUSE() ((void)0)
#endif

/* Some ten microseconds, which is what the threads of a team wait for each other when each has a
 * core; the sleep that follows costs more. Seconds for an epoch of 784-128-10 on two cores with no
 * other process, and with two busy ones: 200 spins 0.23 and 0.4 to 0.9, 1000 spins 0.15 and 0.4 to
 * 1.2, 3000 spins 0.15 and 1.8. */
enum { SPINS = 1000 };

/* What the kernels want done in each thread around products of bfloat16 numbers. */
static void enter(const weft_context *context)
{
    if (context->precision == WEFT_PRECISION_BF16 && context->kernels->enter != NULL) {
        context->kernels->enter();
    }
}

static void leave(const weft_context *context)
{
    if (context->precision == WEFT_PRECISION_BF16 && context->kernels->leave != NULL) {
        context->kernels->leave();
    }
}

/* The first process that ran a team of several threads; 0: none yet. A fork inherits it, and the
 * belief of the OpenMP library that its threads are there, but not the threads. */
static atomic_int process_of_teams;

weft_status weft_team_check(size_t n_threads, weft_error *err)
{
    int process = atomic_load_explicit(&process_of_teams, memory_order_relaxed);
    return n_threads == 1 || process == 0 || process == (int)getpid()
               ? WEFT_OK
               : weft_fail(
                     err, WEFT_ERR_UNSUPPORTED,
                     "this process is a fork of one whose threads it has not: wanted 1 thread "
                     "here, or exec after fork; got %zu threads",
                     n_threads);
}

static void run_on(weft_context *context, size_t n_threads, weft_team_work *work, void *arg)
{
    if (n_threads > 1 && atomic_load_explicit(&process_of_teams, memory_order_relaxed) == 0) {
        atomic_store_explicit(&process_of_teams, (int)getpid(), memory_order_relaxed);
    }
    assert(context->barrier.team_size == 1); /* not from within another region of this context */
#pragma omp parallel num_threads((int)n_threads)
    {
#pragma omp single
        context->barrier.team_size = (unsigned)omp_get_num_threads();
        enter(context);
        work(arg);
        leave(context);
    }
    context->barrier.team_size = 1;
}

void weft_team_run(weft_context *context, weft_team_work *work, void *arg)
{
    run_on(context, context->n_threads, work, arg);
}

void weft_team_run_for(weft_context *context, double flop, weft_team_work *work, void *arg)
{
    double most = (double)context->n_threads;
    double wanted = context->flop_per_thread > 0 ? 1 + flop / context->flop_per_thread : most;
    run_on(context, wanted < most ? (size_t)wanted : context->n_threads, work, arg);
}

/* Sleeps until the generation is no longer `old`. The sleeper counts itself and then looks at
 * the generation, the last one to arrive changes the generation and then looks at the count: with a
 * fence between in both, one of them sees the other. (Sequentially consistent operations without
 * fences would do, but qemu 7.2 lets a later load of 64-bit ARM pass a store-release.) */
static void sleep_until_open(struct weft_barrier *barrier, unsigned old)
{
    pthread_mutex_lock(&barrier->mutex);
    atomic_fetch_add_explicit(&barrier->n_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    while (atomic_load_explicit(&barrier->generation, memory_order_acquire) == old) {
        pthread_cond_wait(&barrier->opened, &barrier->mutex);
    }
    atomic_fetch_sub_explicit(&barrier->n_asleep, 1, memory_order_relaxed);
    pthread_mutex_unlock(&barrier->mutex);
}

static void open_barrier(struct weft_barrier *barrier, unsigned old)
{
    atomic_store_explicit(&barrier->n_arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&barrier->generation, old + 1, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&barrier->n_asleep, memory_order_relaxed) > 0) {
        pthread_mutex_lock(&barrier->mutex);
        pthread_cond_broadcast(&barrier->opened);
        pthread_mutex_unlock(&barrier->mutex);
    }
}

void weft_team_barrier(weft_context *context)
{
    struct weft_barrier *barrier = &context->barrier;
    if (barrier->team_size == 1) {
        return;
    }
    unsigned old = atomic_load_explicit(&barrier->generation, memory_order_relaxed);
    unsigned before = atomic_fetch_add_explicit(&barrier->n_arrived, 1, memory_order_acq_rel);
    if (before + 1 == barrier->team_size) {
        open_barrier(barrier, old);
        return;
    }
    for (int spins = 0; spins < SPINS; spins++) {
        if (atomic_load_explicit(&barrier->generation, memory_order_acquire) != old) {
            return;
        }
        PAUSE();
    }
    sleep_until_open(barrier, old);
}

/* Outside a region of this context the caller is a team of one, whatever region it is in. */
static size_t rank(const weft_context *context)
{
    return context->barrier.team_size == 1 ? 0 : (size_t)omp_get_thread_num();
}

void weft_team_share(const weft_context *context, size_t n, size_t *from, size_t *to)
{
    size_t team_size = context->barrier.team_size, at = rank(context);
    size_t each = n / team_size, more = n % team_size;
    *from = at * each + (at < more ? at : more);
    *to = *from + each + (at < more);
}

float *weft_team_scratch(const weft_context *context)
{
    return context->scratch + rank(context) * WEFT_SCRATCH_LEN;
}
