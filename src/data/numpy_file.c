/* Reads samples and labels from NumPy's files: both from an .npz, or one from each of two files,
 * which may be .npy or .npz. */
#include "data/numpy_file.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/array_names.h"
#include "data/array_pair.h"
#include "data/npy_header.h"
#include "data/zip_directory.h"

struct numpy_source {
    struct weft_source common;
    struct weft_array_pair pair;
};

static bool knows(const unsigned char *bytes, size_t n)
{
    return weft_npy_looks_so(bytes, n) || weft_zip_looks_so(bytes, n);
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    return weft_array_pair_read(&((struct numpy_source *)common)->pair, common, block, err);
}

static weft_status seek_sample(struct weft_source *common, uint64_t sample, weft_error *err)
{
    return weft_array_pair_seek(&((struct numpy_source *)common)->pair, sample, err);
}

static void close_source(struct weft_source *common)
{
    struct numpy_source *source = (struct numpy_source *)common;
    weft_array_pair_release(&source->pair);
    weft_mem_free(source);
}

static weft_status read_labels(struct weft_source *common, double *y, weft_error *err)
{
    return weft_array_pair_labels(&((struct numpy_source *)common)->pair, common, y, err);
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = seek_sample, .labels = read_labels, .close = close_source};

/* The array called NAME is the member NAME.npy. */
static const struct weft_zip_member *find_array(const struct weft_zip *zip, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < zip->n; i++) {
        const char *member = zip->members[i].name;
        if (strncmp(member, name, len) == 0 && strcmp(member + len, ".npy") == 0) {
            return &zip->members[i];
        }
    }
    return NULL;
}

static bool has_array(const void *zip, const char *name)
{
    return find_array(zip, name) != NULL;
}

static struct weft_listing list_arrays(const struct weft_zip *zip)
{
    struct weft_listing names = {0};
    for (size_t i = 0; i < zip->n && !names.is_full; i++) {
        const char *name = zip->members[i].name;
        size_t len = strlen(name);
        bool is_array = len > 4 && strcmp(name + len - 4, ".npy") == 0;
        weft_listing_add(&names, weft_quote(name, is_array ? len - 4 : len).text);
    }
    return names;
}

static weft_status fail_name(const struct weft_zip *zip, const char *path, const char *what,
                             const char *option, const char *name, weft_error *err)
{
    char wanted[80];
    snprintf(wanted, sizeof wanted, "of a usual name (give it by --%s)", option);
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: no array %s for the %s; the file has: %s", path,
                     name == NULL ? wanted : weft_quote(name, strlen(name)).text, what,
                     zip->n == 0 ? "nothing" : list_arrays(zip).text);
}

/* Names that people use, those of the split that is wanted first. */
static enum weft_names_found choose_names(const struct weft_zip *zip,
                                          const weft_dataset_options *options,
                                          struct weft_array_names *out)
{
    static const struct weft_array_names by_split[2][3] = {
        {{"x_train", "y_train"}, {"X_train", "y_train"}, {"train_images", "train_labels"}},
        {{"x_test", "y_test"}, {"X_test", "y_test"}, {"test_images", "test_labels"}}};
    static const struct weft_array_names any[] = {{"X", "y"},
                                                  {"x", "y"},
                                                  {"X", "Y"},
                                                  {"images", "labels"},
                                                  {"data", "target"},
                                                  {"data", "labels"},
                                                  {"features", "labels"},
                                                  {"arr_0", "arr_1"}};
    enum { N_SPLIT = 3, N_ANY = sizeof any / sizeof *any };
    struct weft_array_names pairs[2 * N_SPLIT + N_ANY];
    bool test = options->split == WEFT_SPLIT_TEST;
    memcpy(pairs, by_split[test], sizeof by_split[0]);
    memcpy(pairs + N_SPLIT, any, sizeof any);
    memcpy(pairs + N_SPLIT + N_ANY, by_split[!test], sizeof by_split[0]);
    return weft_array_names_choose(pairs, sizeof pairs / sizeof *pairs, options, has_array, zip,
                                   out);
}

/* Members for samples and labels of one archive; labels are NULL where they are not wanted. */
struct chosen {
    const struct weft_zip_member *x, *y;
};

/* Where only one array is wanted, a single member needs no name. */
static const struct weft_zip_member *only_member(const struct weft_zip *zip)
{
    return zip->n == 1 && strstr(zip->members[0].name, ".npy") != NULL ? &zip->members[0] : NULL;
}

static weft_status choose_both(const struct weft_zip *zip, const char *path,
                               const weft_dataset_options *options, struct chosen *out,
                               weft_error *err)
{
    struct weft_array_names names = {0};
    bool want_y = options->labels != WEFT_LABELS_NONE;
    enum weft_names_found found = choose_names(zip, options, &names);
    if (found == WEFT_NAMES_BOTH) {
        out->x = find_array(zip, names.x);
        out->y = want_y ? find_array(zip, names.y) : NULL;
        return WEFT_OK;
    }
    out->x = want_y || options->x_name != NULL ? NULL : only_member(zip);
    if (out->x != NULL) {
        return WEFT_OK;
    }
    return found == WEFT_NAMES_X_ALONE ? fail_name(zip, path, "labels", "y", options->y_name, err)
                                       : fail_name(zip, path, "samples", "x", options->x_name, err);
}

static weft_status open_member(const struct weft_zip *zip, struct weft_gzstream *file,
                               const struct weft_zip_member *member,
                               struct weft_binary_array *array, weft_error *err)
{
    weft_status status = weft_zip_open(zip, file, member, &array->stream, err);
    return status == WEFT_OK ? weft_npy_read_header(array, err) : status;
}

/* Reads the directory of an archive; false in *is_zip where the file is none. */
static weft_status look_into(struct weft_gzstream *file, struct weft_zip *zip, bool *is_zip,
                             weft_error *err)
{
    const unsigned char *bytes;
    size_t n;
    weft_status status = weft_gzstream_peek(file, &bytes, &n, err);
    if (status != WEFT_OK) {
        return status;
    }
    *is_zip = weft_zip_looks_so(bytes, n);
    if (*is_zip && weft_gzstream_is_packed(file)) {
        return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                         "%s: a ZIP archive (.npz) inside gzip; decompress it first",
                         weft_gzstream_path(file));
    }
    return *is_zip ? weft_zip_init(zip, file, err) : WEFT_OK;
}

/* Samples, and labels too where they are wanted, from one archive. Takes the file. */
static weft_status open_archive(struct weft_array_pair *pair, struct weft_gzstream *file,
                                const struct weft_zip *zip, const weft_dataset_options *options,
                                weft_error *err)
{
    struct chosen chosen = {0};
    weft_status status = choose_both(zip, weft_gzstream_path(file), options, &chosen, err);
    if (status == WEFT_OK) {
        status = open_member(zip, file, chosen.x, &pair->x, err);
    }
    if (status == WEFT_OK && chosen.y != NULL) {
        status = open_member(zip, file, chosen.y, &pair->y, err);
    }
    weft_gzstream_close(file);
    return status;
}

/* One array from a file of its own, for samples or labels. Takes the file. */
static weft_status open_alone(struct weft_binary_array *array, struct weft_gzstream *file,
                              bool for_labels, const weft_dataset_options *options, weft_error *err)
{
    struct weft_zip zip = {0};
    bool is_zip = false;
    weft_status status = look_into(file, &zip, &is_zip, err);
    if (status == WEFT_OK && !is_zip) {
        array->stream = file;
        return weft_npy_read_header(array, err);
    }
    if (status == WEFT_OK) {
        weft_dataset_options alone = *options;
        alone.labels = WEFT_LABELS_NONE;
        struct chosen chosen = {0};
        const char *name = options->y_name;
        const char *path = weft_gzstream_path(file);
        if (for_labels) {
            chosen.x = name != NULL ? find_array(&zip, name) : only_member(&zip);
            chosen.x = chosen.x == NULL && name == NULL ? find_array(&zip, "y") : chosen.x;
            status = chosen.x == NULL ? fail_name(&zip, path, "labels", "y", name, err) : WEFT_OK;
        } else {
            status = choose_both(&zip, path, &alone, &chosen, err);
        }
        if (status == WEFT_OK) {
            status = open_member(&zip, file, chosen.x, array, err);
        }
    }
    weft_zip_release(&zip);
    weft_gzstream_close(file);
    return status;
}

static weft_status open_arrays(struct weft_array_pair *pair, const struct weft_source_files *files,
                               const weft_dataset_options *options, weft_error *err)
{
    if (files->labels != NULL) {
        weft_status status = open_alone(&pair->x, files->samples, false, options, err);
        if (status != WEFT_OK) {
            weft_gzstream_close(files->labels);
            return status;
        }
        return open_alone(&pair->y, files->labels, true, options, err);
    }
    struct weft_zip zip = {0};
    bool is_zip = false;
    weft_status status = look_into(files->samples, &zip, &is_zip, err);
    if (status == WEFT_OK && is_zip) {
        status = open_archive(pair, files->samples, &zip, options, err);
        weft_zip_release(&zip);
        return status;
    }
    if (status == WEFT_OK && options->labels != WEFT_LABELS_NONE) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: a .npy file has one array, wanted samples and labels: X.npy,y.npy",
                           weft_gzstream_path(files->samples));
    }
    if (status != WEFT_OK) {
        weft_gzstream_close(files->samples);
        return status;
    }
    return open_alone(&pair->x, files->samples, false, options, err);
}

static weft_status open_source(const struct weft_source_files *files,
                               const weft_dataset_options *options, struct weft_source **out,
                               weft_error *err)
{
    struct numpy_source *source = weft_mem_zalloc(1, sizeof *source);
    if (source == NULL) {
        weft_source_files_close(files);
        return weft_fail_nomem(err, "a file reader");
    }
    source->common.methods = &methods;
    weft_status status = open_arrays(&source->pair, files, options, err);
    if (status == WEFT_OK) {
        status = weft_array_pair_describe(&source->pair, &source->common, err);
    }
    source->common.format = source->common.can_seek ? "NumPy" : "NumPy, compressed";
    if (status != WEFT_OK) {
        close_source(&source->common);
        return status;
    }
    *out = &source->common;
    return WEFT_OK;
}

const struct weft_format weft_numpy_format = {.knows = knows, .is_pair = true, .open = open_source};
