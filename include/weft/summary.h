/** What is in data of any format and size, found in one pass and in bounded memory. */
#ifndef WEFT_SUMMARY_H
#define WEFT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/api.h>
#include <weft/dataset.h>
#include <weft/status.h>
#include <weft/targets.h>
#include <weft/tensor.h>

typedef struct weft_summary {
    const char *format; /**< as weft_dataset_format() */
    size_t samples, features;
    size_t n_dims, dims[4]; /**< of a sample */
    weft_dtype dtype;       /**< as weft_dataset_load() would hold it */
    bool is_integer;        /**< all features are whole numbers */
    uint64_t missing;       /**< features without a value: empty cells, NaN; not in what follows */
    double min, max, mean;  /**< of all features */
    double std;             /**< sqrt(mean of (x - mean)^2) */
    weft_label_kind labels; /**< NONE, CLASSES or VALUES */
    size_t n_classes;       /**< of CLASSES */
    char **class_names;     /**< [n_classes] */
    uint64_t *class_counts; /**< [n_classes] samples of each */
    size_t n_values;        /**< of VALUES, for each sample */
    double label_min, label_max, label_mean;
} weft_summary;

/** Reads what weft_dataset_load() would read, whose errors it has; but cells without a value and
 *  NaN are counted (options.missing is not looked at), and infinities are numbers. Memory does not
 *  grow with the number of samples. Release with weft_summary_release(). */
WEFT_API WEFT_CHECKED weft_status weft_dataset_summarize(const char *path,
                                                         const weft_dataset_options *options,
                                                         weft_summary *out, weft_error *err);

/** Harmless on a zeroed one. */
WEFT_API void weft_summary_release(weft_summary *summary);

#endif
