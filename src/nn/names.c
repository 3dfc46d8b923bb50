/* Names of activations, outputs and initialisations. */
#include <weft/activation.h>
#include <weft/net.h>
#include <weft/norm.h>
#include <weft/output.h>

#include <stddef.h>
#include <string.h>

static const char *const activation_names[WEFT_N_ACTIVATIONS] = {
    [WEFT_IDENTITY] = "identity", [WEFT_RELU] = "relu",       [WEFT_LEAKY_RELU] = "leaky_relu",
    [WEFT_TANH] = "tanh",         [WEFT_SIGMOID] = "sigmoid", [WEFT_GELU] = "gelu",
    [WEFT_SILU] = "silu",         [WEFT_ELU] = "elu",         [WEFT_SELU] = "selu",
};

static const char *const output_names[WEFT_N_OUTPUTS] = {
    [WEFT_OUTPUT_SOFTMAX] = "softmax",
    [WEFT_OUTPUT_SIGMOID] = "sigmoid",
    [WEFT_OUTPUT_IDENTITY] = "identity",
};

static const char *const norm_names[WEFT_N_NORMS] = {
    [WEFT_NORM_NONE] = "none",
    [WEFT_NORM_BATCH] = "batch",
    [WEFT_NORM_LAYER] = "layer",
};

static const char *const init_names[WEFT_N_INITS] = {
    [WEFT_INIT_AUTO] = "auto",
    [WEFT_INIT_HE_NORMAL] = "he_normal",
    [WEFT_INIT_HE_UNIFORM] = "he_uniform",
    [WEFT_INIT_XAVIER_NORMAL] = "xavier_normal",
    [WEFT_INIT_XAVIER_UNIFORM] = "xavier_uniform",
    [WEFT_INIT_LECUN_NORMAL] = "lecun_normal",
    [WEFT_INIT_LECUN_UNIFORM] = "lecun_uniform",
    [WEFT_INIT_SMALL_NORMAL] = "small_normal",
};

/* The index of name, or n. */
static size_t find(const char *const *names, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

const char *weft_activation_name(weft_activation activation)
{
    return activation_names[activation];
}

weft_status weft_activation_from_name(const char *name, weft_activation *out)
{
    size_t i = find(activation_names, WEFT_N_ACTIVATIONS, name);
    if (i == WEFT_N_ACTIVATIONS) {
        return WEFT_ERR_ARG;
    }
    *out = (weft_activation)i;
    return WEFT_OK;
}

const char *weft_norm_name(weft_norm norm)
{
    return norm_names[norm];
}

weft_status weft_norm_from_name(const char *name, weft_norm *out)
{
    size_t i = find(norm_names, WEFT_N_NORMS, name);
    if (i == WEFT_N_NORMS) {
        return WEFT_ERR_ARG;
    }
    *out = (weft_norm)i;
    return WEFT_OK;
}

const char *weft_output_name(weft_output output)
{
    return output_names[output];
}

weft_status weft_output_from_name(const char *name, weft_output *out)
{
    size_t i = find(output_names, WEFT_N_OUTPUTS, name);
    if (i == WEFT_N_OUTPUTS) {
        return WEFT_ERR_ARG;
    }
    *out = (weft_output)i;
    return WEFT_OK;
}

const char *weft_init_name(weft_init init)
{
    return init_names[init];
}

weft_status weft_init_from_name(const char *name, weft_init *out)
{
    size_t i = find(init_names, WEFT_N_INITS, name);
    if (i == WEFT_N_INITS) {
        return WEFT_ERR_ARG;
    }
    *out = (weft_init)i;
    return WEFT_OK;
}
