/** What comes out of a network, and the loss that measures it. */
#ifndef WEFT_OUTPUT_H
#define WEFT_OUTPUT_H

#include <weft/api.h>
#include <weft/status.h>
#include <weft/tensor.h>

/** What the last layer's logits z mean, and the loss that goes with it. For B samples and C
 *  outputs, with p the prediction and y the target, dloss/dz = (p - y) / B in all three cases. */
typedef enum weft_output {
    WEFT_OUTPUT_SOFTMAX,  /**< p = softmax(z); loss = -1/B sum_b log p[b, y_b]
                               (Bishop 2006, eq. 4.108) */
    WEFT_OUTPUT_SIGMOID,  /**< p = 1 / (1 + exp(-z)); loss = -1/B sum_bj y log p + (1-y) log(1-p)
                               (Bishop 2006, eq. 4.90) */
    WEFT_OUTPUT_IDENTITY, /**< p = z; loss = 1/(2B) sum_bj (p - y)^2
                               (Bishop 2006, eq. 5.14, as a mean over the samples) */
    WEFT_N_OUTPUTS
} weft_output;

/** The name for people and files: "softmax", "sigmoid", "identity". */
WEFT_API const char *weft_output_name(weft_output output);

/** WEFT_ERR_ARG: no output has that name. */
WEFT_API WEFT_CHECKED weft_status weft_output_from_name(const char *name, weft_output *out);

/** In place, from logits [B, C] (f32, C >= 1) to predictions p: probabilities, or the values
 *  themselves. */
WEFT_API void weft_output_apply(weft_output output, weft_tensor *logits);

#endif
