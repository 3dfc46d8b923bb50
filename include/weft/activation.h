/** The functions between the layers of a network. */
#ifndef WEFT_ACTIVATION_H
#define WEFT_ACTIVATION_H

#include <weft/api.h>
#include <weft/status.h>

/** Activations of hidden layers; each is PyTorch's module of that name at its defaults. */
typedef enum weft_activation {
    WEFT_IDENTITY,   /**< z */
    WEFT_RELU,       /**< max(z, 0) */
    WEFT_LEAKY_RELU, /**< z, or 0.01 z below 0 (Maas et al. 2013) */
    WEFT_TANH,       /**< tanh z */
    WEFT_SIGMOID,    /**< 1 / (1 + exp(-z)) */
    WEFT_GELU,       /**< z/2 (1 + erf(z / sqrt 2)) (Hendrycks & Gimpel 2016, exact form) */
    WEFT_SILU,       /**< z / (1 + exp(-z)) (Elfwing et al. 2017) */
    WEFT_ELU,        /**< z, or exp(z) - 1 below 0 (Clevert et al. 2015) */
    WEFT_SELU,       /**< 1.0507.. (z, or 1.6732.. (exp(z) - 1) below 0) (Klambauer et al. 2017) */
    WEFT_N_ACTIVATIONS
} weft_activation;

/** The name for people and files: "relu", "leaky_relu", ... */
WEFT_API const char *weft_activation_name(weft_activation activation);

/** WEFT_ERR_ARG: no activation has that name. */
WEFT_API WEFT_CHECKED weft_status weft_activation_from_name(const char *name, weft_activation *out);

#endif
