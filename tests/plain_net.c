/* See plain_net.h. */
#include "plain_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

struct plain_net plain_net_of(const weft_net *net)
{
    struct plain_net plain = {.n_layers = weft_net_n_layers(net),
                              .width = {weft_net_n_inputs(net)},
                              .output = weft_net_output(net)};
    for (size_t l = 0; l < plain.n_layers; l++) {
        plain.width[l + 1] = weft_net_width(net, l);
        plain.norm[l] = l + 1 < plain.n_layers ? weft_net_norm(net, l) : WEFT_NORM_NONE;
        plain.f[l] = l + 1 < plain.n_layers ? weft_net_activation(net, l) : WEFT_IDENTITY;
    }
    return plain;
}

double *plain_params(const weft_net *net)
{
    size_t n = weft_net_n_params(net);
    float *params = reference_alloc(n, sizeof *params);
    double *out = reference_alloc(n, sizeof *out);
    weft_net_get_params(net, params);
    for (size_t k = 0; k < n; k++) {
        out[k] = (double)params[k];
    }
    free(params);
    return out;
}

/* z [n, n_out] = x W^T + b; returns the parameters behind these. */
static const double *linear(const double *params, size_t n, size_t n_in, size_t n_out,
                            const double *x, double *z)
{
    const double *bias = params + n_in * n_out;
    for (size_t b = 0; b < n; b++) {
        for (size_t o = 0; o < n_out; o++) {
            double sum = bias[o];
            for (size_t i = 0; i < n_in; i++) {
                sum += params[o * n_in + i] * x[b * n_in + i];
            }
            z[b * n_out + o] = sum;
        }
    }
    return bias + n_out;
}

/* (z - mean) / sqrt(var + 1e-5) of n numbers, `step` apart. */
static void standardise(size_t n, size_t step, double *z)
{
    double mean = 0, var = 0;
    for (size_t k = 0; k < n; k++) {
        mean += z[k * step] / (double)n;
    }
    for (size_t k = 0; k < n; k++) {
        var += (z[k * step] - mean) * (z[k * step] - mean) / (double)n;
    }
    for (size_t k = 0; k < n; k++) {
        z[k * step] = (z[k * step] - mean) / sqrt(var + 1e-5);
    }
}

/* Of z [n, n_out], by columns or by rows; params has gamma and beta. Returns what is behind them.
 * */
static const double *normalise(weft_norm norm, const double *params, size_t n, size_t n_out,
                               double *z)
{
    if (norm == WEFT_NORM_NONE) {
        return params;
    }
    for (size_t o = 0; norm == WEFT_NORM_BATCH && o < n_out; o++) {
        standardise(n, n_out, z + o);
    }
    for (size_t b = 0; norm == WEFT_NORM_LAYER && b < n; b++) {
        standardise(n_out, 1, z + b * n_out);
    }
    for (size_t k = 0; k < n * n_out; k++) {
        z[k] = params[k % n_out] * z[k] + params[n_out + k % n_out];
    }
    return params + 2 * n_out;
}

static void activate(const struct plain_net *net, size_t l, size_t n, double *z, int *kinks)
{
    size_t n_out = net->width[l + 1];
    for (size_t k = 0; k < n * n_out; k++) {
        if (kinks != NULL && reference_has_kink(net->f[l])) {
            *kinks = (int)((unsigned)*kinks * 31u + (z[k] > 0));
        }
        z[k] = reference_activation(net->f[l], z[k]);
        if (net->keep[l] != NULL) {
            z[k] = net->keep[l][k] ? z[k] * net->keep_scale : 0;
        }
    }
}

static double output_loss(weft_output output, const double *z, const double *q, size_t c)
{
    double loss = 0, max = z[0], sum = 0;
    for (size_t j = 0; j < c; j++) {
        max = fmax(max, z[j]);
    }
    for (size_t j = 0; j < c; j++) {
        sum += exp(z[j] - max);
    }
    for (size_t j = 0; j < c; j++) {
        switch (output) {
        case WEFT_OUTPUT_SOFTMAX:
            loss += q[j] * (log(sum) + max - z[j]);
            break;
        case WEFT_OUTPUT_SIGMOID:
            loss += fmax(z[j], 0) + log1p(exp(-fabs(z[j]))) - q[j] * z[j];
            break;
        default:
            loss += (z[j] - q[j]) * (z[j] - q[j]) / 2;
        }
    }
    return loss;
}

double plain_loss(const struct plain_net *net, const double *params, const double *x,
                  const double *targets, size_t n, int *kinks)
{
    double *below = NULL, loss = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        double *z = reference_alloc(n * net->width[l + 1], sizeof *z);
        params = linear(params, n, net->width[l], net->width[l + 1], l == 0 ? x : below, z);
        if (l + 1 < net->n_layers) {
            params = normalise(net->norm[l], params, n, net->width[l + 1], z);
            activate(net, l, n, z, kinks);
        }
        free(below);
        below = z;
    }
    size_t c = net->width[net->n_layers];
    for (size_t b = 0; b < n; b++) {
        loss += output_loss(net->output, below + b * c, targets + b * c, c) / (double)n;
    }
    free(below);
    return loss;
}
