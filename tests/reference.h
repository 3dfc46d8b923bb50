/* A second, plain implementation of what the library computes, for tests: fully connected networks
 * in double precision, one sample at a time, with libm and no code of the library but its types.
 * Slow on purpose: every formula stands as in the books. */
#ifndef WEFT_TESTS_REFERENCE_H
#define WEFT_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/dataset.h>
#include <weft/net.h>
#include <weft/tensor.h>

#define REFERENCE_MAX_LAYERS 8

/* Architecture: layer l maps width[l] inputs to width[l + 1] outputs. */
struct reference {
    size_t n_layers;
    size_t width[REFERENCE_MAX_LAYERS + 1];
    weft_activation activation[REFERENCE_MAX_LAYERS]; /* [n_layers - 1] are used */
    weft_output output;
};

/* The architecture of a network of the library. */
struct reference reference_of(const weft_net *net);

/* Parameters in the order of weft_net_get_params(). */
size_t reference_n_params(const struct reference *ref);

/* All pre-activations of one sample: the sum of width[1..n_layers]. */
size_t reference_n_units(const struct reference *ref);

/* h(z) and h'(z) of an activation. */
double reference_activation(weft_activation activation, double z);
double reference_slope(weft_activation activation, double z);

/* Whether h' jumps at z = 0. */
bool reference_has_kink(weft_activation activation);

/* Row `row` of x, scaled as the network says: out [x->cols]. */
void reference_input(const weft_scaling *scaling, const weft_tensor *x, size_t row, double *out);

/* All rows of x, scaled, [rows, cols]; free() it. */
double *reference_inputs(const weft_scaling *scaling, const weft_tensor *x);

/* Pre-activations of one sample x [width[0]]: z [reference_n_units()], layer after layer; the last
 * width[n_layers] of them are the logits. */
void reference_forward(const struct reference *ref, const double *params, const double *x,
                       double *z);

/* Where the logits begin in z. */
size_t reference_logits_at(const struct reference *ref);

/* Predictions p [C] from logits z [C]. */
void reference_predict(weft_output output, const double *z, size_t c, double *p);

/* The loss of one sample with logits z [C] (not divided by B), from target row `row`, times its
 * weight. */
double reference_sample_loss(weft_output output, const double *z, size_t c,
                             const weft_targets *targets, size_t row);

/* The mean loss over the n samples of x [n, width[0]] (scaled); where zs is not NULL, it gets the
 * pre-activations [n, reference_n_units()]. */
double reference_loss(const struct reference *ref, const double *params, const double *x,
                      const weft_targets *targets, size_t n, double *zs);

/* The gradient of that mean loss by backpropagation, gradient [reference_n_params()]. */
void reference_gradient(const struct reference *ref, const double *params, const double *x,
                        const weft_targets *targets, size_t n, double *gradient);

/* malloc that ends the test program where there is no memory. */
void *reference_alloc(size_t count, size_t size);

#endif
