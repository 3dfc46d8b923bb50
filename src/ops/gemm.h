/* Matrix products over teams of threads. */
#ifndef WEFT_OPS_GEMM_H
#define WEFT_OPS_GEMM_H

#include <stdbool.h>

#include <weft/activation.h>
#include <weft/context.h>
#include <weft/tensor.h>

/* What is done to each tile of C once its sums are complete and while it is in cache. */
enum weft_gemm_epilogue {
    WEFT_EPILOGUE_NONE,
    WEFT_EPILOGUE_ACTIVATE, /* C = f(C + bias), see bias_activate in kernels.h */
    WEFT_EPILOGUE_GRADIENT, /* C = C * f'(.), see activate_gradient in kernels.h */
};

/* C[m,n] (+)= A[m,k] B[k,n], or A[k,m]^T B[k,n] where transpose_a; then the epilogue. */
struct weft_gemm_job {
    weft_tensor a, b, c;
    bool transpose_a, accumulate;
    enum weft_gemm_epilogue epilogue;
    weft_activation f;
    const float *bias; /* [n], ACTIVATE */
    /* [m,n]. ACTIVATE: gets C + bias where weft_gemm_saves_input(f), unless its data is NULL.
     * GRADIENT: that, or the C of ACTIVATE for other f. */
    weft_tensor saved;
};

/* Whether the derivative of f is computed from f's input rather than from its output. */
bool weft_gemm_saves_input(weft_activation f);

/* A team function. Every element of C is one sum in an order given by k alone (in runs of the
 * kernels' kc), so neither the tiles nor the number of threads change a bit of the result. */
void weft_gemm_team(weft_context *context, const struct weft_gemm_job *job);

/* DST[cols,rows] = SRC[rows,cols]^T, a team function. */
void weft_transpose_team(weft_context *context, const weft_tensor *src, const weft_tensor *dst);

#endif
