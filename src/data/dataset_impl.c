/* What the readers of all formats share. */
#include "data/dataset_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/streamed.h"

/* "60000 x 28 x 28" into `out`, cut where there are many. */
static void print_dims(char *out, size_t size, const uint64_t *dims, size_t n_dims)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n_dims && len + 1 < size; i++) {
        int more = snprintf(out + len, size - len, i == 0 ? "%llu" : " x %llu",
                            (unsigned long long)dims[i]);
        len += (size_t)more;
    }
}

weft_status weft_extent_init(struct weft_extent *extent, const uint64_t *dims, size_t n_dims,
                             size_t element, const char *path, weft_error *err)
{
    if (n_dims < 1 || n_dims > WEFT_SAMPLE_DIMS + 1) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: %zu dimensions, wanted 1 to %d", path, n_dims,
                         WEFT_SAMPLE_DIMS + 1);
    }
    struct weft_extent made = {.features = 1, .n_dims = n_dims == 1 ? 1 : n_dims - 1, .dims = {1}};
    char text[120];
    print_dims(text, sizeof text, dims, n_dims);
    bool fits = dims[0] <= UINT32_MAX;
    made.samples = (size_t)dims[0];
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] == 0) {
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: no data: its size is %s", path, text);
        }
        if (i > 0) {
            fits = fits && dims[i] <= SIZE_MAX &&
                   weft_mul_fits(made.features, (size_t)dims[i], &made.features);
            made.dims[i - 1] = (size_t)dims[i];
        }
    }
    size_t product;
    if (!fits || !weft_mul_fits(made.samples, made.features, &product) ||
        !weft_mul_fits(product, element, &product)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: a size of %s is too large", path, text);
    }
    *extent = made;
    return WEFT_OK;
}

weft_status weft_check_plausible(uint64_t promised_bytes, uint64_t file_bytes, const char *path,
                                 weft_error *err)
{
    const uint64_t ratio = 1032, slack = 1 << 16;
    if (promised_bytes / ratio > file_bytes + slack / ratio) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: its header promises %llu bytes of data, more than a file of %llu "
                         "bytes can hold even compressed",
                         path, (unsigned long long)promised_bytes, (unsigned long long)file_bytes);
    }
    return WEFT_OK;
}

weft_status weft_dataset_new(const struct weft_extent *extent, weft_dtype dtype, const char *format,
                             weft_dataset **out, weft_error *err)
{
    size_t count;
    weft_dataset *data = weft_mem_zalloc(1, sizeof *data);
    void *elements = NULL;
    if (data != NULL && weft_mul_fits(extent->samples, extent->features, &count)) {
        elements = weft_mem_alloc(count, weft_dtype_size(dtype));
    }
    if (elements == NULL) {
        weft_mem_free(data);
        return weft_fail(err, WEFT_ERR_NOMEM, "no memory for %zu samples of %zu features",
                         extent->samples, extent->features);
    }
    data->x =
        weft_tensor_borrow(dtype, elements, extent->samples, extent->features, extent->features);
    data->x.owned = elements;
    data->extent = *extent;
    data->is_integer = dtype == WEFT_U8;
    data->kind = WEFT_LABELS_NONE;
    data->format = format;
    *out = data;
    return WEFT_OK;
}

void weft_dataset_free(weft_dataset *data)
{
    if (data == NULL) {
        return;
    }
    weft_tensor_release(&data->x);
    weft_mem_free(data->classes);
    weft_mem_free(data->values);
    weft_mem_free(data->weights);
    weft_mem_free(data->class_names);
    weft_columns_release(&data->columns);
    weft_mem_free(data->numbers);
    weft_stream_release(data->stream);
    weft_mem_free(data);
}

/* Looks at n numbers without a branch, so that it runs at the speed of memory: all finite? all
 * whole? From 2^23 on every float is whole. */
static void look(const float *x, size_t n, bool *finite, bool *whole)
{
    int wild = 0, broken = 0;
    for (size_t i = 0; i < n; i++) {
        float size = fabsf(x[i]);
        float small = size < 0x1p23f ? size : 0;
        wild |= !(size <= 0x1.fffffep127f);
        broken |= (float)(int32_t)small != small;
    }
    *finite = *finite && !wild;
    *whole = *whole && !broken;
}

/* The first number that is not finite; there is one. `first` samples came before. */
static weft_status fail_not_finite(const float *x, size_t n_cols, size_t first, const char *what,
                                   weft_status status, const char *path, weft_error *err)
{
    size_t i = 0;
    while (isfinite(x[i])) {
        i++;
    }
    return weft_fail(err, status, "%s: %s %zu of sample %zu (both from 0) is %s", path, what,
                     i % n_cols, first + i / n_cols, isnan(x[i]) ? "nan" : "infinite as float32");
}

/* Whether all are in 0..255, and the largest of them. */
static bool are_bytes(const float *x, size_t n, float *largest)
{
    float low = 0, high = *largest;
    for (size_t i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *largest = high;
    return low >= 0 && high <= 255;
}

weft_status weft_features_look(struct weft_features_seen *seen, const float *x, size_t n,
                               size_t n_features, size_t first, weft_status status,
                               const char *path, weft_error *err)
{
    bool finite = true;
    look(x, n * n_features, &finite, &seen->whole);
    if (!finite) {
        return fail_not_finite(x, n_features, first, "feature", status, path, err);
    }
    seen->pixels = seen->pixels && seen->whole && are_bytes(x, n * n_features, &seen->largest);
    return WEFT_OK;
}

/* Weights are 0 or more, and one of them is more. */
static weft_status check_weights(const weft_dataset *data, weft_status status, const char *path,
                                 weft_error *err)
{
    size_t n = data->extent.samples;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        float weight = data->weights[i];
        if (!(weight >= 0 && isfinite(weight))) {
            return weft_fail(err, status, "%s: sample %zu (from 0) has weight %g, wanted 0 or more",
                             path, i, (double)weight);
        }
        any = any || weight > 0;
    }
    return any ? WEFT_OK : weft_fail(err, status, "%s: the weights of all samples are 0", path);
}

weft_status weft_dataset_scan(weft_dataset *data, weft_status bad, const char *x_path,
                              const char *y_path, weft_error *err)
{
    bool finite = true, any = true;
    if (data->values != NULL) {
        look(data->values, data->extent.samples * data->n_values, &finite, &any);
        if (!finite) {
            return fail_not_finite(data->values, data->n_values, 0, "label", bad, y_path, err);
        }
    }
    weft_status status = data->weights == NULL ? WEFT_OK : check_weights(data, bad, y_path, err);
    if (status == WEFT_OK && data->x.dtype == WEFT_F32 && data->stream == NULL) {
        bool whole = true;
        look(data->x.data, data->extent.samples * data->extent.features, &finite, &whole);
        if (!finite) {
            return fail_not_finite(data->x.data, data->extent.features, 0, "feature", bad, x_path,
                                   err);
        }
        data->is_integer = whole;
    }
    return status;
}

weft_status weft_dataset_set_names(weft_dataset *data, const char *const *names, size_t n,
                                   weft_error *err)
{
    size_t bytes = n * sizeof *data->class_names;
    for (size_t i = 0; i < n; i++) {
        bytes += strlen(names[i]) + 1;
    }
    char **copies = weft_mem_alloc(bytes, 1);
    if (copies == NULL) {
        return weft_fail_nomem(err, "class names");
    }
    char *text = (char *)(copies + n);
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(names[i]) + 1;
        copies[i] = memcpy(text, names[i], size);
        text += size;
    }
    data->class_names = copies;
    data->n_classes = n;
    return WEFT_OK;
}

bool weft_array_reserve(void **array, size_t used, size_t more, size_t *capacity, size_t size)
{
    if (more <= *capacity - used) {
        return true;
    }
    size_t larger = *capacity < 32 ? 32 : *capacity;
    if (more > SIZE_MAX / 4 || !weft_mul_fits(larger, 2, &larger)) {
        return false;
    }
    larger = larger - used < more ? used + more : larger;
    void *grown = weft_mem_grow(*array, used, larger, size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = larger;
    return true;
}

struct weft_quoted weft_quote(const char *text, size_t len)
{
    enum { LONGEST = 48 };
    char copy[LONGEST + 1];
    size_t kept = len <= LONGEST ? len : LONGEST;
    memcpy(copy, text, kept);
    copy[kept] = '\0';
    struct weft_quoted quoted = {.text = "'"};
    size_t at = 1;
    for (size_t i = 0; i < kept;) {
        size_t n = weft_utf8_len(copy + i);
        if (n == 0 && kept < len && i + 4 > kept) {
            break; /* the cut may have left part of a character */
        }
        if (n <= 1) {
            bool plain = n == 1 && (unsigned char)copy[i] >= 0x20 && copy[i] != 0x7f;
            quoted.text[at++] = plain ? copy[i] : '?';
            i++;
            continue;
        }
        memcpy(quoted.text + at, copy + i, n);
        at += n;
        i += n;
    }
    snprintf(quoted.text + at, sizeof quoted.text - at, kept < len ? "...'" : "'");
    return quoted;
}

void weft_listing_add(struct weft_listing *listing, const char *name)
{
    const char *comma = listing->len == 0 ? "" : ", ";
    size_t room = sizeof listing->text - listing->len;
    if (listing->is_full) {
        return;
    }
    listing->is_full = strlen(comma) + strlen(name) + sizeof ", ..." > room;
    int more = snprintf(listing->text + listing->len, room, "%s%s", comma,
                        listing->is_full ? "..." : name);
    listing->len += (size_t)more;
}
