/* Data sets as callers see them: finding out what a path is, and looking at what was read. */
#include <weft/dataset.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv.h"
#include "data/dataset_impl.h"
#include "data/gzstream.h"
#include "data/idx.h"
#ifdef WEFT_HAVE_HDF5
#include "data/h5file.h"
#endif

weft_dataset_options weft_dataset_options_default(void)
{
    return (weft_dataset_options){.labels = WEFT_LABELS_AUTO, .split = WEFT_SPLIT_TRAIN};
}

bool weft_has_hdf5(void)
{
#ifdef WEFT_HAVE_HDF5
    return true;
#else
    return false;
#endif
}

static weft_status load_hdf5(const char *path, uint64_t file_bytes,
                             const weft_dataset_options *options, weft_dataset **out,
                             weft_error *err)
{
#ifdef WEFT_HAVE_HDF5
    return weft_h5_load(path, file_bytes, options, out, err);
#else
    (void)file_bytes;
    (void)options;
    (void)out;
    return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                     "%s: an HDF5 file, and this build of weft has no HDF5", path);
#endif
}

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || errno != ENOENT;
}

static const char *const split_prefix[] = {"train", "t10k"};

/* DIR/train-images-idx3-ubyte or the like, in the first spelling that exists, else NULL: `-` or `.`
 * before idx, plain or compressed. Free it. */
static weft_status find_in_directory(const char *path, weft_split split, const char *what,
                                     int n_dims, char **out, weft_error *err)
{
    size_t size = strlen(path) + 64;
    char *name = weft_mem_alloc(size, 1);
    if (name == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    for (int i = 0; i < 4; i++) {
        snprintf(name, size, "%s/%s-%s%cidx%d-ubyte%s", path, split_prefix[split], what,
                 i < 2 ? '-' : '.', n_dims, i % 2 == 0 ? "" : ".gz");
        if (exists(name)) {
            *out = name;
            return WEFT_OK;
        }
    }
    weft_mem_free(name);
    *out = NULL;
    return WEFT_OK;
}

static weft_status fail_no_file(const char *path, weft_split split, const char *what, int n_dims,
                                weft_error *err)
{
    return weft_fail(err, WEFT_ERR_IO,
                     "%s: a directory without %s-%s-idx%d-ubyte or %s-%s.idx%d-ubyte, plain or .gz",
                     path, split_prefix[split], what, n_dims, split_prefix[split], what, n_dims);
}

bool weft_dataset_has_split(const char *path, weft_split split)
{
    char *images = NULL, *labels = NULL;
    bool has = is_directory(path) &&
               find_in_directory(path, split, "images", 3, &images, NULL) == WEFT_OK &&
               find_in_directory(path, split, "labels", 1, &labels, NULL) == WEFT_OK &&
               images != NULL && labels != NULL;
    weft_mem_free(images);
    weft_mem_free(labels);
    return has;
}

/* Both files of a pair; labels_path may be NULL. */
static weft_status load_pair(const char *samples_path, const char *labels_path,
                             const weft_dataset_options *options, weft_dataset **out,
                             weft_error *err)
{
    struct weft_gzstream *samples = NULL, *labels = NULL;
    weft_status status = weft_gzstream_open(samples_path, &samples, err);
    if (status == WEFT_OK && labels_path != NULL) {
        status = weft_gzstream_open(labels_path, &labels, err);
    }
    if (status == WEFT_OK) {
        status = weft_idx_load(samples, labels, options, out, err);
    }
    weft_gzstream_close(samples);
    weft_gzstream_close(labels);
    return status;
}

static weft_status load_directory(const char *path, const weft_dataset_options *options,
                                  weft_dataset **out, weft_error *err)
{
    char *images = NULL, *labels = NULL;
    bool want_labels = options->labels != WEFT_LABELS_NONE;
    weft_status status = find_in_directory(path, options->split, "images", 3, &images, err);
    if (status == WEFT_OK && want_labels) {
        status = find_in_directory(path, options->split, "labels", 1, &labels, err);
    }
    if (status == WEFT_OK) {
        if (images == NULL) {
            status = fail_no_file(path, options->split, "images", 3, err);
        } else if (want_labels && labels == NULL) {
            status = fail_no_file(path, options->split, "labels", 1, err);
        } else {
            status = load_pair(images, labels, options, out, err);
        }
    }
    weft_mem_free(images);
    weft_mem_free(labels);
    return status;
}

/* The comma of "IMAGES,LABELS": the first with files on both sides, else on its left, else the
 * first of all, so that the error names the file that is missing. */
static size_t find_comma(char *path)
{
    size_t best = strcspn(path, ",");
    bool left_found = false;
    for (size_t at = best; path[at] == ','; at += 1 + strcspn(path + at + 1, ",")) {
        path[at] = '\0';
        bool left = exists(path), right = exists(path + at + 1);
        path[at] = ',';
        if (left && right) {
            return at;
        }
        if (left && !left_found) {
            left_found = true;
            best = at;
        }
    }
    return best;
}

static weft_status load_named_pair(const char *path, const weft_dataset_options *options,
                                   weft_dataset **out, weft_error *err)
{
    char *samples = weft_mem_strdup(path);
    if (samples == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    size_t comma = find_comma(samples);
    samples[comma] = '\0';
    const char *labels = options->labels == WEFT_LABELS_NONE ? NULL : samples + comma + 1;
    weft_status status = load_pair(samples, labels, options, out, err);
    weft_mem_free(samples);
    return status;
}

static bool is_hdf5(const unsigned char *bytes, size_t n)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    return n >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

/* Text has no control characters but tabs and line ends. */
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

static weft_status load_text(struct weft_gzstream *stream, const weft_dataset_options *options,
                             weft_dataset **out, weft_error *err)
{
    if (weft_gzstream_is_misnamed(stream)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: named .gz, but it is plain text, not gzip data",
                         weft_gzstream_path(stream));
    }
    return weft_csv_load(stream, options, out, err);
}

/* Looks at the first bytes and hands the file to the reader of its format. */
static weft_status load_stream(struct weft_gzstream *stream, const weft_dataset_options *options,
                               weft_dataset **out, weft_error *err)
{
    const char *path = weft_gzstream_path(stream);
    const unsigned char *bytes;
    size_t n;
    weft_status status = weft_gzstream_peek(stream, &bytes, &n, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (is_hdf5(bytes, n)) {
        return weft_gzstream_is_gzip(stream)
                   ? weft_fail(err, WEFT_ERR_UNSUPPORTED,
                               "%s: an HDF5 file inside gzip; decompress it first", path)
                   : load_hdf5(path, weft_gzstream_file_bytes(stream), options, out, err);
    }
    if (weft_idx_looks_so(bytes, n)) {
        return options->labels == WEFT_LABELS_NONE
                   ? weft_idx_load(stream, NULL, options, out, err)
                   : weft_fail(err, WEFT_ERR_FORMAT,
                               "%s: an IDX file has samples without labels, wanted both: "
                               "IMAGES,LABELS or a directory",
                               path);
    }
    if (!is_text(bytes, n)) {
        return weft_fail(
            err, WEFT_ERR_FORMAT, "%s: neither IDX, CSV nor HDF5: starts with %02x %02x %02x %02x",
            path, bytes[0], n > 1 ? bytes[1] : 0, n > 2 ? bytes[2] : 0, n > 3 ? bytes[3] : 0);
    }
    return load_text(stream, options, out, err);
}

static weft_status load_file(const char *path, const weft_dataset_options *options,
                             weft_dataset **out, weft_error *err)
{
    struct weft_gzstream *stream = NULL;
    weft_status status = weft_gzstream_open(path, &stream, err);
    if (status == WEFT_OK) {
        status = load_stream(stream, options, out, err);
    }
    weft_gzstream_close(stream);
    return status;
}

static weft_status check_options(const weft_dataset_options *options, weft_error *err)
{
    if ((unsigned)options->labels > WEFT_LABELS_VALUES ||
        (unsigned)options->split > WEFT_SPLIT_TEST) {
        return weft_fail(err, WEFT_ERR_ARG, "no such kind of labels or split: %d, %d",
                         (int)options->labels, (int)options->split);
    }
    return WEFT_OK;
}

weft_status weft_dataset_load(const char *path, const weft_dataset_options *options,
                              weft_dataset **out, weft_error *err)
{
    weft_dataset_options defaults = weft_dataset_options_default();
    options = options == NULL ? &defaults : options;
    weft_status status = check_options(options, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (is_directory(path)) {
        return load_directory(path, options, out, err);
    }
    if (!exists(path) && strchr(path, ',') != NULL) {
        return load_named_pair(path, options, out, err);
    }
    return load_file(path, options, out, err);
}

size_t weft_dataset_samples(const weft_dataset *data)
{
    return data->extent.samples;
}

size_t weft_dataset_features(const weft_dataset *data)
{
    return data->extent.features;
}

size_t weft_dataset_shape(const weft_dataset *data, size_t dims[4])
{
    memcpy(dims, data->extent.dims, data->extent.n_dims * sizeof *dims);
    return data->extent.n_dims;
}

weft_tensor weft_dataset_x(const weft_dataset *data)
{
    return weft_tensor_view(&data->x, 0, 0, data->x.rows, data->x.cols);
}

weft_targets weft_dataset_targets(const weft_dataset *data)
{
    return (weft_targets){.kind = data->kind,
                          .classes = data->classes,
                          .values = data->values,
                          .n_values = data->n_values};
}

bool weft_dataset_is_integer(const weft_dataset *data)
{
    return data->is_integer;
}

size_t weft_dataset_n_classes(const weft_dataset *data)
{
    return data->n_classes;
}

const char *weft_dataset_class_name(const weft_dataset *data, size_t index)
{
    assert(index < data->n_classes);
    return data->class_names[index];
}

const char *weft_dataset_format(const weft_dataset *data)
{
    return data->format;
}
