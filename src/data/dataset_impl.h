/* What a data set is inside, and what the readers of all formats share: sizes checked before memory
 * is taken, the memory itself, and the one look at every number. */
#ifndef WEFT_DATA_DATASET_IMPL_H
#define WEFT_DATA_DATASET_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/dataset.h>

#define WEFT_SAMPLE_DIMS 4

/* Sizes as a file states them. */
struct weft_extent {
    size_t samples, features;
    size_t n_dims, dims[WEFT_SAMPLE_DIMS]; /* of one sample */
};

struct weft_dataset {
    weft_tensor
        x; /* [samples, features], rows without gaps; without data where they are in a file */
    struct weft_extent extent;
    bool is_integer;
    weft_label_kind kind;
    int32_t *classes; /* [samples] or NULL */
    float *values;    /* [samples, n_values] or NULL */
    size_t n_values;
    float *weights;     /* [samples] or NULL */
    char **class_names; /* [n_classes], one block with the texts, or NULL */
    size_t n_classes;
    weft_columns columns;       /* n is 0 where nothing is known of them */
    const char *format;         /* constant */
    struct weft_stream *stream; /* where features are read from, or NULL: they are in x */
    uint32_t *numbers; /* [samples] which of the stream's samples they are, or NULL: all of them */
};

/* From sizes, samples first: 1 to 5 of them, none 0; fewer than 2^32 samples, and a product that
 * fits size_t with `element` bytes each. `path` is for the message. */
WEFT_CHECKED weft_status weft_extent_init(struct weft_extent *extent, const uint64_t *dims,
                                          size_t n_dims, size_t element, const char *path,
                                          weft_error *err);

/* Refuses what a compressed file of file_bytes cannot hold: deflate never shrinks to less than
 * 1/1032 (258 bytes in 2 bits). */
WEFT_CHECKED weft_status weft_check_plausible(uint64_t promised_bytes, uint64_t file_bytes,
                                              const char *path, weft_error *err);

/* A data set without labels whose features are not yet written: no page of them is touched. */
WEFT_CHECKED weft_status weft_dataset_new(const struct weft_extent *extent, weft_dtype dtype,
                                          const char *format, weft_dataset **out, weft_error *err);

/* What is known of features read so far; start with both true. */
struct weft_features_seen {
    bool whole;  /* all of them are whole numbers */
    bool pixels; /* and in 0..255 */
    float largest;
};

/* Looks at the float32 features of n samples, of which `first` came before: refuses (with `status`)
 * the first number that is not finite. */
WEFT_CHECKED weft_status weft_features_look(struct weft_features_seen *seen, const float *x,
                                            size_t n, size_t n_features, size_t first,
                                            weft_status status, const char *path, weft_error *err);

/* To be called once features and values are written: refuses (with `status`) the first number that
 * is not finite, and finds whether the features are whole. The paths are where features and
 * labels came from. */
WEFT_CHECKED weft_status weft_dataset_scan(weft_dataset *data, weft_status status,
                                           const char *x_path, const char *y_path, weft_error *err);

/* Copies names into the data set, which must have none. */
WEFT_CHECKED weft_status weft_dataset_set_names(weft_dataset *data, const char *const *names,
                                                size_t n, weft_error *err);

/* Makes room for `more` elements behind `used` ones in an array that at least doubles, NULL and 0
 * at first; false without memory, and the array is then as it was. */
WEFT_CHECKED bool weft_array_reserve(void **array, size_t used, size_t more, size_t *capacity,
                                     size_t size);

/* A piece of a file in quotes for a message: cut to a few dozen bytes, control characters
 * replaced. */
struct weft_quoted {
    char text[64];
};
struct weft_quoted weft_quote(const char *text, size_t len);

/* A list for a message: "a, b, ...", cut where it would be too long. A zeroed struct is empty. */
struct weft_listing {
    char text[200];
    size_t len;
    bool is_full;
};
void weft_listing_add(struct weft_listing *listing, const char *name);

#endif
