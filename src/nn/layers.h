/* What a network is made of, for the files of this floor and of training. */
#ifndef WEFT_NN_LAYERS_H
#define WEFT_NN_LAYERS_H

#include <stddef.h>

#include <weft/net.h>

/* One layer: Y = f(X W + b). W is kept as [n_in, n_out], transposed against the interface and
 * the model file: so forward (X W) and the weight gradient (X^T dZ) read all operands along
 * their rows. */
struct weft_layer {
    size_t n_in, n_out;
    weft_activation f;         /* identity for the last layer: the output is applied to logits */
    size_t weight_at, bias_at; /* offsets into a block of parameters */
    size_t ld;                 /* of W */
};

struct weft_net {
    size_t n_layers;
    struct weft_layer *layers; /* [n_layers] */
    weft_output output;
    /* Weights and biases, each row padded to cache lines with zeros; gradients and momentum use
     * blocks of the same layout, so an optimiser walks all of them as three plain arrays. */
    float *params;
    size_t block_len;
    weft_scaling scaling;
    char **class_names;
    size_t n_class_names;
};

/* W [n_in, n_out] and b [n_out] of a layer within a block of net's layout. */
weft_tensor weft_layer_weight(const struct weft_layer *layer, float *block);
float *weft_layer_bias(const struct weft_layer *layer, float *block);

/* From a block to the interface's order: weight [n_out, n_in] then bias, by layer; and back. */
void weft_block_export(const weft_net *net, const float *block, float *params);
void weft_block_import(const weft_net *net, const float *params, float *block);

#endif
