/* Reads one data set of samples, one of labels and, where there is one, the list of class names
 * from an HDF5 file. The library's own printing of errors is off meanwhile. Nothing leads from the
 * file into others: neither links, nor data kept outside, nor data sets put together from files. */
#include "data/h5file.h"

#include <string.h>

#include "base/fail.h"

static bool knows(const unsigned char *bytes, size_t n)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    return n >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

/* libhdf5 opens files itself. */
static weft_status refuse_gzip(const struct weft_gzstream *stream, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_UNSUPPORTED, "%s: an HDF5 file inside gzip; decompress it first",
                     weft_gzstream_path(stream));
}

#ifdef WEFT_HAVE_HDF5

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include <hdf5.h>

#include "base/mem.h"
#include "data/array_names.h"

#define STEP_BYTES ((size_t)1 << 22)
#define CHUNK_CACHE_BYTES ((size_t)1 << 24)
#define LISTED_MAX 1000

struct file {
    const char *path;
    uint64_t bytes;
    hid_t id;
    hid_t access;  /* property list for everything that follows links */
    bool led_away; /* a link to another file was met */
};

/* A data set of the file. */
struct array {
    const char *name;
    hid_t id, type, space;
    struct weft_extent extent;
    size_t n_dims;
    hsize_t dims[H5S_MAX_RANK];
    hsize_t step; /* samples to read at a time */
    bool is_u8;
};

/* A zeroed struct may be closed. */
static void close_array(struct array *array)
{
    if (array->space > 0) {
        H5Sclose(array->space);
    }
    if (array->type > 0) {
        H5Tclose(array->type);
    }
    if (array->id > 0) {
        H5Dclose(array->id);
    }
}

static bool exists(const void *opened, const char *name)
{
    const struct file *file = opened;
    return H5Lexists(file->id, name, file->access) > 0 &&
           H5Oexists_by_name(file->id, name, file->access) > 0;
}

/* The names in the root group. */
static struct weft_listing list_names(const struct file *file)
{
    struct weft_listing names = {0};
    H5G_info_t group;
    hsize_t n = H5Gget_info(file->id, &group) < 0 ? 0 : group.nlinks;
    for (hsize_t i = 0; i < n && !names.is_full; i++) {
        char name[64];
        ssize_t len = H5Lget_name_by_idx(file->id, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                         sizeof name, H5P_DEFAULT);
        weft_listing_add(&names, len <= 0 ? "?" : name);
    }
    return names;
}

/* `name` is what the options say, or NULL where `guesses` were tried. */
static weft_status fail_name(const struct file *file, const char *what, const char *name,
                             const char *guesses, weft_error *err)
{
    struct weft_quoted quoted =
        weft_quote(name == NULL ? "" : name, name == NULL ? 0 : strlen(name));
    if (file->led_away) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: the %s (%s) are a link to another file, which is not followed",
                         file->path, what, name == NULL ? guesses : quoted.text);
    }
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: no data set %s for the %s; the file has: %s",
                     file->path, name == NULL ? guesses : quoted.text, what, list_names(file).text);
}

static const struct weft_array_names train_names = {"train_set_x", "train_set_y"};
static const struct weft_array_names test_names = {"test_set_x", "test_set_y"};

static weft_status choose_names(const struct file *file, const weft_dataset_options *options,
                                struct weft_array_names *out, weft_error *err)
{
    bool test = options->split == WEFT_SPLIT_TEST;
    const struct weft_array_names pairs[] = {test ? test_names : train_names,
                                             test ? train_names : test_names,
                                             {"x", "y"},
                                             {"X", "Y"},
                                             {"X", "y"}};
    switch (
        weft_array_names_choose(pairs, sizeof pairs / sizeof *pairs, options, exists, file, out)) {
    case WEFT_NAMES_BOTH:
        return WEFT_OK;
    case WEFT_NAMES_X_ALONE:
        return fail_name(file, "labels", options->y_name, "'train_set_y', 'test_set_y', 'y' or 'Y'",
                         err);
    default:
        return fail_name(file, "samples", options->x_name,
                         "'train_set_x', 'test_set_x', 'x' or 'X'", err);
    }
}

/* Samples to read at a time: a few megabytes, and whole chunks, so that none is decompressed twice.
 * The size of a chunk must be one that the file can fill. */
static weft_status choose_step(const struct file *file, struct array *array, hid_t creation,
                               const char *where, weft_error *err)
{
    size_t element = H5Tget_size(array->type);
    size_t row = array->extent.features * sizeof(double);
    array->step = row < STEP_BYTES ? STEP_BYTES / row : 1;
    hsize_t chunk[H5S_MAX_RANK];
    if (H5Pget_layout(creation) != H5D_CHUNKED || H5Pget_chunk(creation, H5S_MAX_RANK, chunk) < 1) {
        return WEFT_OK;
    }
    uint64_t bytes = element;
    for (size_t i = 0; i < array->n_dims; i++) {
        bytes = chunk[i] > UINT64_MAX / bytes ? UINT64_MAX : bytes * chunk[i];
    }
    array->step = (array->step + chunk[0] - 1) / chunk[0] * chunk[0];
    return weft_check_plausible(bytes, file->bytes, where, err);
}

/* Data in other files is not read. */
static weft_status check_storage(const struct file *file, struct array *array, const char *where,
                                 weft_error *err)
{
    hid_t creation = H5Dget_create_plist(array->id);
    weft_status status;
    if (creation < 0 || H5Pget_external_count(creation) != 0 ||
        H5Pget_layout(creation) == H5D_VIRTUAL) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: its data is in other files, which are not read", where);
    } else {
        status = choose_step(file, array, creation, where, err);
    }
    if (creation >= 0) {
        H5Pclose(creation);
    }
    return status;
}

/* Takes the sizes of an array of numbers and checks them against the file. */
static weft_status check_array(const struct file *file, struct array *array, weft_error *err)
{
    H5T_class_t class = H5Tget_class(array->type);
    if (class != H5T_INTEGER && class != H5T_FLOAT) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: data set '%s' holds neither integers nor floating-point numbers",
                         file->path, array->name);
    }
    array->is_u8 = class == H5T_INTEGER && H5Tget_size(array->type) == 1 &&
                   H5Tget_sign(array->type) == H5T_SGN_NONE;
    char where[256];
    snprintf(where, sizeof where, "%s: data set '%s'", file->path, array->name);
    int rank = H5Sget_simple_extent_dims(array->space, array->dims, NULL);
    array->n_dims = rank > 0 ? (size_t)rank : 0;
    uint64_t dims[H5S_MAX_RANK];
    for (size_t i = 0; i < array->n_dims; i++) {
        dims[i] = array->dims[i];
    }
    weft_status status =
        weft_extent_init(&array->extent, dims, array->n_dims, sizeof(double), where, err);
    if (status != WEFT_OK) {
        return status;
    }
    size_t bytes = array->extent.samples * array->extent.features * H5Tget_size(array->type);
    status = weft_check_plausible(bytes, file->bytes, where, err);
    return status == WEFT_OK ? check_storage(file, array, where, err) : status;
}

static weft_status open_array(const struct file *file, const char *name, struct array *array,
                              weft_error *err)
{
    *array = (struct array){.name = name};
    array->id = H5Dopen2(file->id, name, file->access);
    if (array->id >= 0) {
        array->type = H5Dget_type(array->id);
        array->space = H5Dget_space(array->id);
    }
    if (array->id < 0 || array->type < 0 || array->space < 0) {
        close_array(array);
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: '%s' is not a data set that can be opened",
                         file->path, name);
    }
    weft_status status = check_array(file, array, err);
    if (status != WEFT_OK) {
        close_array(array);
    }
    return status;
}

/* Reads rows from `first` on into an array of the given type in memory. */
static bool read_rows(const struct array *array, hid_t memory_type, hsize_t first, hsize_t rows,
                      void *out)
{
    hsize_t start[H5S_MAX_RANK] = {first}, count[H5S_MAX_RANK];
    memcpy(count, array->dims, sizeof count);
    count[0] = rows;
    hid_t memory = H5Screate_simple((int)array->n_dims, count, NULL);
    bool done = memory >= 0 &&
                H5Sselect_hyperslab(array->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(array->id, memory_type, memory, array->space, H5P_DEFAULT, out) >= 0;
    if (memory >= 0) {
        H5Sclose(memory);
    }
    return done;
}

/* Reads n samples from `first` on, in pieces that end with chunks. */
static weft_status read_samples(const struct file *file, const struct array *array, hsize_t first,
                                hsize_t n, hid_t memory_type, size_t element, void *out,
                                weft_error *err)
{
    unsigned char *to = out;
    for (hsize_t end = first + n; first < end;) {
        hsize_t rows = array->step - first % array->step;
        rows = rows < end - first ? rows : end - first;
        if (!read_rows(array, memory_type, first, rows, to)) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: data set '%s': cannot read samples %llu to %llu: truncated, "
                             "corrupt, or compressed in a way that this libhdf5 does not know",
                             file->path, array->name, (unsigned long long)first,
                             (unsigned long long)(first + rows - 1));
        }
        to += rows * array->extent.features * element;
        first += rows;
    }
    return WEFT_OK;
}

/* Names of the classes: list_classes, an array of fixed-length strings. */
struct list {
    char *bytes;
    const char *names[LISTED_MAX];
    size_t n;
};

static bool has_doubles(const struct list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list->names[i], list->names[j]) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Reads `n` strings of `size` bytes, each padded with zeros or not at all. */
static weft_status read_strings(hid_t id, hid_t type, size_t n, size_t size, struct list *list,
                                weft_error *err)
{
    char *raw = weft_mem_zalloc(n, size);
    list->bytes = weft_mem_zalloc(n, size + 1);
    if (raw == NULL || list->bytes == NULL) {
        weft_mem_free(raw);
        return weft_fail_nomem(err, "class names");
    }
    if (H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) >= 0) {
        for (size_t i = 0; i < n; i++) {
            char *name = memcpy(list->bytes + i * (size + 1), raw + i * size, size);
            list->names[i] = name;
        }
        list->n = n;
    }
    weft_mem_free(raw);
    return WEFT_OK;
}

/* The list stays empty where there is none that can be used: it is no more than a help. */
static weft_status read_list(const struct file *file, struct list *list, weft_error *err)
{
    *list = (struct list){0};
    hid_t id = exists(file, "list_classes") ? H5Dopen2(file->id, "list_classes", file->access) : -1;
    if (id < 0) {
        return WEFT_OK;
    }
    weft_status status = WEFT_OK;
    hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    size_t size = H5Tget_size(type);
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && n > 0 &&
        n <= LISTED_MAX && size > 0 && size <= file->bytes) {
        status = read_strings(id, type, (size_t)n, size, list, err);
    }
    if (has_doubles(list)) {
        list->n = 0;
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(id);
    return status;
}

struct h5_source {
    struct weft_source common;
    struct weft_gzstream *stream; /* for its name */
    struct file file;
    struct weft_array_names names;
    struct array x, y; /* y is zeroed where labels are not wanted */
    struct list list;
    uint64_t at; /* sample to be read next */
};

/* libhdf5 prints errors unless told otherwise, which is a setting of the whole process. */
struct printing {
    H5E_auto2_t printer;
    void *data;
};

/* Builds of libhdf5, Debian's among them, take one thread at a time in the whole process; sources
 * of several files may be read by several threads. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

static struct printing enter_library(void)
{
    struct printing before = {0};
    pthread_mutex_lock(&library);
    H5Eget_auto2(H5E_DEFAULT, &before.printer, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

static void leave_library(const struct printing *before)
{
    H5Eset_auto2(H5E_DEFAULT, before->printer, before->data);
    pthread_mutex_unlock(&library);
}

static weft_status read_both(struct h5_source *source, struct weft_block *block, hsize_t n,
                             weft_error *err)
{
    weft_dtype dtype = source->common.dtype;
    hid_t type = dtype == WEFT_U8 ? H5T_NATIVE_UCHAR : H5T_NATIVE_FLOAT;
    weft_status status = read_samples(&source->file, &source->x, source->at, n, type,
                                      weft_dtype_size(dtype), block->x, err);
    if (status == WEFT_OK && source->common.n_labels > 0) {
        status = read_samples(&source->file, &source->y, source->at, n, H5T_NATIVE_DOUBLE,
                              sizeof(double), block->y, err);
    }
    return status;
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct h5_source *source = (struct h5_source *)common;
    uint64_t left = common->extent.samples - source->at;
    hsize_t n = block->capacity < left ? block->capacity : left;
    struct printing before = enter_library();
    weft_status status = read_both(source, block, n, err);
    leave_library(&before);
    if (status == WEFT_OK) {
        source->at += n;
        block->n = (size_t)n;
    }
    return status;
}

static weft_status seek_sample(struct weft_source *common, uint64_t sample, weft_error *err)
{
    (void)err;
    ((struct h5_source *)common)->at = sample;
    return WEFT_OK;
}

static void release(struct h5_source *source)
{
    close_array(&source->x);
    close_array(&source->y);
    if (source->file.access > 0) {
        H5Pclose(source->file.access);
    }
    if (source->file.id > 0) {
        H5Fclose(source->file.id);
    }
    weft_mem_free(source->list.bytes);
    weft_gzstream_close(source->stream);
    weft_mem_free(source);
}

static void close_source(struct weft_source *common)
{
    struct printing before = enter_library();
    release((struct h5_source *)common);
    leave_library(&before);
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = seek_sample, .close = close_source};

/* Called where a link leads to another file, with the types that libhdf5 asks for. */
/* NOLINTBEGIN(readability-non-const-parameter) */
static herr_t refuse_link(const char *from_file, const char *from_group, const char *to_file,
                          const char *to_object, unsigned *flags, hid_t access, void *led_away)
{
    (void)from_file;
    (void)from_group;
    (void)to_file;
    (void)to_object;
    (void)flags;
    (void)access;
    *(bool *)led_away = true;
    return -1;
}
/* NOLINTEND(readability-non-const-parameter) */

static weft_status open_file(struct file *file, weft_error *err)
{
    file->id = H5Fopen(file->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file->id < 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: starts as an HDF5 file, but cannot be opened: truncated or corrupt",
                         file->path);
    }
    enum { SLOTS = 12421 }; /* a prime, as the hash table of the cache wants it */
    file->access = H5Pcreate(H5P_DATASET_ACCESS);
    if (file->access < 0 || H5Pset_elink_cb(file->access, refuse_link, &file->led_away) < 0 ||
        H5Pset_chunk_cache(file->access, SLOTS, CHUNK_CACHE_BYTES, 1.0) < 0) {
        return weft_fail_nomem(err, "an HDF5 file");
    }
    return WEFT_OK;
}

static weft_status check_labels(const struct h5_source *source, weft_error *err)
{
    const struct array *x = &source->x, *y = &source->y;
    if (y->n_dims > 2) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: data set '%s' has %zu dimensions, labels have 1 or 2",
                         source->file.path, y->name, y->n_dims);
    }
    if (y->extent.samples != x->extent.samples) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: '%s' has %zu samples, '%s' %zu labels",
                         source->file.path, x->name, x->extent.samples, y->name, y->extent.samples);
    }
    return WEFT_OK;
}

static weft_status open_arrays(struct h5_source *source, const weft_dataset_options *options,
                               weft_error *err)
{
    struct weft_source *common = &source->common;
    struct file *file = &source->file;
    weft_status status = choose_names(file, options, &source->names, err);
    if (status == WEFT_OK) {
        status = open_array(file, source->names.x, &source->x, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    common->extent = source->x.extent;
    common->dtype = source->x.is_u8 ? WEFT_U8 : WEFT_F32;
    if (options->labels == WEFT_LABELS_NONE) {
        return WEFT_OK;
    }
    status = open_array(file, source->names.y, &source->y, err);
    if (status == WEFT_OK) {
        common->n_labels = source->y.extent.features;
        status = check_labels(source, err);
    }
    if (status == WEFT_OK) {
        status = read_list(file, &source->list, err);
    }
    common->listed = source->list.n == 0 ? NULL : source->list.names;
    common->n_listed = source->list.n;
    return status;
}

static weft_status open_source(const struct weft_source_files *files,
                               const weft_dataset_options *options, struct weft_source **out,
                               weft_error *err)
{
    assert(files->labels == NULL);
    struct h5_source *source =
        weft_gzstream_is_packed(files->samples) ? NULL : weft_mem_zalloc(1, sizeof *source);
    if (source == NULL) {
        weft_status status = weft_gzstream_is_packed(files->samples)
                                 ? refuse_gzip(files->samples, err)
                                 : weft_fail_nomem(err, "a file reader");
        weft_source_files_close(files);
        return status;
    }
    source->common.methods = &methods;
    source->common.format = "HDF5";
    source->common.can_seek = true;
    source->stream = files->samples;
    source->file.path = weft_gzstream_path(files->samples);
    source->file.bytes = weft_gzstream_file_bytes(files->samples);
    source->common.x_path = source->common.y_path = source->file.path;
    struct printing before = enter_library();
    weft_status status = open_file(&source->file, err);
    if (status == WEFT_OK) {
        status = open_arrays(source, options, err);
    }
    if (status != WEFT_OK) {
        release(source);
    }
    leave_library(&before);
    if (status == WEFT_OK) {
        *out = &source->common;
    }
    return status;
}

#else

static weft_status open_source(const struct weft_source_files *files,
                               const weft_dataset_options *options, struct weft_source **out,
                               weft_error *err)
{
    (void)options;
    (void)out;
    weft_status status = weft_gzstream_is_packed(files->samples)
                             ? refuse_gzip(files->samples, err)
                             : weft_fail(err, WEFT_ERR_UNSUPPORTED,
                                         "%s: an HDF5 file, and this build of weft has no HDF5",
                                         weft_gzstream_path(files->samples));
    weft_source_files_close(files);
    return status;
}

#endif

const struct weft_format weft_h5_format = {.knows = knows, .open = open_source};
