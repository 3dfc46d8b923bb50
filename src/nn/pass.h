/* Running batches through a network, forwards and back, inside a team of threads. */
#ifndef WEFT_NN_PASS_H
#define WEFT_NN_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/net.h>
#include <weft/status.h>
#include <weft/targets.h>
#include <weft/tensor.h>

#include "ops/linear.h"
#include "ops/linear_bf16.h"
#include "ops/nonzeros.h"
#include "ops/output.h"
#include "ops/packed.h"
#include "ops/perturb.h"
#include "ops/shift.h"

/* Batches are run in parts of at most so many rows, their gradients added part by part: memory
 * and cache footprint are those of a part however large the batch. Fixed, as the order of the
 * sums depends on it. 256 rows of 784 floats fill most of a 1 MiB second-level cache. */
enum { WEFT_PASS_ROWS = WEFT_LINEAR_MAX_ROWS };

/* A part of kept samples has more rows, up to these, while its activations take no more bytes than
 * that: the second-level caches of some threads. Sums are still formed by WEFT_PASS_ROWS. */
enum { WEFT_PASS_MAX_ROWS = 2048, WEFT_PASS_MAX_ACTIVATIONS = 1 << 20 };

/* Memory for what weft_pass_keep() keeps: the 60,000 MNIST digits take 160 MB. */
#define WEFT_PASS_MAX_KEPT ((size_t)1 << 30)

/* Everything a part needs beside the parameters. */
struct weft_pass {
    const weft_net *net;
    weft_context *context;
    size_t n_layers;
    size_t max_rows;               /* of a part of the samples kept; of others, the rows of x */
    weft_tensor x;                 /* [rows, n_inputs], scaled */
    struct weft_nonzeros nonzeros; /* of x; without lists where it is dense */
    struct weft_pass_kept {
        const void *data; /* of the rows that are kept; NULL: none are */
        size_t n_rows;
        bool in_x;                 /* x and nonzeros are of them, all in one part */
        struct weft_packed packed; /* else, where there are more */
    } kept;
    struct weft_pass_layer {
        weft_tensor y;             /* [rows, n_out]: f(X W + b); of the last layer the logits */
        weft_tensor pre;           /* [rows, n_out]: X W + b, where f' wants it; else empty */
        weft_tensor dz;            /* [rows, n_out]: dloss/d(X W + b) */
        weft_tensor z;             /* [rows, n_out]: normalised X W + b, where that is asked for */
        float *moments;            /* see struct weft_norm_job; NULL where it is not */
        float *norm_gradient;      /* of gamma and beta, where no block keeps it */
        weft_tensor keep, dropped; /* [rows, n_out]: see struct weft_drop; empty: no dropout */
        struct weft_linear_bf16 bf16; /* empty in float32 */
    } * layers;                       /* [n_layers] */
    float *turned;                    /* dZ^T of one layer after the other, not of the first */
    struct weft_loss_sum *sums;       /* one for each block of rows */
    float *folded; /* a block without batch normalisation, where the network has it; else NULL */
    bool folds;    /* it is what forward uses; else it normalises by statistics of the part */
};

/* How far a pass goes, which decides the buffers it has. */
enum weft_pass_kind {
    WEFT_PASS_FORWARD, /* forward and loss: of all layers y, of the last one dz */
    WEFT_PASS_BACKWARD,
};

/* Buffers for parts of up to max_rows (<= WEFT_PASS_ROWS) rows. Where the context computes in
 * bfloat16, the parameters are copied here; should others than backward change them afterwards,
 * they call weft_pass_copy_params_team(). x is what the parts will be taken
 * from, or like it: by its zeros the pass decides whether to look for them in each part, which
 * changes speed alone. WEFT_ERR_NOMEM: and then it is empty. */
WEFT_CHECKED weft_status weft_pass_init(struct weft_pass *pass, enum weft_pass_kind kind,
                                        weft_context *context, const weft_net *net,
                                        const weft_tensor *x, size_t max_rows, weft_error *err);
void weft_pass_release(struct weft_pass *pass);

/* From now on x does not change, and is run in order, in parts of max_rows, which this may raise:
 * what it costs to gather and scale x and to look for its zeros is saved, and threads wait for each
 * other less often, where that pays and fits WEFT_PASS_MAX_KEPT and memory. Where weights are
 * finite no bit changes, and anything else may be run between. The pass is one of WEFT_PASS_ROWS
 * rows. */
void weft_pass_keep(struct weft_pass *pass, const weft_tensor *x);

/* Makes room for parts that are perturbed so. WEFT_ERR_NOMEM. */
WEFT_CHECKED weft_status weft_pass_allow(struct weft_pass *pass, const struct weft_perturb *perturb,
                                         weft_error *err);

/* Takes the parameters as they are now; a team function. */
void weft_pass_copy_params_team(struct weft_pass *pass);

/* The floating-point operations of the products for a batch of `rows`, roughly. */
double weft_pass_flop(const weft_net *net, enum weft_pass_kind kind, size_t rows);

/* Where a part comes from: rows `rows[0..n)` of x, or rows first..first+n where rows is NULL. What
 * is random of a sample is a function of its number: samples[0..n), or its row where that is NULL.
 */
struct weft_part {
    const weft_tensor *x;        /* raw features */
    const weft_targets *targets; /* may be NULL where no loss is wanted */
    const uint32_t *rows;
    const uint32_t *samples;
    size_t first, n;
    float label_smoothing;              /* of the loss */
    const struct weft_shift *shift;     /* how the images move about, or NULL */
    const struct weft_perturb *perturb; /* what else is random, for which there is room; or NULL */
    bool tracks; /* backward lets the running statistics take those of the part */
};

/* Team functions. Batch normalisation takes its statistics from a part, so that with it a part has
 * to be a whole batch. forward: y of every layer. loss: sums, and dz of the last layer times
 * weight. backward: the gradient of what loss measured, into a block of the net's layout;
 * accumulate adds it to that of the earlier parts of the same batch, through which the parameters
 * must have stayed as they were. With `update` (of net's parameters) each parameter takes its step
 * as soon as its gradient is complete; gradient may then be NULL unless accumulate. They run in
 * this order on the same part. */
void weft_pass_forward_team(struct weft_pass *pass, const struct weft_part *part);
void weft_pass_loss_team(struct weft_pass *pass, const struct weft_part *part, float weight);
void weft_pass_backward_team(struct weft_pass *pass, const struct weft_part *part, float *gradient,
                             bool accumulate, const struct weft_update *update);

/* The same step once the whole gradient of a batch is known; a team function. The same bits. */
void weft_pass_update_team(struct weft_pass *pass, const float *gradient,
                           const struct weft_update *update);

/* Scales the weights into each unit of the hidden layers down to a norm of at most `most`; a team
 * function. */
void weft_pass_limit_team(struct weft_pass *pass, double most);

/* What loss measured in a part of n rows, added to *sum: by WEFT_PASS_ROWS, however large it is. */
void weft_pass_add_loss(const struct weft_pass *pass, size_t n, struct weft_loss_sum *sum);

/* The logits of the last forward: [n, n_outputs] */
weft_tensor weft_pass_logits(const struct weft_pass *pass, size_t n);

/* All rows of x, part by part in one parallel region, batch normalisation by running statistics.
 * logits [x->rows, n_outputs] may be NULL; total, to which the parts are added one by one, may be
 * NULL where targets is. */
void weft_pass_over(struct weft_pass *pass, const weft_tensor *x, const weft_targets *targets,
                    weft_tensor *logits, struct weft_loss_sum *total);

#endif
