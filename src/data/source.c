/* The table of formats, and what does not depend on them. */
#include "data/source.h"

#include <assert.h>
#include <string.h>

#include "base/fail.h"
#include "data/csv.h"
#include "data/data_paths.h"
#include "data/h5file.h"
#include "data/idx.h"
#include "data/libsvm.h"
#include "data/numpy_file.h"
#include "data/png_source.h"
#include "data/summary_parts.h"

/* Tables come last: any text may be one. */
static const struct weft_format *const formats[] = {
    &weft_h5_format,  &weft_numpy_format,  &weft_png_format,
    &weft_idx_format, &weft_libsvm_format, &weft_csv_format,
};

static const size_t n_formats = sizeof formats / sizeof *formats;

/* No bytes at all are text. Text has no control characters but tabs and line ends. */
static bool is_text(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = bytes[i];
        if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) {
            return false;
        }
    }
    return true;
}

/* NULL: none knows it. */
static const struct weft_format *find_format(const unsigned char *bytes, size_t n)
{
    bool text = is_text(bytes, n);
    for (size_t i = 0; i < n_formats; i++) {
        if ((text || !formats[i]->is_text) && formats[i]->knows(bytes, n)) {
            return formats[i];
        }
    }
    return NULL;
}

static weft_status fail_unknown(const char *path, const unsigned char *bytes, size_t n,
                                weft_error *err)
{
    return weft_fail(
        err, WEFT_ERR_FORMAT,
        "%s: neither IDX, NumPy, HDF5, PNG, CSV nor LIBSVM: starts with %02x %02x %02x "
        "%02x",
        path, bytes[0], n > 1 ? bytes[1] : 0, n > 2 ? bytes[2] : 0, n > 3 ? bytes[3] : 0);
}

/* Looks at the first bytes of the samples. */
static weft_status choose_format(const struct weft_source_files *files,
                                 const struct weft_format **out, weft_error *err)
{
    const char *path = weft_gzstream_path(files->samples);
    const unsigned char *bytes;
    size_t n;
    weft_status status = weft_gzstream_peek(files->samples, &bytes, &n, err);
    if (status != WEFT_OK) {
        return status;
    }
    const struct weft_format *format = find_format(bytes, n);
    if (files->labels != NULL && (format == NULL || !format->is_pair)) {
        format = &weft_idx_format; /* which says what it misses */
    }
    if (format == NULL) {
        return fail_unknown(path, bytes, n, err);
    }
    if (format->is_text && weft_gzstream_is_misnamed(files->samples)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: named .gz, but it is plain text, not gzip data",
                         path);
    }
    *out = format;
    return WEFT_OK;
}

static weft_status check_table_options(const struct weft_format *format, const char *path,
                                       const weft_dataset_options *options, weft_error *err)
{
    bool of_any = options->missing == WEFT_MISSING_ERROR || options->missing == WEFT_MISSING_MARK;
    if (format == &weft_csv_format || options->columns != NULL ||
        (of_any && options->categorical == NULL)) {
        return format == &weft_csv_format || options->weight == NULL
                   ? WEFT_OK
                   : weft_fail(err, WEFT_ERR_ARG, "%s: no table (CSV), as --sample-weight wants",
                               path);
    }
    return weft_fail(err, WEFT_ERR_ARG, "%s: no table (CSV), as --missing and --categorical want",
                     path);
}

void weft_source_files_close(const struct weft_source_files *files)
{
    weft_gzstream_close(files->samples);
    weft_gzstream_close(files->labels);
}

static weft_status open_files(const struct weft_data_paths *paths,
                              const weft_dataset_options *options, struct weft_source **out,
                              weft_error *err)
{
    struct weft_source_files files = {0};
    const struct weft_format *format = NULL;
    weft_status status = weft_gzstream_open(paths->samples, &files.samples, err);
    if (status == WEFT_OK && paths->labels != NULL) {
        status = weft_gzstream_open(paths->labels, &files.labels, err);
    }
    if (status == WEFT_OK) {
        status = choose_format(&files, &format, err);
    }
    if (status == WEFT_OK) {
        status = check_table_options(format, paths->samples, options, err);
    }
    if (status != WEFT_OK) {
        weft_source_files_close(&files);
        return status;
    }
    return format->open(&files, options, out, err);
}

weft_status weft_source_open(const char *path, const weft_dataset_options *options,
                             struct weft_source **out, weft_error *err)
{
    if ((unsigned)options->labels > WEFT_LABELS_VALUES ||
        (unsigned)options->split > WEFT_SPLIT_TEST) {
        return weft_fail(err, WEFT_ERR_ARG, "no such kind of labels or split: %d, %d",
                         (int)options->labels, (int)options->split);
    }
    if ((unsigned)options->missing > WEFT_MISSING_MARK) {
        return weft_fail(err, WEFT_ERR_ARG, "no such way with missing values: %d",
                         (int)options->missing);
    }
    struct weft_data_paths paths;
    weft_status status = weft_data_paths_init(&paths, path, options, err);
    if (status == WEFT_OK) {
        status = paths.is_image_folder ? weft_png_open_folder(paths.samples, options, out, err)
                                       : open_files(&paths, options, out, err);
    }
    weft_data_paths_release(&paths);
    return status;
}

weft_status weft_source_read(struct weft_source *source, struct weft_block *block, weft_error *err)
{
    assert(block->capacity > 0);
    block->n = 0;
    return source->methods->read(source, block, err);
}

weft_status weft_source_rewind(struct weft_source *source, weft_error *err)
{
    return source->methods->seek(source, 0, err);
}

weft_status weft_source_seek(struct weft_source *source, uint64_t sample, weft_error *err)
{
    assert(source->can_seek && sample < source->extent.samples);
    return source->methods->seek(source, sample, err);
}

weft_status weft_source_labels(struct weft_source *source, double *y, weft_error *err)
{
    assert(source->n_labels > 0 && source->extent.samples > 0);
    return source->methods->labels(source, y, err);
}

void weft_source_close(struct weft_source *source)
{
    if (source != NULL) {
        source->methods->close(source);
    }
}
