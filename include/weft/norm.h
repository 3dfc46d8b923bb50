/** Normalisation between a hidden layer's product and its activation. */
#ifndef WEFT_NORM_H
#define WEFT_NORM_H

#include <weft/api.h>
#include <weft/status.h>

/** How z = W x + b of a hidden layer is normalised: f(gamma * n + beta), gamma and beta trained. */
typedef enum weft_norm {
    WEFT_NORM_NONE, /**< f(z) */
    /** n = (z - mean) / sqrt(var + 1e-5) for each unit over the samples of a batch, in predictions
     *  by running averages of both: r = 0.9 r + 0.1 batch, of the mean and of the variance with
     *  B / (B - 1) (Ioffe & Szegedy 2015, algorithms 1 and 2; PyTorch's BatchNorm1d) */
    WEFT_NORM_BATCH,
    /** the same for each sample over the units of its layer (Ba et al. 2016, eq. 4; PyTorch's
     *  LayerNorm) */
    WEFT_NORM_LAYER,
    WEFT_N_NORMS
} weft_norm;

/** The name for people and files: "none", "batch", "layer". */
WEFT_API const char *weft_norm_name(weft_norm norm);

/** WEFT_ERR_ARG: no normalisation has that name. */
WEFT_API WEFT_CHECKED weft_status weft_norm_from_name(const char *name, weft_norm *out);

#endif
