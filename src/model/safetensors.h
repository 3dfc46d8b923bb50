/* The safetensors format: a JSON header that names tensors, then their elements. Reading takes any
 * sound file, whatever its tensors mean; writing makes files of float32 tensors.
 * Source: README.md and safetensors/src/tensor.rs of huggingface/safetensors, whose limits hold. */
#ifndef WEFT_MODEL_SAFETENSORS_H
#define WEFT_MODEL_SAFETENSORS_H

#include <stdbool.h>
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

/* Compares the checksum in the metadata with what the file holds: metadata, names, shapes, data.
 * WEFT_ERR_FORMAT: they differ, or there is none. */
WEFT_CHECKED weft_status weft_st_check_seal(struct weft_st_file *file, weft_error *err);

/* What weft_st_write() is to write: a float32 tensor, row-major. */
struct weft_st_item {
    char name[64];
    size_t n_dims;
    size_t dims[2];
    const float *values; /* or NULL: fill() gives elements from .. from + n */
    void (*fill)(const struct weft_st_item *item, size_t from, size_t n, float *out);
    const void *source; /* for fill() */
    size_t part;        /* for fill() */
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

/* The same with a checksum among the metadata, which has room for one pair more, for
 * weft_st_check_seal(). WEFT_ERR_DIVERGED: a number is not finite; nothing is written. */
WEFT_CHECKED weft_status weft_st_write_sealed(const char *path, struct weft_st_pair *metadata,
                                              size_t n_metadata, struct weft_st_item *items,
                                              size_t n_items, weft_error *err);

/* The checksum: CRC-32 of all names, shapes and data in their order, and the sum of the CRC-32 of
 * all metadata, which have none. A zeroed struct is that of nothing. */
struct weft_st_seal {
    uint32_t data, metadata;
};
#define WEFT_ST_SEAL_KEY "weft.checksum"
enum { WEFT_ST_SEAL_SIZE = 17 };
void weft_st_seal_tensor(struct weft_st_seal *seal, const char *name, const size_t *dims,
                         size_t n_dims);
void weft_st_seal_data(struct weft_st_seal *seal, const unsigned char *data, size_t n);
void weft_st_seal_pair(struct weft_st_seal *seal, const char *key, const char *value);
void weft_st_seal_text(const struct weft_st_seal *seal, char text[WEFT_ST_SEAL_SIZE]);

#endif
