/* Conversion: reads the data through to know what there is, then again to write it. */
#include <weft/convert.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/convert_write.h"
#include "data/data_paths.h"
#include "data/number.h"

size_t weft_conversion_labels(const struct weft_conversion *conversion)
{
    const weft_summary *summary = conversion->summary;
    return summary->labels == WEFT_LABELS_CLASSES  ? 1
           : summary->labels == WEFT_LABELS_VALUES ? summary->n_values
                                                   : 0;
}

struct weft_block weft_conversion_block(const struct weft_conversion *conversion)
{
    const struct weft_source *source = conversion->source;
    struct weft_block block = {.capacity = weft_source_block_rows(source)};
    block.x =
        weft_mem_alloc(block.capacity, source->extent.features * weft_dtype_size(source->dtype));
    block.y = weft_mem_alloc(block.capacity, (source->n_labels + 1) * sizeof *block.y);
    if (block.y == NULL) {
        weft_mem_free(block.x);
        block.x = NULL;
    }
    return block;
}

void weft_block_free(struct weft_block *block)
{
    weft_mem_free(block->x);
    weft_mem_free(block->y);
}

/* The class of a label as the source gives it; n_classes where there is none. */
static size_t class_of(const struct weft_conversion *conversion, double label)
{
    const weft_summary *summary = conversion->summary;
    const struct weft_source *source = conversion->source;
    if (conversion->rank != NULL && source->words != NULL) {
        return label < (double)conversion->n_rank ? (size_t)conversion->rank[(size_t)label]
                                                  : summary->n_classes;
    }
    char text[32];
    bool named = source->listed != NULL && label >= 0 && label < (double)source->n_listed;
    snprintf(text, sizeof text, "%lld", (long long)label);
    size_t i = 0;
    while (i < summary->n_classes && strcmp(summary->class_names[i], text) != 0 &&
           !(named && strcmp(summary->class_names[i], source->listed[(size_t)label]) == 0)) {
        i++;
    }
    return i;
}

static weft_status fail_changed(const struct weft_conversion *conversion, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_IO, "%s: changed while it was read", conversion->source->x_path);
}

static weft_status number_labels(const struct weft_conversion *conversion, struct weft_block *block,
                                 weft_error *err)
{
    const weft_summary *summary = conversion->summary;
    const struct weft_labels *words = conversion->source->words;
    for (size_t i = 0; i < block->n; i++) {
        if (summary->labels == WEFT_LABELS_CLASSES) {
            size_t class = class_of(conversion, block->y[i]);
            if (class >= summary->n_classes) {
                return fail_changed(conversion, err);
            }
            block->y[i] = conversion->numbers[class];
        } else if (words != NULL) { /* texts that are values */
            block->y[i] = words->distinct[(size_t)block->y[i]].value;
        }
    }
    return WEFT_OK;
}

weft_status weft_conversion_read(struct weft_conversion *conversion, struct weft_block *block,
                                 weft_error *err)
{
    struct weft_source *source = conversion->source;
    const weft_summary *summary = conversion->summary;
    weft_status status = weft_source_read(source, block, err);
    if (status != WEFT_OK) {
        return status;
    }
    conversion->n_done += block->n;
    if (conversion->n_done > summary->samples ||
        (block->n == 0 && conversion->n_done < summary->samples)) {
        return fail_changed(conversion, err);
    }
    if (summary->dtype == WEFT_U8 && source->dtype == WEFT_F32) {
        const float *from = block->x;
        unsigned char *to = block->x;
        for (size_t i = 0; i < block->n * source->extent.features; i++) {
            if (!(from[i] >= 0 && from[i] <= 255)) {
                return fail_changed(conversion, err);
            }
            to[i] = (unsigned char)from[i];
        }
    }
    return source->n_labels == 0 ? WEFT_OK : number_labels(conversion, block, err);
}

const char *weft_conversion_name(const struct weft_conversion *conversion, double number)
{
    const weft_summary *summary = conversion->summary;
    size_t i = 0;
    while (i + 1 < summary->n_classes && conversion->numbers[i] != number) {
        i++;
    }
    return summary->class_names[i];
}

static weft_status find_numbers(struct weft_conversion *conversion, weft_error *err)
{
    const weft_summary *summary = conversion->summary;
    size_t n = summary->n_classes;
    conversion->numbers = weft_mem_alloc(n, sizeof *conversion->numbers);
    if (conversion->numbers == NULL) {
        return weft_fail_nomem(err, "classes");
    }
    conversion->are_numbers = n > 0;
    for (size_t i = 0; i < n; i++) {
        double *number = &conversion->numbers[i];
        const char *name = summary->class_names[i];
        conversion->are_numbers =
            conversion->are_numbers &&
            weft_number_double(name, strlen(name), number) == WEFT_NUMBER_OK && *number >= 0 &&
            *number <= INT32_MAX && *number == trunc(*number);
    }
    for (size_t i = 0; i < n && !conversion->are_numbers; i++) {
        conversion->numbers[i] = (double)i;
    }
    return WEFT_OK;
}

static bool ends_in(const char *text, const char *ending)
{
    size_t len = strlen(text), n = strlen(ending);
    return len > n && strcmp(text + len - n, ending) == 0;
}

static weft_conversion_writer *writer_of(const char *path)
{
    static const struct {
        const char *ending;
        weft_conversion_writer *writer;
    } endings[] = {{".npz", weft_write_npz},       {".npy", weft_write_npy},
                   {".csv", weft_write_csv},       {".csv.gz", weft_write_csv},
                   {".libsvm", weft_write_libsvm}, {".libsvm.gz", weft_write_libsvm},
                   {".svm", weft_write_libsvm},    {".svm.gz", weft_write_libsvm}};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (ends_in(path, endings[i].ending)) {
            return endings[i].writer;
        }
    }
    return weft_write_idx;
}

static bool same_file(const char *a, const char *b)
{
    struct stat a_info, b_info;
    return a != NULL && b != NULL && stat(a, &a_info) == 0 && stat(b, &b_info) == 0 &&
           a_info.st_dev == b_info.st_dev && a_info.st_ino == b_info.st_ino;
}

static weft_status check_paths(const struct weft_conversion *conversion,
                               weft_conversion_writer *writer, const char *in,
                               const weft_dataset_options *options, weft_error *err)
{
    struct weft_data_paths paths;
    weft_status status = weft_data_paths_init(&paths, in, options, err);
    if (status != WEFT_OK) {
        return status;
    }
    const char *x = conversion->x_path, *y = conversion->y_path;
    bool same = same_file(paths.samples, x) || same_file(paths.labels, x) ||
                same_file(paths.samples, y) || same_file(paths.labels, y) ||
                (y != NULL && strcmp(x, y) == 0);
    weft_data_paths_release(&paths);
    if (same) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "%s: would overwrite a file that is read from, or one "
                         "that is written",
                         x);
    }
    bool pair = writer == weft_write_idx || writer == weft_write_npy;
    if (!pair && y != NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: one file holds both, wanted no second one", x);
    }
    return WEFT_OK;
}

/* Cuts "A,B" in two; *copy is to be freed. */
static weft_status cut_out(struct weft_conversion *conversion, const char *out, char **copy,
                           weft_error *err)
{
    *copy = weft_mem_strdup(out);
    if (*copy == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    char *comma = strchr(*copy, ',');
    conversion->x_path = *copy;
    if (comma != NULL) {
        *comma = '\0';
        conversion->y_path = comma + 1;
    }
    return WEFT_OK;
}

static weft_status check_summary(const struct weft_conversion *conversion, const char *in,
                                 bool pair_wanted, weft_error *err)
{
    const weft_summary *summary = conversion->summary;
    if (summary->missing > 0 || !isfinite(summary->std)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: %llu features are nan, or some are infinite",
                         in, (unsigned long long)summary->missing);
    }
    bool has_labels = summary->labels != WEFT_LABELS_NONE;
    if (pair_wanted && has_labels != (conversion->y_path != NULL)) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: %s", conversion->x_path,
                         has_labels ? "wanted a second file for the labels: IMAGES,LABELS"
                                    : "there are no labels for the second file");
    }
    return WEFT_OK;
}

static weft_status write_again(struct weft_conversion *conversion, weft_conversion_writer *writer,
                               const char *in, const weft_dataset_options *options, weft_error *err)
{
    bool pair = writer == weft_write_idx || writer == weft_write_npy;
    weft_status status = check_summary(conversion, in, pair, err);
    if (status == WEFT_OK) {
        status = find_numbers(conversion, err);
    }
    if (status == WEFT_OK) {
        status = weft_source_open(in, options, &conversion->source, err);
    }
    if (status == WEFT_OK) {
        status = writer(conversion, err);
    }
    weft_source_close(conversion->source);
    weft_mem_free(conversion->numbers);
    return status;
}

static weft_status summarize(const char *in, const weft_dataset_options *options,
                             struct weft_conversion *conversion, weft_summary *summary,
                             int32_t **rank, weft_error *err)
{
    struct weft_source *source = NULL;
    weft_status status = weft_source_open(in, options, &source, err);
    if (status == WEFT_OK) {
        status = weft_source_summarize(source, options, summary, rank, &conversion->n_rank, err);
    }
    weft_source_close(source);
    conversion->rank = *rank;
    conversion->summary = summary;
    return status;
}

weft_status weft_dataset_convert(const char *in, const weft_dataset_options *options,
                                 const char *out, weft_summary *found, weft_error *err)
{
    weft_dataset_options defaults = weft_dataset_options_default();
    options = options == NULL ? &defaults : options;
    struct weft_conversion conversion = {0};
    weft_summary summary = {0};
    int32_t *rank = NULL;
    char *copy = NULL;
    weft_conversion_writer *writer = NULL;
    weft_status status = cut_out(&conversion, out, &copy, err);
    if (status == WEFT_OK) {
        writer = writer_of(conversion.x_path);
        status = check_paths(&conversion, writer, in, options, err);
    }
    if (status == WEFT_OK) {
        status = summarize(in, options, &conversion, &summary, &rank, err);
    }
    if (status == WEFT_OK) {
        status = write_again(&conversion, writer, in, options, err);
    }
    weft_mem_free(rank);
    weft_mem_free(copy);
    if (status == WEFT_OK && found != NULL) {
        *found = summary;
    } else {
        weft_summary_release(&summary);
    }
    return status;
}
