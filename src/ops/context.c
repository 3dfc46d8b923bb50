/* Contexts: how many threads, which kernels. */
#include <weft/context.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cpu/cpu.h"
#include "kernels/kernels.h"
#include "ops/team.h"

#define MAX_THREADS 4096

/* What another thread must have to do in a step to gain more than the barriers cost. */
#define FLOP_PER_THREAD 5e5

weft_context_options weft_context_options_default(void)
{
    return (weft_context_options){.n_threads = 1, .isa = NULL, .precision = WEFT_PRECISION_F32};
}

static const char *const precision_names[WEFT_N_PRECISIONS] = {
    [WEFT_PRECISION_F32] = "f32",
    [WEFT_PRECISION_BF16] = "bf16",
};

static const struct weft_kernel_set *best_kernels(weft_precision precision)
{
    for (size_t i = 0;; i++) { /* ends at the generic set, which is always usable */
        const struct weft_kernel_set *set = weft_kernel_set_at(i);
        bool fits = precision == WEFT_PRECISION_BF16 || !set->for_bf16;
        if (fits && weft_kernel_set_usable(set)) {
            return set;
        }
    }
}

static weft_status kernels_by_name(const char *name, const struct weft_kernel_set **out,
                                   weft_error *err)
{
    for (size_t i = 0; i < weft_kernel_set_count(); i++) {
        const struct weft_kernel_set *set = weft_kernel_set_at(i);
        if (strcmp(set->name, name) == 0) {
            if (!weft_kernel_set_usable(set)) {
                return weft_fail(err, WEFT_ERR_UNSUPPORTED, "this CPU cannot run the %s kernels",
                                 name);
            }
            *out = set;
            return WEFT_OK;
        }
    }
    return weft_fail(err, WEFT_ERR_ARG, "this build has no kernels named '%s'", name);
}

weft_status weft_context_new(const weft_context_options *options, weft_context **out,
                             weft_error *err)
{
    weft_context_options chosen = options != NULL ? *options : weft_context_options_default();
    if (chosen.n_threads < 1 || chosen.n_threads > MAX_THREADS) {
        return weft_fail(err, WEFT_ERR_ARG, "threads: %zu is not in 1..%d", chosen.n_threads,
                         MAX_THREADS);
    }
    if ((unsigned)chosen.precision >= WEFT_N_PRECISIONS) {
        return weft_fail(err, WEFT_ERR_ARG, "no precision %d", (int)chosen.precision);
    }
    const char *isa = chosen.isa != NULL ? chosen.isa : getenv("WEFT_ISA");
    const struct weft_kernel_set *kernels = best_kernels(chosen.precision);
    if (isa != NULL && *isa != '\0') {
        weft_status status = kernels_by_name(isa, &kernels, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    weft_status forked = weft_team_check(chosen.n_threads, err);
    if (forked != WEFT_OK) {
        return forked;
    }
    weft_context *context = weft_mem_alloc(1, sizeof *context);
    if (context == NULL) {
        return weft_fail_nomem(err, "a context");
    }
    float *scratch = weft_mem_alloc(chosen.n_threads, WEFT_SCRATCH_LEN * sizeof *scratch);
    if (scratch == NULL) {
        weft_mem_free(context);
        return weft_fail_nomem(err, "the scratch of threads");
    }
    *context = (weft_context){
        .n_threads = chosen.n_threads,
        .kernels = kernels,
        .precision = chosen.precision,
        .flop_per_thread = FLOP_PER_THREAD,
        .scratch = scratch,
        .barrier = {.team_size = 1,
                    .mutex = PTHREAD_MUTEX_INITIALIZER,
                    .opened = PTHREAD_COND_INITIALIZER},
    };
    *out = context;
    return WEFT_OK;
}

void weft_context_free(weft_context *context)
{
    if (context == NULL) {
        return;
    }
    pthread_cond_destroy(&context->barrier.opened);
    pthread_mutex_destroy(&context->barrier.mutex);
    weft_mem_free(context->scratch);
    weft_mem_free(context);
}

size_t weft_context_threads(const weft_context *context)
{
    return context->n_threads;
}

const char *weft_context_isa(const weft_context *context)
{
    return context->kernels->name;
}

weft_precision weft_context_precision(const weft_context *context)
{
    return context->precision;
}

const char *weft_precision_name(weft_precision precision)
{
    return precision_names[precision];
}

weft_status weft_precision_from_name(const char *name, weft_precision *out)
{
    for (size_t i = 0; i < WEFT_N_PRECISIONS; i++) {
        if (strcmp(precision_names[i], name) == 0) {
            *out = (weft_precision)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

size_t weft_isa_count(void)
{
    return weft_kernel_set_count();
}

const char *weft_isa_name(size_t index)
{
    return weft_kernel_set_at(index)->name;
}

bool weft_isa_usable(size_t index)
{
    return weft_kernel_set_usable(weft_kernel_set_at(index));
}

size_t weft_cpu_feature_count(void)
{
    return WEFT_CPU_N_FEATURES;
}

const char *weft_cpu_feature_name(size_t index)
{
    return weft_cpu_name(index);
}

bool weft_cpu_feature_usable(size_t index)
{
    return (weft_cpu_usable() >> index & 1) != 0;
}
