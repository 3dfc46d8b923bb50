/* Parallel regions: the one place where the library opens them. */
#ifndef WEFT_OPS_TEAM_H
#define WEFT_OPS_TEAM_H

#include <weft/context.h>

#include "kernels/kernels.h"

struct weft_context {
    size_t n_threads;
    const struct weft_kernel_set *kernels;
};

/* Work that every thread of a team runs from beginning to end, sharing loops by orphaned `omp
 * for`. Team functions (named ..._team) may be called inside it by all threads alike, or
 * outside any region by one thread, and end with all threads past their last loop. */
typedef void weft_team_work(void *arg);

/* Runs work(arg) once in each of the context's threads, or of as many as the system gives. */
void weft_team_run(const weft_context *context, weft_team_work *work, void *arg);

#endif
