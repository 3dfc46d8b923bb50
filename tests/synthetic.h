/* Made-up data sets, networks and contexts for tests of training and evaluation. All are functions
 * of their arguments; what cannot be made ends the program. */
#ifndef WEFT_TESTS_SYNTHETIC_H
#define WEFT_TESTS_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

#include <weft/weft.h>

/* n samples of n_classes classes in turn, each around its class's corner of the cube [-1, 1]^k
 * (f32) or [64, 192]^k (u8), `noise` in units of half an edge: below 0.5 any linear model can tell
 * them apart where n_features is not small. */
weft_dataset *synthetic_classes(weft_dtype dtype, size_t n, size_t n_features, size_t n_classes,
                                double noise, uint64_t seed);

/* n samples with n_values smooth functions of the features in [0, 1] as targets. */
weft_dataset *synthetic_values(size_t n, size_t n_features, size_t n_values, uint64_t seed);

/* A data set over the caller's numbers: x [n, n_features], and either classes or values [n,
 * n_values]; the other is NULL. */
weft_dataset *synthetic_from(const float *x, size_t n, size_t n_features, const int32_t *classes,
                             size_t n_classes, const float *values, size_t n_values);

/* A network with its weights drawn; `hidden` ends with 0. */
weft_net *synthetic_net(size_t n_inputs, const size_t *hidden, weft_activation activation,
                        size_t n_outputs, weft_output output, uint64_t seed);

/* Gives the network the scaling of a data set. */
void synthetic_scale(weft_net *net, const weft_dataset *data, weft_scale_kind kind);

weft_context *synthetic_context(size_t n_threads);

/* The parameters of a network; free() them. */
float *synthetic_params(const weft_net *net);

#endif
