/** Where computations run: the number of threads, the kernels for this CPU, scratch memory. */
#ifndef WEFT_CONTEXT_H
#define WEFT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/api.h>
#include <weft/status.h>

/** One context serves one computation at a time; use one for each thread that calls weft. */
typedef struct weft_context weft_context;

/** What the products of wide layers (more than 16 outputs) multiply. Everything else is float32 in
 *  both: parameters, sums, losses, gradients, updates, files. */
typedef enum weft_precision {
    WEFT_PRECISION_F32,  /**< float32 */
    WEFT_PRECISION_BF16, /**< bfloat16, rounded to nearest even from float32; faster where the CPU
                               has instructions for it */
    WEFT_N_PRECISIONS
} weft_precision;

typedef struct weft_context_options {
    size_t n_threads; /**< OpenMP threads of a parallel region, 1 to 4096; fewer run where a step
                            is so small that they would cost more than they gain; where the
                            system cannot start so many, the OpenMP library ends the process */
    const char *isa;  /**< kernel set by name, or NULL: the variable WEFT_ISA, or else the best */
    weft_precision precision;
} weft_context_options;

/** One thread, the best kernels, float32. */
WEFT_API weft_context_options weft_context_options_default(void);

/** options may be NULL for the defaults.
 *  WEFT_ERR_ARG: no such kernel set or precision, or n_threads out of range. WEFT_ERR_UNSUPPORTED:
 *  this CPU cannot run the kernel set; or this process is a fork of one that has computed on
 *  several threads, which the OpenMP library does not survive: then only contexts of 1 thread
 *  work, and weft_train(), weft_predict() and weft_evaluate() refuse others with the same status.
 *  Free with weft_context_free(). */
WEFT_API WEFT_CHECKED weft_status weft_context_new(const weft_context_options *options,
                                                   weft_context **out, weft_error *err);

WEFT_API void weft_context_free(weft_context *context);

/** The number of threads asked for. Results never depend on it. */
WEFT_API size_t weft_context_threads(const weft_context *context);

/** The name of the kernel set in use, such as "avx2". Results may differ in the last bits from one
 *  set to another. */
WEFT_API const char *weft_context_isa(const weft_context *context);

/** What products multiply. Every kernel set can do either. */
WEFT_API weft_precision weft_context_precision(const weft_context *context);

/** The name for people and files: "f32", "bf16". */
WEFT_API const char *weft_precision_name(weft_precision precision);

/** WEFT_ERR_ARG: no precision has that name. */
WEFT_API WEFT_CHECKED weft_status weft_precision_from_name(const char *name, weft_precision *out);

/** The kernel sets of this build, best first: their number, the name of each, and whether this CPU
 *  (and operating system) can run it. index < weft_isa_count(). */
WEFT_API size_t weft_isa_count(void);
WEFT_API const char *weft_isa_name(size_t index);
WEFT_API bool weft_isa_usable(size_t index);

/** The CPU features that kernels ask for: their number, the name of each such as "avx2", and
 *  whether this process may use it. index < weft_cpu_feature_count(). */
WEFT_API size_t weft_cpu_feature_count(void);
WEFT_API const char *weft_cpu_feature_name(size_t index);
WEFT_API bool weft_cpu_feature_usable(size_t index);

#endif
