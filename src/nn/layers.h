/* What a network is made of, for the files of this floor and of training. */
#ifndef WEFT_NN_LAYERS_H
#define WEFT_NN_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/net.h>

#include "ops/linear.h"
#include "ops/norm.h"

/* One layer: Y = f(X W + b), or f(gamma n(X W + b) + beta) where it is normalised. See ops/linear.h
 * for how W and b lie in a block. */
struct weft_layer {
    struct weft_linear linear;
    weft_activation f; /* identity for the last layer: the output is applied to logits */
    size_t at;         /* offset into a block of parameters */
    weft_norm norm;
    size_t norm_at;       /* of gamma; beta is weft_norm_stride() behind it */
    size_t statistics_at; /* BATCH: of the running mean; the variance is a stride behind it */
};

struct weft_net {
    size_t n_layers;
    struct weft_layer *layers; /* [n_layers] */
    weft_output output;
    /* Weights and biases of all layers, gammas and betas, padding zero; behind them, from
     * statistics_at on, the running statistics of batch normalisation: nothing that is trained, but
     * what is copied, averaged or saved with the parameters. Gradients and momentum use blocks of
     * the same layout, so an optimiser walks all of them as plain arrays; in those the statistics
     * stay 0. */
    float *params;
    size_t block_len, statistics_at;
    weft_scaling scaling;
    weft_columns columns; /* n is 0 where nothing is known of them */
    char **class_names;
    size_t n_class_names;
};

/* From a block to the interface's order, see weft_net_get_params(); and back. Statistics are left
 * alone. */
void weft_block_export(const weft_net *net, const float *block, float *params);
void weft_block_import(const weft_net *net, const float *params, float *block);

/* What a block has of a layer: weight [n_out, n_in], bias [n_out]; gamma and beta [n_out] of
 * normalised layers; running mean and variance [n_out] of those normalised by batches. */
enum weft_block_kind {
    WEFT_BLOCK_WEIGHT,
    WEFT_BLOCK_BIAS,
    WEFT_BLOCK_GAMMA,
    WEFT_BLOCK_BETA,
    WEFT_BLOCK_MEAN,
    WEFT_BLOCK_VAR,
    WEFT_N_BLOCK_KINDS
};

/* Elements from .. from + n of one of these; and all of its elements put into a block. */
void weft_block_part(const weft_net *net, const float *block, size_t layer,
                     enum weft_block_kind kind, size_t from, size_t n, float *out);
void weft_block_set_part(const weft_net *net, const float *values, size_t layer,
                         enum weft_block_kind kind, float *block);

/* Gammas 1, betas 0, running means 0, running variances 1. */
void weft_net_reset_norms(weft_net *net);

/* Whether any layer has batch normalisation. */
bool weft_net_has_statistics(const weft_net *net);

/* Copies the parameters into a block of the same layout, with batch normalisation folded into the
 * weights: layers that have it are then to be run as if they had none. */
void weft_block_fold(const weft_net *net, float *block);

#endif
