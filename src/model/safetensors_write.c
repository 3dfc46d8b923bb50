/* Writing of safetensors files: upstream's order and compact JSON, padded so that the data start
 * at a multiple of 64 bytes. */
#include "model/safetensors.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"

/* json_object_set_new() and json_array_append_new() take a NULL as a failure of their own, so that
 * one look at the result serves for both. */

static json_t *metadata_json(const struct weft_st_pair *pairs, size_t n)
{
    json_t *object = json_object();
    bool ok = object != NULL;
    for (size_t i = 0; i < n && ok; i++) {
        ok = json_object_set_new(object, pairs[i].key, json_string(pairs[i].value)) == 0;
    }
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static size_t count_of(const struct weft_st_item *item)
{
    size_t count = 1;
    for (size_t i = 0; i < item->n_dims; i++) {
        count *= item->dims[i];
    }
    return count;
}

static json_t *item_json(const struct weft_st_item *item, size_t begin, size_t end)
{
    json_t *object = json_object(), *shape = json_array(), *offsets = json_array();
    bool ok = object != NULL;
    for (size_t i = 0; i < item->n_dims; i++) {
        ok = json_array_append_new(shape, json_integer((json_int_t)item->dims[i])) == 0 && ok;
    }
    ok = json_array_append_new(offsets, json_integer((json_int_t)begin)) == 0 && ok;
    ok = json_array_append_new(offsets, json_integer((json_int_t)end)) == 0 && ok;
    ok = json_object_set_new(object, "dtype", json_string("F32")) == 0 && ok;
    ok = json_object_set_new(object, "shape", shape) == 0 && ok;
    ok = json_object_set_new(object, "data_offsets", offsets) == 0 && ok;
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *header_json(const struct weft_st_pair *metadata, size_t n_metadata,
                           const struct weft_st_item *items, size_t n_items)
{
    json_t *header = json_object();
    bool ok = json_object_set_new(header, "__metadata__", metadata_json(metadata, n_metadata)) == 0;
    size_t at = 0;
    for (size_t i = 0; i < n_items && ok; i++) {
        size_t end = at + count_of(&items[i]) * 4;
        ok = json_object_set_new(header, items[i].name, item_json(&items[i], at, end)) == 0;
        at = end;
    }
    if (!ok) {
        json_decref(header);
        return NULL;
    }
    return header;
}

/* The header as bytes: its length (8 bytes, little-endian), JSON, spaces. NULL: no memory. */
static unsigned char *header_bytes(const json_t *header, size_t *size)
{
    size_t len = json_dumpb(header, NULL, 0, JSON_COMPACT);
    size_t padded = (8 + len + 63) / 64 * 64;
    unsigned char *bytes = len == 0 ? NULL : weft_mem_alloc(padded, 1);
    if (bytes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((uint64_t)(padded - 8) >> (8 * i));
    }
    memset(bytes + 8, ' ', padded - 8);
    if (json_dumpb(header, (char *)bytes + 8, len, JSON_COMPACT) != len) {
        weft_mem_free(bytes);
        return NULL;
    }
    *size = padded;
    return bytes;
}

enum { CHUNK = 2048 }; /* elements */

/* Elements from .. from + n as bytes; false where one is not finite. */
static bool encode(const struct weft_st_item *item, size_t from, size_t n,
                   unsigned char bytes[4 * CHUNK])
{
    float filled[CHUNK];
    const float *values = filled;
    if (item->values != NULL) {
        values = item->values + from;
    } else {
        item->fill(item, from, n, filled);
    }
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        finite = finite && isfinite(values[i]);
        for (size_t b = 0; b < 4; b++) {
            bytes[4 * i + b] = (unsigned char)(bits >> (8 * b));
        }
    }
    return finite;
}

static void write_item(FILE *stream, const struct weft_st_item *item)
{
    unsigned char bytes[4 * CHUNK];
    size_t count = count_of(item);
    for (size_t done = 0; done < count && !ferror(stream); done += CHUNK) {
        size_t n = count - done < CHUNK ? count - done : CHUNK;
        encode(item, done, n, bytes);
        fwrite(bytes, 4, n, stream);
    }
}

static weft_status seal_item(struct weft_st_seal *seal, const char *path,
                             const struct weft_st_item *item, weft_error *err)
{
    unsigned char bytes[4 * CHUNK];
    size_t count = count_of(item);
    weft_st_seal_tensor(seal, item->name, item->dims, item->n_dims);
    for (size_t done = 0; done < count; done += CHUNK) {
        size_t n = count - done < CHUNK ? count - done : CHUNK;
        if (!encode(item, done, n, bytes)) {
            return weft_fail(err, WEFT_ERR_DIVERGED, "%s: cannot save: '%s' is not finite", path,
                             item->name);
        }
        weft_st_seal_data(seal, bytes, 4 * n);
    }
    return WEFT_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct weft_st_item *)a)->name, ((const struct weft_st_item *)b)->name);
}

static weft_status write_file(const char *path, const unsigned char *header, size_t header_size,
                              const struct weft_st_item *items, size_t n_items, weft_error *err)
{
    if (header_size - 8 > WEFT_ST_MAX_HEADER) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "%s: names and scaling of the model make a header of %zu bytes, "
                         "the format allows %d",
                         path, header_size - 8, WEFT_ST_MAX_HEADER);
    }
    struct weft_safefile file;
    weft_status status = weft_safefile_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    fwrite(header, 1, header_size, file.stream);
    for (size_t i = 0; i < n_items; i++) {
        write_item(file.stream, &items[i]);
    }
    return weft_safefile_commit(&file, err);
}

weft_status weft_st_write(const char *path, const struct weft_st_pair *metadata, size_t n_metadata,
                          struct weft_st_item *items, size_t n_items, weft_error *err)
{
    qsort(items, n_items, sizeof *items, by_name);
    json_t *header = header_json(metadata, n_metadata, items, n_items);
    size_t size = 0;
    unsigned char *bytes = header == NULL ? NULL : header_bytes(header, &size);
    json_decref(header);
    if (bytes == NULL) {
        return weft_fail_nomem(err, "the header of a model file");
    }
    weft_status status = write_file(path, bytes, size, items, n_items, err);
    weft_mem_free(bytes);
    return status;
}

weft_status weft_st_write_sealed(const char *path, struct weft_st_pair *metadata, size_t n_metadata,
                                 struct weft_st_item *items, size_t n_items, weft_error *err)
{
    struct weft_st_seal seal = {0};
    char text[WEFT_ST_SEAL_SIZE];
    qsort(items, n_items, sizeof *items, by_name);
    for (size_t i = 0; i < n_items; i++) {
        weft_status status = seal_item(&seal, path, &items[i], err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < n_metadata; i++) {
        weft_st_seal_pair(&seal, metadata[i].key, metadata[i].value);
    }
    weft_st_seal_text(&seal, text);
    metadata[n_metadata] = (struct weft_st_pair){WEFT_ST_SEAL_KEY, text};
    return weft_st_write(path, metadata, n_metadata + 1, items, n_items, err);
}
