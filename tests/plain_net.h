/* A batch through a network and its loss, with what training adds, in double precision: plain
 * loops with libm, after the formulas. */
#ifndef WEFT_TESTS_PLAIN_NET_H
#define WEFT_TESTS_PLAIN_NET_H

#include <stddef.h>
#include <stdint.h>

#include <weft/net.h>

#define PLAIN_MAX_LAYERS 8

struct plain_net {
    size_t n_layers;
    size_t width[PLAIN_MAX_LAYERS + 1];
    weft_activation f[PLAIN_MAX_LAYERS];
    weft_norm norm[PLAIN_MAX_LAYERS];
    weft_output output;
    const uint8_t *keep[PLAIN_MAX_LAYERS]; /* [batch, width[l + 1]] of hidden layer l, or NULL */
    double keep_scale;
};

struct plain_net plain_net_of(const weft_net *net);

/* The parameters in the order of weft_net_get_params(); free() them. */
double *plain_params(const weft_net *net);

/* The mean loss over the batch x [n, width[0]] (scaled), towards targets [n, outputs], which may be
 * any mixture: of softmax -sum_j q_j log p_j. *kinks (may be NULL) gets a number that changes when
 * a unit whose function has a kink changes its sign. */
double plain_loss(const struct plain_net *net, const double *params, const double *x,
                  const double *targets, size_t n, int *kinks);

#endif
