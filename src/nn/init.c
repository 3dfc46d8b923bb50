/* Initial weights: a function of (kind, seed, layer, position), so of nothing that threads
 * could change. */
#include <weft/net.h>

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/rng.h"
#include "nn/layers.h"

/* He for activations that are near the identity on one side, LeCun for selu as its authors ask,
 * Xavier for those that are odd or linear near 0 and for the logits. */
static weft_init init_for(weft_activation f)
{
    switch (f) {
    case WEFT_RELU:
    case WEFT_LEAKY_RELU:
    case WEFT_GELU:
    case WEFT_SILU:
    case WEFT_ELU:
        return WEFT_INIT_HE_NORMAL;
    case WEFT_SELU:
        return WEFT_INIT_LECUN_NORMAL;
    case WEFT_IDENTITY:
    case WEFT_TANH:
    case WEFT_SIGMOID:
    case WEFT_N_ACTIVATIONS:
        break;
    }
    return WEFT_INIT_XAVIER_NORMAL;
}

static double deviation(weft_init init, const struct weft_layer *layer, float std)
{
    double n_in = (double)layer->linear.n_in, n_out = (double)layer->linear.n_out;
    switch (init) {
    case WEFT_INIT_HE_NORMAL:
    case WEFT_INIT_HE_UNIFORM:
        return sqrt(2 / n_in);
    case WEFT_INIT_XAVIER_NORMAL:
    case WEFT_INIT_XAVIER_UNIFORM:
        return sqrt(2 / (n_in + n_out));
    case WEFT_INIT_LECUN_NORMAL:
    case WEFT_INIT_LECUN_UNIFORM:
        return sqrt(1 / n_in);
    case WEFT_INIT_SMALL_NORMAL:
    case WEFT_INIT_AUTO:
    case WEFT_N_INITS:
        break;
    }
    return (double)std;
}

static bool is_uniform(weft_init init)
{
    return init == WEFT_INIT_HE_UNIFORM || init == WEFT_INIT_XAVIER_UNIFORM ||
           init == WEFT_INIT_LECUN_UNIFORM;
}

/* Weight (o, i) is number o n_in + i of the layer's stream: the order of the interface. */
static void init_layer(weft_net *net, size_t l, weft_init init, float std, uint64_t seed)
{
    const struct weft_layer *layer = &net->layers[l];
    if (init == WEFT_INIT_AUTO) {
        init = init_for(layer->f);
    }
    double scale = deviation(init, layer, std);
    uint64_t stream = weft_rng_stream(WEFT_RNG_INIT, l);
    const struct weft_linear *linear = &layer->linear;
    float *w = net->params + layer->at;
    for (size_t i = 0; i < linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            uint64_t at = (uint64_t)o * linear->n_in + i;
            double unit = is_uniform(init)
                              ? sqrt(3.0) * (2 * weft_rng_uniform(seed, stream, at) - 1)
                              : weft_rng_normal(seed, stream, at);
            w[weft_linear_at(linear, i, o)] = (float)(scale * unit);
        }
    }
    for (size_t o = 0; o < linear->n_out; o++) {
        w[weft_linear_at(linear, linear->n_in, o)] = 0;
    }
}

weft_status weft_net_init(weft_net *net, weft_init init, float std, uint64_t seed, weft_error *err)
{
    if ((unsigned)init >= WEFT_N_INITS) {
        return weft_fail(err, WEFT_ERR_ARG, "initialisation: none has the number %d", (int)init);
    }
    if (init == WEFT_INIT_SMALL_NORMAL && !(std > 0 && isfinite(std))) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "initialisation small_normal: standard deviation %g, wanted > 0",
                         (double)std);
    }
    for (size_t l = 0; l < net->n_layers; l++) {
        init_layer(net, l, init, std, seed);
    }
    weft_net_reset_norms(net);
    return WEFT_OK;
}
