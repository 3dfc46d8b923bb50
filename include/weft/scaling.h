/** How raw features become network inputs: x' = (x - shift) * scale. Stored in the model, applied
 *  by every forward pass. */
#ifndef WEFT_SCALING_H
#define WEFT_SCALING_H

#include <stddef.h>

#include <weft/api.h>
#include <weft/dataset.h>
#include <weft/status.h>

typedef enum weft_scale_kind {
    WEFT_SCALE_AUTO,     /**< unit for integer features, standard for others */
    WEFT_SCALE_NONE,     /**< x' = x */
    WEFT_SCALE_UNIT,     /**< to [0, 1]: u8 data by 1/255, other data by each feature's range */
    WEFT_SCALE_STANDARD, /**< to mean 0 and standard deviation 1 for each feature */
    WEFT_SCALE_RMS,      /**< by one factor, to mean square 1 of all features together: what
                            initialisations by He and LeCun expect of inputs, and zeros stay zero */
    WEFT_N_SCALE_KINDS
} weft_scale_kind;

/** shift and scale have n entries: 0 (kind none), 1 (the same for all features) or one for each. */
typedef struct weft_scaling {
    weft_scale_kind kind; /**< how it was found; never AUTO after weft_scaling_fit() */
    size_t n;
    float *shift, *scale;
} weft_scaling;

/** Finds the scaling for a (training) data set. Means and standard deviations are over the samples,
 *  divided by their number; a constant feature gets scale 1.
 *  Release with weft_scaling_release(). */
WEFT_API WEFT_CHECKED weft_status weft_scaling_fit(const weft_dataset *data, weft_scale_kind kind,
                                                   weft_scaling *out, weft_error *err);

/** Frees the arrays and makes the scaling empty; harmless on a zeroed one. */
WEFT_API void weft_scaling_release(weft_scaling *scaling);

/** "auto", "none", "unit", "standard". */
WEFT_API const char *weft_scale_kind_name(weft_scale_kind kind);
WEFT_API WEFT_CHECKED weft_status weft_scale_kind_from_name(const char *name, weft_scale_kind *out);

#endif
