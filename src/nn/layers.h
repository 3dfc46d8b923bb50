/* What a network is made of, for the files of this floor and of training. */
#ifndef WEFT_NN_LAYERS_H
#define WEFT_NN_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/net.h>

#include "ops/linear.h"

/* One layer: Y = f(X W + b), see ops/linear.h for how W and b lie in a block. */
struct weft_layer {
    struct weft_linear linear;
    weft_activation f; /* identity for the last layer: the output is applied to logits */
    size_t at;         /* offset into a block of parameters */
};

struct weft_net {
    size_t n_layers;
    struct weft_layer *layers; /* [n_layers] */
    weft_output output;
    /* Weights and biases of all layers, padding zero; gradients and momentum use blocks of the same
     * layout, so an optimiser walks all of them as plain arrays. */
    float *params;
    size_t block_len;
    weft_scaling scaling;
    weft_columns columns; /* n is 0 where nothing is known of them */
    char **class_names;
    size_t n_class_names;
};

/* From a block to the interface's order: weight [n_out, n_in] then bias, by layer; and back. */
void weft_block_export(const weft_net *net, const float *block, float *params);
void weft_block_import(const weft_net *net, const float *params, float *block);

/* Elements from .. from + n of a layer's weight [n_out, n_in], or bias [n_out], in a block. */
void weft_block_part(const weft_net *net, const float *block, size_t layer, bool is_bias,
                     size_t from, size_t n, float *out);

#endif
