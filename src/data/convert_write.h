/* Writers of data formats: what conversion hands to them. */
#ifndef WEFT_DATA_CONVERT_WRITE_H
#define WEFT_DATA_CONVERT_WRITE_H

#include "data/sink.h"
#include "data/summary_parts.h"

/* What is to be written, and what it is read from. */
struct weft_conversion {
    struct weft_source *source; /* at its first sample */
    const weft_summary *summary;
    const int32_t *rank; /* [n_rank] class of each id, where labels are ids; else NULL */
    size_t n_rank;
    bool are_numbers;            /* class names are whole numbers from 0 to INT32_MAX */
    double *numbers;             /* [n_classes] what stands for each class where names cannot */
    const char *x_path, *y_path; /* y_path NULL: one file, or no labels */
    uint64_t n_done;             /* samples that were read */
};

/* Reads the next samples into the block of x (bytes or float32, as the summary's dtype) and y
 * [n_labels each]: numbers of classes, or values. WEFT_ERR_IO: the file is not what it was. */
WEFT_CHECKED weft_status weft_conversion_read(struct weft_conversion *conversion,
                                              struct weft_block *block, weft_error *err);

/* For each sample: of CLASSES 1, of VALUES n_values, else 0. */
size_t weft_conversion_labels(const struct weft_conversion *conversion);

/* The name of the class that a number of weft_conversion_read() stands for. */
const char *weft_conversion_name(const struct weft_conversion *conversion, double number);

typedef weft_status weft_conversion_writer(struct weft_conversion *conversion, weft_error *err);
weft_conversion_writer weft_write_csv, weft_write_libsvm, weft_write_idx, weft_write_npy,
    weft_write_npz;

/* A block for such reading; NULL x where there is no memory. */
struct weft_block weft_conversion_block(const struct weft_conversion *conversion);
void weft_block_free(struct weft_block *block);

#endif
