/* Reading of safetensors files, which are not to be trusted: no memory is taken for a size that the
 * file itself does not bear out. */
#include "model/safetensors.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/half.h"
#include "base/mem.h"
#include "model/json_text.h"

#define METADATA "__metadata__"

static uint64_t le(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float decode_f32(const unsigned char *bytes)
{
    return from_bits((uint32_t)le(bytes, 4));
}

static float decode_f64(const unsigned char *bytes)
{
    uint64_t bits = le(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* The upper half of a binary32. */
static float decode_bf16(const unsigned char *bytes)
{
    return from_bits((uint32_t)le(bytes, 2) << 16);
}

static float decode_f16(const unsigned char *bytes)
{
    return weft_half_to_float((uint16_t)le(bytes, 2));
}

static const struct dtype {
    const char *name;
    size_t size;
    float (*decode)(const unsigned char *bytes); /* NULL: not read as a number */
} dtypes[] = {
    {"BOOL", 1, NULL},        {"U8", 1, NULL},  {"I8", 1, NULL},  {"F8_E5M2", 1, NULL},
    {"F8_E4M3", 1, NULL},     {"I16", 2, NULL}, {"U16", 2, NULL}, {"F16", 2, decode_f16},
    {"BF16", 2, decode_bf16}, {"I32", 4, NULL}, {"U32", 4, NULL}, {"F32", 4, decode_f32},
    {"F64", 8, decode_f64},   {"I64", 8, NULL}, {"U64", 8, NULL},
};

static const struct dtype *find_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            return &dtypes[i];
        }
    }
    return NULL;
}

static weft_status parse(struct weft_st_file *file, const char *json, size_t n, weft_error *err)
{
    if (n == 0 || json[0] != '{') {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: not a safetensors file: its header does not start with '{'",
                         file->path);
    }
    const char *too_much = weft_json_excess(json, n, WEFT_ST_MAX_DEPTH, WEFT_ST_MAX_SEPARATORS);
    if (too_much != NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: the header %s", file->path, too_much);
    }
    weft_error why;
    weft_status status = weft_json_parse(json, n, &file->header, &why);
    return status == WEFT_OK ? WEFT_OK
                             : weft_fail(err, status, "%s: header: %s", file->path, why.message);
}

static weft_status read_bytes(struct weft_st_file *file, void *bytes, size_t n, weft_error *err)
{
    if (fread(bytes, 1, n, file->stream) == n) {
        return WEFT_OK;
    }
    return ferror(file->stream)
               ? weft_fail_errno(err, errno, "%s: cannot read", file->path)
               : weft_fail(err, WEFT_ERR_IO, "%s: became shorter while it was read", file->path);
}

/* Reads the header of a file of `size` bytes. */
static weft_status read_header(struct weft_st_file *file, uint64_t size, weft_error *err)
{
    unsigned char bytes[8];
    if (size < sizeof bytes) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: not a safetensors file: %" PRIu64 " bytes, wanted at least 8",
                         file->path, size);
    }
    weft_status status = read_bytes(file, bytes, sizeof bytes, err);
    if (status != WEFT_OK) {
        return status;
    }
    uint64_t n = le(bytes, sizeof bytes);
    if (n > WEFT_ST_MAX_HEADER) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: not a safetensors file: it promises a header of %" PRIu64
                         " bytes, the format allows %d",
                         file->path, n, WEFT_ST_MAX_HEADER);
    }
    if (n > size - sizeof bytes) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: cut short: it promises a header of %" PRIu64 " bytes, only %" PRIu64
                         " follow",
                         file->path, n, size - sizeof bytes);
    }
    char *json = weft_mem_alloc((size_t)n, 1);
    if (json == NULL) {
        return weft_fail_nomem(err, "the header of a model file");
    }
    status = read_bytes(file, json, (size_t)n, err);
    if (status == WEFT_OK) {
        status = parse(file, json, (size_t)n, err);
    }
    weft_mem_free(json);
    file->data_start = sizeof bytes + n;
    return status;
}

static weft_status check_metadata(const struct weft_st_file *file, json_t *metadata,
                                  weft_error *err)
{
    if (!json_is_object(metadata)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: " METADATA " is no JSON object", file->path);
    }
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: " METADATA ": the value of '%.80s' is no "
                             "string",
                             file->path, key);
        }
    }
    return WEFT_OK;
}

/* A whole number of JSON that size_t can hold. */
static bool to_size(const json_t *value, size_t *out)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uintmax_t)number > SIZE_MAX) {
        return false;
    }
    *out = (size_t)number;
    return true;
}

static weft_status bad_tensor(const struct weft_st_file *file, const char *name, const char *what,
                              weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: tensor '%.80s': %s", file->path, name, what);
}

/* Fills dims and count. */
static weft_status parse_shape(const struct weft_st_file *file, struct weft_st_tensor *tensor,
                               const json_t *shape, weft_error *err)
{
    if (!json_is_array(shape)) {
        return bad_tensor(file, tensor->name, "shape is no list", err);
    }
    tensor->n_dims = json_array_size(shape);
    if (tensor->n_dims > WEFT_ST_MAX_DIMS) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: tensor '%.80s' has %zu dimensions, at most %d are read", file->path,
                         tensor->name, tensor->n_dims, WEFT_ST_MAX_DIMS);
    }
    tensor->count = 1;
    for (size_t i = 0; i < tensor->n_dims; i++) {
        if (!to_size(json_array_get(shape, i), &tensor->dims[i])) {
            return bad_tensor(file, tensor->name,
                              "shape has an entry that is no whole number from 0", err);
        }
        if (!weft_mul_fits(tensor->count, tensor->dims[i], &tensor->count)) {
            return bad_tensor(file, tensor->name, "the product of its shape overflows", err);
        }
    }
    return WEFT_OK;
}

/* Fills begin and end, which must lie in data_size bytes and hold exactly the tensor. */
static weft_status parse_offsets(const struct weft_st_file *file, struct weft_st_tensor *tensor,
                                 const json_t *offsets, uint64_t data_size, weft_error *err)
{
    size_t begin, end, bytes;
    if (json_array_size(offsets) != 2 || !to_size(json_array_get(offsets, 0), &begin) ||
        !to_size(json_array_get(offsets, 1), &end)) {
        return bad_tensor(file, tensor->name, "data_offsets is no pair of whole numbers from 0",
                          err);
    }
    if (begin > end || end > data_size) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: tensor '%.80s' is at bytes %zu to %zu of the data, the file has "
                         "%" PRIu64,
                         file->path, tensor->name, begin, end, data_size);
    }
    if (!weft_mul_fits(tensor->count, find_dtype(tensor->dtype)->size, &bytes)) {
        return bad_tensor(file, tensor->name, "the size of its elements overflows", err);
    }
    if (bytes != end - begin) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: tensor '%.80s' takes %zu bytes by its shape and type, %zu by its "
                         "offsets",
                         file->path, tensor->name, bytes, end - begin);
    }
    tensor->begin = begin;
    tensor->end = end;
    return WEFT_OK;
}

static weft_status parse_tensor(const struct weft_st_file *file, struct weft_st_tensor *tensor,
                                const char *name, const json_t *value, uint64_t data_size,
                                weft_error *err)
{
    *tensor = (struct weft_st_tensor){.name = name};
    if (!json_is_object(value)) {
        return bad_tensor(file, name, "its description is no JSON object", err);
    }
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    if (dtype == NULL) {
        return bad_tensor(file, name, "dtype is missing or no string", err);
    }
    if (find_dtype(dtype) == NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: tensor '%.80s' has the unknown dtype '%.20s'",
                         file->path, name, dtype);
    }
    tensor->dtype = dtype;
    weft_status status = parse_shape(file, tensor, json_object_get(value, "shape"), err);
    if (status != WEFT_OK) {
        return status;
    }
    return parse_offsets(file, tensor, json_object_get(value, "data_offsets"), data_size, err);
}

static weft_status parse_tensors(struct weft_st_file *file, uint64_t data_size, weft_error *err)
{
    file->tensors = weft_mem_alloc(json_object_size(file->header), sizeof *file->tensors);
    if (file->tensors == NULL) {
        return weft_fail_nomem(err, "the list of tensors of a model file");
    }
    const char *name;
    json_t *value;
    json_object_foreach(file->header, name, value)
    {
        weft_status status = strcmp(name, METADATA) == 0
                                 ? check_metadata(file, value, err)
                                 : parse_tensor(file, &file->tensors[file->n_tensors++], name,
                                                value, data_size, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    return WEFT_OK;
}

/* By place; an empty tensor before one that starts where it ends. */
static int by_place(const void *a, const void *b)
{
    const struct weft_st_tensor *x = a, *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return (x->end > y->end) - (x->end < y->end);
}

/* The tensors must follow each other from the first to the last byte of the data. */
static weft_status check_places(struct weft_st_file *file, uint64_t data_size, weft_error *err)
{
    qsort(file->tensors, file->n_tensors, sizeof *file->tensors, by_place);
    uint64_t at = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct weft_st_tensor *tensor = &file->tensors[i];
        if (tensor->begin != at) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: tensor '%.80s' starts at byte %" PRIu64
                             " of the data, what is before it ends at %" PRIu64 ": %s",
                             file->path, tensor->name, tensor->begin, at,
                             tensor->begin > at ? "a gap" : "an overlap");
        }
        at = tensor->end;
    }
    if (at != data_size) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %" PRIu64 " bytes of data, the tensors have %" PRIu64, file->path,
                         data_size, at);
    }
    return WEFT_OK;
}

static weft_status open_stream(struct weft_st_file *file, uint64_t *size, weft_error *err)
{
    struct stat info;
    if (stat(file->path, &info) != 0) {
        return weft_fail_errno(err, errno, "%s: cannot open", file->path);
    }
    if (!S_ISREG(info.st_mode)) { /* known before fopen(), which waits where it is a pipe */
        return weft_fail(err, WEFT_ERR_IO, "%s: %s, wanted a model file", file->path,
                         S_ISDIR(info.st_mode) ? "a directory" : "no regular file");
    }
    file->stream = fopen(file->path, "rb");
    if (file->stream == NULL || fstat(fileno(file->stream), &info) != 0) {
        return weft_fail_errno(err, errno, "%s: cannot open", file->path);
    }
    *size = (uint64_t)info.st_size;
    return WEFT_OK;
}

weft_status weft_st_open(struct weft_st_file *file, const char *path, weft_error *err)
{
    *file = (struct weft_st_file){.path = path};
    uint64_t size = 0;
    weft_status status = open_stream(file, &size, err);
    if (status == WEFT_OK) {
        status = read_header(file, size, err);
    }
    uint64_t data_size = size - file->data_start;
    if (status == WEFT_OK) {
        status = parse_tensors(file, data_size, err);
    }
    if (status == WEFT_OK) {
        status = check_places(file, data_size, err);
    }
    if (status != WEFT_OK) {
        weft_st_close(file);
    }
    return status;
}

void weft_st_close(struct weft_st_file *file)
{
    if (file->stream != NULL) {
        fclose(file->stream);
    }
    json_decref(file->header);
    weft_mem_free(file->tensors);
    *file = (struct weft_st_file){0};
}

const char *weft_st_metadata(const struct weft_st_file *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, METADATA), key));
}

weft_status weft_st_read(struct weft_st_file *file, const struct weft_st_tensor *tensor,
                         float *values, weft_error *err)
{
    const struct dtype *dtype = find_dtype(tensor->dtype);
    assert(dtype != NULL);
    if (dtype->decode == NULL) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: tensor '%.80s' has the dtype %s; weights are F32, F64, F16 or BF16",
                         file->path, tensor->name, dtype->name);
    }
    if (fseeko(file->stream, (off_t)(file->data_start + tensor->begin), SEEK_SET) != 0) {
        return weft_fail_errno(err, errno, "%s: cannot read", file->path);
    }
    unsigned char chunk[8192]; /* whole elements of every size */
    for (size_t done = 0; done < tensor->count;) {
        size_t n = sizeof chunk / dtype->size;
        n = n < tensor->count - done ? n : tensor->count - done;
        weft_status status = read_bytes(file, chunk, n * dtype->size, err);
        if (status != WEFT_OK) {
            return status;
        }
        for (size_t i = 0; i < n; i++) {
            values[done + i] = dtype->decode(chunk + i * dtype->size);
        }
        done += n;
    }
    return WEFT_OK;
}

/* The data of a file follow each other without gaps, in the order of its tensors. */
static weft_status seal_of(struct weft_st_file *file, struct weft_st_seal *seal, weft_error *err)
{
    unsigned char chunk[8192];
    if (fseeko(file->stream, (off_t)file->data_start, SEEK_SET) != 0) {
        return weft_fail_errno(err, errno, "%s: cannot read", file->path);
    }
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct weft_st_tensor *tensor = &file->tensors[i];
        weft_st_seal_tensor(seal, tensor->name, tensor->dims, tensor->n_dims);
        for (uint64_t at = tensor->begin; at < tensor->end;) {
            uint64_t left = tensor->end - at;
            size_t n = left < sizeof chunk ? (size_t)left : sizeof chunk;
            weft_status status = read_bytes(file, chunk, n, err);
            if (status != WEFT_OK) {
                return status;
            }
            weft_st_seal_data(seal, chunk, n);
            at += n;
        }
    }
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(file->header, METADATA), key, value)
    {
        if (strcmp(key, WEFT_ST_SEAL_KEY) != 0) {
            weft_st_seal_pair(seal, key, json_string_value(value));
        }
    }
    return WEFT_OK;
}

weft_status weft_st_check_seal(struct weft_st_file *file, weft_error *err)
{
    const char *wanted = weft_st_metadata(file, WEFT_ST_SEAL_KEY);
    struct weft_st_seal seal = {0};
    char found[WEFT_ST_SEAL_SIZE];
    if (wanted == NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: has no " WEFT_ST_SEAL_KEY, file->path);
    }
    weft_status status = seal_of(file, &seal, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_st_seal_text(&seal, found);
    return strcmp(found, wanted) == 0
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: damaged: its content has the checksum %s, it says %.20s",
                           file->path, found, wanted);
}
