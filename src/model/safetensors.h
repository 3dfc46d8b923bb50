/* The safetensors format: a JSON header that names tensors, then their elements. Reading takes any
 * sound file, whatever its tensors mean; writing makes files of float32 tensors.
 * Source: README.md and safetensors/src/tensor.rs of huggingface/safetensors, whose limits hold. */
#ifndef WEFT_MODEL_SAFETENSORS_H
#define WEFT_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weft/status.h>

#include <jansson.h>

enum {
    WEFT_ST_MAX_DIMS = 8,           /* ours */
    WEFT_ST_MAX_HEADER = 100000000, /* bytes; the format's */
    WEFT_ST_MAX_DEPTH = 3,          /* {"name":{"shape":[...]}} */
    WEFT_ST_MAX_SEPARATORS =
        1 << 18, /* ours: commas and colons of the header, 7 or more a tensor */
};

/* One tensor of an open file; the names are borrowed from it. */
struct weft_st_tensor {
    const char *name;
    const char *dtype; /* "F32", ... */
    size_t n_dims;
    size_t dims[WEFT_ST_MAX_DIMS];
    size_t count;        /* elements: the product of dims */
    uint64_t begin, end; /* bytes it takes of the data that follow the header */
};

/* An open file. A zeroed struct is a closed one. */
struct weft_st_file {
    const char *path; /* borrowed from the caller of weft_st_open() */
    FILE *stream;
    json_t *header;
    struct weft_st_tensor *tensors; /* [n_tensors] in the order of their data */
    size_t n_tensors;
    uint64_t data_start;
};

/* Opens a file and checks its header: sizes against the file before memory is taken for them, then
 * every tensor's type, shape and place. WEFT_ERR_IO, WEFT_ERR_FORMAT, WEFT_ERR_NOMEM. Close with
 * weft_st_close(). */
WEFT_CHECKED weft_status weft_st_open(struct weft_st_file *file, const char *path, weft_error *err);

void weft_st_close(struct weft_st_file *file);

/* A value of the file's __metadata__, borrowed, or NULL where it has no such key. */
const char *weft_st_metadata(const struct weft_st_file *file, const char *key);

/* Reads a tensor as float32 into values[count]. F64 is rounded, F16 and BF16 are exact.
 * WEFT_ERR_MISMATCH: the tensor has integers or 8-bit floats. */
WEFT_CHECKED weft_status weft_st_read(struct weft_st_file *file,
                                      const struct weft_st_tensor *tensor, float *values,
                                      weft_error *err);

/* What weft_st_write() is to write: a float32 tensor, row-major. */
struct weft_st_item {
    char name[32];
    size_t n_dims;
    size_t dims[2];
    const float *values;
};

/* An entry of __metadata__. */
struct weft_st_pair {
    const char *key, *value; /* UTF-8 */
};

/* Writes a file, whole or not at all; equal arguments give equal bytes. Brings the items into the
 * order of the format (by name, as all have the same type). */
WEFT_CHECKED weft_status weft_st_write(const char *path, const struct weft_st_pair *metadata,
                                       size_t n_metadata, struct weft_st_item *items,
                                       size_t n_items, weft_error *err);

#endif
