/* An array of numbers in a file, behind its header: read sample by sample from front to back, or
 * from any sample on. */
#ifndef WEFT_DATA_BINARY_ARRAY_H
#define WEFT_DATA_BINARY_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/dataset_impl.h"
#include "data/element.h"
#include "data/gzstream.h"

/* A zeroed struct may be released. */
struct weft_binary_array {
    struct weft_gzstream *stream; /* owned */
    struct weft_element element;
    struct weft_extent extent;
    bool is_fortran;      /* the first index is the fastest, else the last one */
    size_t header_bytes;  /* before the elements */
    size_t n_bytes;       /* of all elements */
    size_t at;            /* sample to be read next */
    unsigned char *chunk; /* elements as they are in the file */
    unsigned char *whole; /* all of them, where they must be decompressed and cut across */
};

/* To be called once the header is read and the fields up to header_bytes are set: the sizes must be
 * those of the file, exactly for a plain one, by what could be in it for a compressed one. */
WEFT_CHECKED weft_status weft_binary_array_start(struct weft_binary_array *array, weft_error *err);

/* Whether reading from any sample on costs nothing. */
bool weft_binary_array_can_seek(const struct weft_binary_array *array);

WEFT_CHECKED weft_status weft_binary_array_seek(struct weft_binary_array *array, size_t sample,
                                                weft_error *err);

/* Reads the features of the next n samples, which must be there, as weft_element_dtype(). Behind
 * the last one nothing may follow. */
WEFT_CHECKED weft_status weft_binary_array_features(struct weft_binary_array *array, size_t n,
                                                    void *out, weft_error *err);

/* The same as numbers: the first n_each of every sample. */
WEFT_CHECKED weft_status weft_binary_array_numbers(struct weft_binary_array *array, size_t n,
                                                   size_t n_each, double *out, weft_error *err);

void weft_binary_array_release(struct weft_binary_array *array);

#endif
