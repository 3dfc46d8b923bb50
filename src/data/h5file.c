/* Reads one data set of samples, one of labels and, where there is one, the list of class names
 * from an HDF5 file. The library's own printing of errors is off meanwhile. */
#include "data/h5file.h"

#include <stdio.h>
#include <string.h>

#include <hdf5.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/labels.h"

#define BLOCK_BYTES ((size_t)1 << 22)
#define LISTED_MAX 1000

struct file {
    const char *path;
    uint64_t bytes;
    hid_t id;
};

/* A data set of the file. */
struct array {
    const char *name;
    hid_t id, type, space;
    struct weft_extent extent;
    size_t n_dims;
    hsize_t dims[H5S_MAX_RANK];
    bool is_u8;
};

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

static bool exists(const struct file *file, const char *name)
{
    return H5Lexists(file->id, name, H5P_DEFAULT) > 0 &&
           H5Oexists_by_name(file->id, name, H5P_DEFAULT) > 0;
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
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: no data set %s for the %s; the file has: %s",
                     file->path, name == NULL ? guesses : quoted.text, what, list_names(file).text);
}

/* Names of samples and labels that go together. */
struct pair {
    const char *x, *y;
};

static const struct pair train_pair = {"train_set_x", "train_set_y"};
static const struct pair test_pair = {"test_set_x", "test_set_y"};

static bool agrees(const char *given, const char *name)
{
    return given == NULL || strcmp(given, name) == 0;
}

/* Fills the names that the options leave open: by a pair that has the names given, if there is one,
 * else by any name that exists. */
static weft_status choose_names(const struct file *file, const weft_dataset_options *options,
                                struct pair *out, weft_error *err)
{
    bool test = options->split == WEFT_SPLIT_TEST;
    const struct pair pairs[] = {test ? test_pair : train_pair,
                                 test ? train_pair : test_pair,
                                 {"x", "y"},
                                 {"X", "Y"},
                                 {"X", "y"}};
    const size_t n_pairs = sizeof pairs / sizeof *pairs;
    const char *x_name = options->x_name, *y_name = options->y_name;
    bool want_y = options->labels != WEFT_LABELS_NONE;
    bool x_found = false;
    for (size_t i = 0; i < 2 * n_pairs; i++) {
        const struct pair *pair = &pairs[i % n_pairs];
        if (i < n_pairs && !(agrees(x_name, pair->x) && agrees(y_name, pair->y))) {
            continue;
        }
        const char *x = x_name == NULL ? pair->x : x_name;
        const char *y = y_name == NULL ? pair->y : y_name;
        bool has_x = exists(file, x);
        if (has_x && (!want_y || exists(file, y))) {
            *out = (struct pair){x, y};
            return WEFT_OK;
        }
        x_found = x_found || has_x;
    }
    return x_found
               ? fail_name(file, "labels", y_name, "'train_set_y', 'test_set_y', 'y' or 'Y'", err)
               : fail_name(file, "samples", x_name, "'train_set_x', 'test_set_x', 'x' or 'X'", err);
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
    return weft_check_plausible(bytes, file->bytes, where, err);
}

static weft_status open_array(const struct file *file, const char *name, struct array *array,
                              weft_error *err)
{
    *array = (struct array){.name = name};
    array->id = H5Dopen2(file->id, name, H5P_DEFAULT);
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

/* Rows to read at a time: a few megabytes, and whole chunks, so that none is decompressed twice. */
static hsize_t rows_at_a_time(const struct array *array, size_t element)
{
    hsize_t rows = BLOCK_BYTES / element / array->extent.features;
    rows += rows == 0;
    hsize_t chunk[H5S_MAX_RANK];
    hid_t layout = H5Dget_create_plist(array->id);
    if (H5Pget_layout(layout) == H5D_CHUNKED && H5Pget_chunk(layout, H5S_MAX_RANK, chunk) > 0) {
        rows = (rows + chunk[0] - 1) / chunk[0] * chunk[0];
    }
    H5Pclose(layout);
    return rows;
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

static weft_status read_array(const struct file *file, const struct array *array, hid_t memory_type,
                              size_t element, void *out, weft_error *err)
{
    hsize_t step = rows_at_a_time(array, element), n = array->dims[0];
    for (hsize_t first = 0; first < n; first += step) {
        hsize_t rows = n - first < step ? n - first : step;
        unsigned char *to = (unsigned char *)out + first * array->extent.features * element;
        if (!read_rows(array, memory_type, first, rows, to)) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: data set '%s': cannot read samples %llu to %llu: truncated, "
                             "corrupt, or compressed in a way that this libhdf5 does not know",
                             file->path, array->name, (unsigned long long)first,
                             (unsigned long long)(first + rows - 1));
        }
    }
    return WEFT_OK;
}

static weft_status read_x(const struct file *file, const char *name, weft_dataset **out,
                          weft_error *err)
{
    struct array array;
    weft_status status = open_array(file, name, &array, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_dtype dtype = array.is_u8 ? WEFT_U8 : WEFT_F32;
    weft_dataset *data = NULL;
    status = weft_dataset_new(&array.extent, dtype, "HDF5", &data, err);
    if (status == WEFT_OK) {
        status = read_array(file, &array, array.is_u8 ? H5T_NATIVE_UCHAR : H5T_NATIVE_FLOAT,
                            weft_dtype_size(dtype), data->x.data, err);
        if (status == WEFT_OK) {
            *out = data;
        } else {
            weft_dataset_free(data);
        }
    }
    close_array(&array);
    return status;
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
    hid_t id = exists(file, "list_classes") ? H5Dopen2(file->id, "list_classes", H5P_DEFAULT) : -1;
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

static weft_status map_labels(const struct file *file, const struct array *array,
                              const double *numbers, const weft_dataset_options *options,
                              weft_dataset *data, weft_error *err)
{
    struct list list;
    weft_status status = read_list(file, &list, err);
    if (status == WEFT_OK) {
        const struct weft_number_labels source = {
            .path = file->path,
            .numbers = numbers,
            .n_each = array->extent.features,
            .listed = list.n == 0 ? NULL : list.names,
            .n_listed = list.n,
        };
        status = weft_labels_from_numbers(&source, options, data, err);
    }
    weft_mem_free(list.bytes);
    return status;
}

static weft_status read_opened_y(const struct file *file, const struct array *array,
                                 const struct pair *names, const weft_dataset_options *options,
                                 weft_dataset *data, weft_error *err)
{
    if (array->n_dims > 2) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: data set '%s' has %zu dimensions, labels have 1 or 2", file->path,
                         array->name, array->n_dims);
    }
    if (array->extent.samples != data->extent.samples) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: '%s' has %zu samples, '%s' %zu labels",
                         file->path, names->x, data->extent.samples, names->y,
                         array->extent.samples);
    }
    double *numbers =
        weft_mem_alloc(array->extent.samples, array->extent.features * sizeof *numbers);
    if (numbers == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    weft_status status = read_array(file, array, H5T_NATIVE_DOUBLE, sizeof *numbers, numbers, err);
    if (status == WEFT_OK) {
        status = map_labels(file, array, numbers, options, data, err);
    }
    weft_mem_free(numbers);
    return status;
}

static weft_status read_y(const struct file *file, const struct pair *names,
                          const weft_dataset_options *options, weft_dataset *data, weft_error *err)
{
    struct array array;
    weft_status status = open_array(file, names->y, &array, err);
    if (status == WEFT_OK) {
        status = read_opened_y(file, &array, names, options, data, err);
        close_array(&array);
    }
    return status;
}

static weft_status load_opened(const struct file *file, const weft_dataset_options *options,
                               weft_dataset **out, weft_error *err)
{
    struct pair names = {0};
    weft_dataset *data = NULL;
    weft_status status = choose_names(file, options, &names, err);
    if (status == WEFT_OK) {
        status = read_x(file, names.x, &data, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (options->labels != WEFT_LABELS_NONE) {
        status = read_y(file, &names, options, data, err);
    }
    if (status == WEFT_OK) {
        status = weft_dataset_scan(data, WEFT_ERR_FORMAT, file->path, file->path, err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

weft_status weft_h5_load(const char *path, uint64_t file_bytes, const weft_dataset_options *options,
                         weft_dataset **out, weft_error *err)
{
    H5E_auto2_t printer = NULL;
    void *printer_data = NULL;
    H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    struct file file = {.path = path, .bytes = file_bytes};
    file.id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    weft_status status;
    if (file.id < 0) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: starts as an HDF5 file, but cannot be opened: truncated or corrupt",
                           path);
    } else {
        status = load_opened(&file, options, out, err);
        H5Fclose(file.id);
    }
    H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    return status;
}
