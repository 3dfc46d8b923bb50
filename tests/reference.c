/* See reference.h. Notation: a_0 = x, z_l = W_l a_{l-1} + b_l, a_l = h_l(z_l); d_l = dloss/dz_l. */
#include "reference.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SELU_LAMBDA 1.0507009873554804934193349852946
#define SELU_ALPHA 1.6732632423543772848170429916717

void *reference_alloc(size_t count, size_t size)
{
    void *block = calloc(count == 0 ? 1 : count, size);
    if (block == NULL) {
        fprintf(stderr, "reference: no memory for %zu x %zu bytes\n", count, size);
        exit(1);
    }
    return block;
}

struct reference reference_of(const weft_net *net)
{
    struct reference ref = {.n_layers = weft_net_n_layers(net), .output = weft_net_output(net)};
    if (ref.n_layers > REFERENCE_MAX_LAYERS) {
        fprintf(stderr, "reference: %zu layers are too many\n", ref.n_layers);
        exit(1);
    }
    ref.width[0] = weft_net_n_inputs(net);
    for (size_t l = 0; l < ref.n_layers; l++) {
        ref.width[l + 1] = weft_net_width(net, l);
        if (l + 1 < ref.n_layers) {
            ref.activation[l] = weft_net_activation(net, l);
        }
    }
    return ref;
}

size_t reference_n_params(const struct reference *ref)
{
    size_t n = 0;
    for (size_t l = 0; l < ref->n_layers; l++) {
        n += (ref->width[l] + 1) * ref->width[l + 1];
    }
    return n;
}

size_t reference_n_units(const struct reference *ref)
{
    size_t n = 0;
    for (size_t l = 1; l <= ref->n_layers; l++) {
        n += ref->width[l];
    }
    return n;
}

size_t reference_logits_at(const struct reference *ref)
{
    return reference_n_units(ref) - ref->width[ref->n_layers];
}

static double logistic(double z)
{
    return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

double reference_activation(weft_activation activation, double z)
{
    switch (activation) {
    case WEFT_IDENTITY:
        return z;
    case WEFT_RELU:
        return z > 0 ? z : 0;
    case WEFT_LEAKY_RELU:
        return z > 0 ? z : 0.01 * z;
    case WEFT_TANH:
        return tanh(z);
    case WEFT_SIGMOID:
        return logistic(z);
    case WEFT_GELU:
        return z / 2 * (1 + erf(z / sqrt(2)));
    case WEFT_SILU:
        return z * logistic(z);
    case WEFT_ELU:
        return z > 0 ? z : expm1(z);
    case WEFT_SELU:
        return SELU_LAMBDA * (z > 0 ? z : SELU_ALPHA * expm1(z));
    case WEFT_N_ACTIVATIONS:
        break;
    }
    return (double)NAN;
}

double reference_slope(weft_activation activation, double z)
{
    double s;
    switch (activation) {
    case WEFT_IDENTITY:
        return 1;
    case WEFT_RELU:
        return z > 0 ? 1 : 0;
    case WEFT_LEAKY_RELU:
        return z > 0 ? 1 : 0.01;
    case WEFT_TANH:
        return 1 / (cosh(z) * cosh(z));
    case WEFT_SIGMOID:
        return logistic(z) * logistic(-z);
    case WEFT_GELU: /* Phi(z) + z phi(z), the normal distribution and its density */
        return (1 + erf(z / sqrt(2))) / 2 + z * exp(-z * z / 2) / sqrt(2 * acos(-1));
    case WEFT_SILU:
        s = logistic(z);
        return s + z * s * logistic(-z);
    case WEFT_ELU:
        return z > 0 ? 1 : exp(z);
    case WEFT_SELU:
        return SELU_LAMBDA * (z > 0 ? 1 : SELU_ALPHA * exp(z));
    case WEFT_N_ACTIVATIONS:
        break;
    }
    return (double)NAN;
}

bool reference_has_kink(weft_activation activation)
{
    return activation == WEFT_RELU || activation == WEFT_LEAKY_RELU || activation == WEFT_SELU;
}

void reference_input(const weft_scaling *scaling, const weft_tensor *x, size_t row, double *out)
{
    for (size_t j = 0; j < x->cols; j++) {
        double raw = x->dtype == WEFT_U8 ? ((const uint8_t *)x->data)[row * x->ld + j]
                                         : (double)((const float *)x->data)[row * x->ld + j];
        if (scaling->n == 0) {
            out[j] = raw;
        } else {
            size_t k = scaling->n == 1 ? 0 : j;
            out[j] = (raw - (double)scaling->shift[k]) * (double)scaling->scale[k];
        }
    }
}

double *reference_inputs(const weft_scaling *scaling, const weft_tensor *x)
{
    double *out = reference_alloc(x->rows * x->cols, sizeof *out);
    for (size_t i = 0; i < x->rows; i++) {
        reference_input(scaling, x, i, out + i * x->cols);
    }
    return out;
}

void reference_forward(const struct reference *ref, const double *params, const double *x,
                       double *z)
{
    const double *weight = params, *below = NULL; /* below: z of the layer below */
    for (size_t l = 0; l < ref->n_layers; l++) {
        size_t n_in = ref->width[l], n_out = ref->width[l + 1];
        const double *bias = weight + n_out * n_in;
        for (size_t o = 0; o < n_out; o++) {
            z[o] = bias[o];
        }
        for (size_t i = 0; i < n_in; i++) {
            double a = l == 0 ? x[i] : reference_activation(ref->activation[l - 1], below[i]);
            for (size_t o = 0; o < n_out; o++) {
                z[o] += weight[o * n_in + i] * a;
            }
        }
        weight = bias + n_out;
        below = z;
        z += n_out;
    }
}

/* log(sum_j exp z_j) */
static double log_sum_exp(const double *z, size_t c)
{
    double max = z[0], sum = 0;
    for (size_t j = 1; j < c; j++) {
        max = fmax(max, z[j]);
    }
    for (size_t j = 0; j < c; j++) {
        sum += exp(z[j] - max);
    }
    return max + log(sum);
}

void reference_predict(weft_output output, const double *z, size_t c, double *p)
{
    double lse = log_sum_exp(z, c);
    for (size_t j = 0; j < c; j++) {
        p[j] = output == WEFT_OUTPUT_SOFTMAX   ? exp(z[j] - lse)
               : output == WEFT_OUTPUT_SIGMOID ? logistic(z[j])
                                               : z[j];
    }
}

/* The target y[row, j] as a number, whatever kind the targets are of. */
static double target(weft_output output, const weft_targets *targets, size_t row, size_t j)
{
    if (targets->kind == WEFT_LABELS_VALUES) {
        return (double)targets->values[row * targets->n_values + j];
    }
    size_t class = (size_t)targets->classes[row];
    return output == WEFT_OUTPUT_SOFTMAX ? (class == j ? 1 : 0) : (double)class;
}

double reference_sample_loss(weft_output output, const double *z, size_t c,
                             const weft_targets *targets, size_t row)
{
    double loss = 0;
    for (size_t j = 0; j < c; j++) {
        double y = target(output, targets, row, j);
        switch (output) {
        case WEFT_OUTPUT_SOFTMAX: /* -y log p */
            loss += y == 0 ? 0 : y * (log_sum_exp(z, c) - z[j]);
            break;
        case WEFT_OUTPUT_SIGMOID: /* -y log p - (1-y) log(1-p) = log(1 + e^z) - y z */
            loss += fmax(z[j], 0) + log1p(exp(-fabs(z[j]))) - y * z[j];
            break;
        default:
            loss += (z[j] - y) * (z[j] - y) / 2;
        }
    }
    return targets->weights == NULL ? loss : loss * (double)targets->weights[row];
}

double reference_loss(const struct reference *ref, const double *params, const double *x,
                      const weft_targets *targets, size_t n, double *zs)
{
    size_t n_units = reference_n_units(ref), at = reference_logits_at(ref);
    double *own = zs == NULL ? reference_alloc(n_units, sizeof *own) : NULL;
    double sum = 0;
    for (size_t b = 0; b < n; b++) {
        double *z = zs == NULL ? own : zs + b * n_units;
        reference_forward(ref, params, x + b * ref->width[0], z);
        sum += reference_sample_loss(ref->output, z + at, ref->width[ref->n_layers], targets, b);
    }
    free(own);
    return sum / (double)n;
}

/* Adds the gradient of one sample: z holds its pre-activations, d (same length) is scratch. */
static void add_sample_gradient(const struct reference *ref, const double *params, const double *x,
                                const weft_targets *targets, size_t row, double weight_of_sample,
                                const double *z, double *d, double *gradient)
{
    size_t c = ref->width[ref->n_layers];
    size_t at = reference_logits_at(ref), param_at = reference_n_params(ref);
    reference_predict(ref->output, z + at, c, d + at);
    weight_of_sample *= targets->weights == NULL ? 1 : (double)targets->weights[row];
    for (size_t j = 0; j < c; j++) {
        d[at + j] = (d[at + j] - target(ref->output, targets, row, j)) * weight_of_sample;
    }
    for (size_t l = ref->n_layers; l-- > 0;) {
        size_t n_in = ref->width[l], n_out = ref->width[l + 1];
        param_at -= (n_in + 1) * n_out;
        size_t below = l == 0 ? 0 : at - n_in;
        for (size_t o = 0; o < n_out; o++) {
            gradient[param_at + n_out * n_in + o] += d[at + o];
        }
        for (size_t i = 0; i < n_in; i++) {
            double a = l == 0 ? x[i] : reference_activation(ref->activation[l - 1], z[below + i]);
            double back = 0; /* (W^T d)_i */
            for (size_t o = 0; o < n_out; o++) {
                gradient[param_at + o * n_in + i] += d[at + o] * a;
                back += params[param_at + o * n_in + i] * d[at + o];
            }
            if (l > 0) {
                d[below + i] = back * reference_slope(ref->activation[l - 1], z[below + i]);
            }
        }
        at = below;
    }
}

void reference_gradient(const struct reference *ref, const double *params, const double *x,
                        const weft_targets *targets, size_t n, double *gradient)
{
    size_t n_units = reference_n_units(ref), n_params = reference_n_params(ref);
    double *z = reference_alloc(2 * n_units, sizeof *z);
    for (size_t k = 0; k < n_params; k++) {
        gradient[k] = 0;
    }
    for (size_t b = 0; b < n; b++) {
        const double *sample = x + b * ref->width[0];
        reference_forward(ref, params, sample, z);
        add_sample_gradient(ref, params, sample, targets, b, 1 / (double)n, z, z + n_units,
                            gradient);
    }
    free(z);
}
