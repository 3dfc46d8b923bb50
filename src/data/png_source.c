/* Reads images as samples. All are brought to one shape: that of the options, or what a model
 * takes, or that of the first image, which all others must then have. Images are opened one by one;
 * only their names are kept. */
#include "data/png_source.h"

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/image_folder.h"
#include "data/image_resize.h"
#include "data/png_image.h"

#define SIDE_MAX 4096

struct png_source {
    struct weft_source common;
    struct weft_image_folder folder; /* of a single file: that one */
    char *path;                      /* what was opened */
    struct weft_image_shape shape;
    bool is_fixed; /* the shape is that of the first image, not one to resize to */
    size_t at;     /* the next image */
    struct weft_labels labels;
    double *ids; /* [n_folders] of the classes */
};

static void close_source(struct weft_source *common)
{
    struct png_source *source = (struct png_source *)common;
    weft_image_folder_release(&source->folder);
    weft_labels_release(&source->labels);
    weft_mem_free(source->ids);
    weft_mem_free(source->path);
    weft_mem_free(source);
}

static weft_status read_file(const char *path, bool header_only, struct weft_png_image *image,
                             weft_error *err)
{
    struct weft_gzstream *stream = NULL;
    weft_status status = weft_gzstream_open(path, &stream, err);
    if (status == WEFT_OK) {
        status = header_only ? weft_png_read_header(stream, image, err)
                             : weft_png_read(stream, image, err);
    }
    weft_gzstream_close(stream);
    return status;
}

static weft_status read_sample(struct png_source *source, unsigned char *x, weft_error *err)
{
    const char *path = source->folder.paths[source->at];
    struct weft_png_image image = {0};
    weft_status status = read_file(path, false, &image, err);
    if (status == WEFT_OK && source->is_fixed &&
        (image.width != source->shape.width || image.height != source->shape.height)) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: %zu x %zu pixels, %s has %zu x %zu; --image-size WxH brings all to "
                           "one size",
                           path, image.width, image.height, source->folder.paths[0],
                           source->shape.width, source->shape.height);
    }
    if (status == WEFT_OK) {
        weft_image_resize(image.rgba, image.width, image.height, &source->shape, x);
    }
    weft_png_release(&image);
    return status;
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct png_source *source = (struct png_source *)common;
    unsigned char *x = block->x;
    for (; block->n < block->capacity && source->at < source->folder.n; source->at++) {
        weft_status status = read_sample(source, x + block->n * common->extent.features, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (common->n_labels > 0) {
            block->y[block->n] = source->ids[source->folder.classes[source->at]];
        }
        block->n++;
    }
    return WEFT_OK;
}

static weft_status seek_sample(struct weft_source *common, uint64_t sample, weft_error *err)
{
    (void)err;
    ((struct png_source *)common)->at = (size_t)sample;
    return WEFT_OK;
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = seek_sample, .close = close_source};

/* The side of a square of n pixels; 0 where there is none. */
static size_t side_of(size_t n)
{
    size_t side = 0;
    while (side < SIDE_MAX && side * side < n) {
        side++;
    }
    return side * side == n ? side : 0;
}

/* What a model of n inputs takes where nothing else says it: a square image, grey or RGB. */
static bool shape_of_model(struct weft_image_shape *shape, size_t n)
{
    size_t grey = shape->channels == 3 ? 0 : side_of(n);
    size_t rgb = shape->channels == 1 || n % 3 != 0 ? 0 : side_of(n / 3);
    shape->width = shape->height = grey != 0 ? grey : rgb;
    shape->channels = grey != 0 ? 1 : 3;
    return shape->width != 0;
}

static weft_status find_shape(struct png_source *source, const weft_dataset_options *options,
                              weft_error *err)
{
    struct weft_image_shape *shape = &source->shape;
    *shape = (struct weft_image_shape){.width = options->image_width,
                                       .height = options->image_height,
                                       .channels = options->image_channels,
                                       .invert = options->invert};
    size_t pixels = shape->width * shape->height, n = options->n_inputs;
    if (pixels > 0 && shape->channels == 0 && (n == pixels || n == 3 * pixels)) {
        shape->channels = n / pixels;
    }
    if (pixels == 0 && n > 0 && !shape_of_model(shape, n)) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: the model takes %zu numbers, which are no square image: --image-size "
                         "WxH says their shape",
                         source->path, n);
    }
    if (shape->width > 0 && shape->channels > 0) {
        return WEFT_OK;
    }
    struct weft_png_image first = {0};
    weft_status status = read_file(source->folder.paths[0], true, &first, err);
    if (status == WEFT_OK && shape->width == 0) {
        source->is_fixed = true;
        shape->width = first.width;
        shape->height = first.height;
    }
    if (status == WEFT_OK && shape->channels == 0) {
        shape->channels = first.is_grey ? 1 : 3;
    }
    return status;
}

static weft_status describe(struct png_source *source, weft_error *err)
{
    const struct weft_image_shape *shape = &source->shape;
    if (shape->width > SIDE_MAX || shape->height > SIDE_MAX) {
        return weft_fail(
            err, WEFT_ERR_FORMAT,
            "%s: %zu x %zu pixels, wanted at most %d on a side; --image-size WxH makes "
            "images smaller",
            source->folder.paths[0], shape->width, shape->height, SIDE_MAX);
    }
    const uint64_t dims[4] = {source->folder.n, shape->height, shape->width, shape->channels};
    return weft_extent_init(&source->common.extent, dims, shape->channels == 1 ? 3 : 4, 1,
                            source->path, err);
}

/* A folder's name is its class. */
static weft_status find_classes(struct png_source *source, const weft_dataset_options *options,
                                weft_error *err)
{
    if (options->labels == WEFT_LABELS_NONE) {
        return WEFT_OK;
    }
    if (options->labels == WEFT_LABELS_VALUES) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: a directory of images has classes, wanted values as labels",
                         source->path);
    }
    source->common.n_labels = 1;
    source->common.words = &source->labels;
    source->ids = weft_mem_alloc(source->folder.n_folders, sizeof *source->ids);
    if (source->ids == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    weft_status status =
        weft_labels_init(&source->labels, source->path, "folder", WEFT_LABELS_CLASSES,
                         options->class_names, options->n_class_names, err);
    for (size_t i = 0; i < source->folder.n_folders && status == WEFT_OK; i++) {
        const char *name = source->folder.folders[i];
        status = weft_labels_add_text(&source->labels, name, strlen(name), i, &source->ids[i], err);
    }
    return status;
}

static weft_status check_options(const weft_dataset_options *options, weft_error *err)
{
    bool half = (options->image_width == 0) != (options->image_height == 0);
    bool large = options->image_width > SIDE_MAX || options->image_height > SIDE_MAX;
    size_t channels = options->image_channels;
    if (half || large || (channels != 0 && channels != 1 && channels != 3)) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "images of %zu x %zu pixels and %zu channels: wanted 1 to %d on a side, "
                         "and 1 or 3",
                         options->image_width, options->image_height, channels, SIDE_MAX);
    }
    return WEFT_OK;
}

/* Everything behind the list of the files; takes the source. */
static weft_status finish(struct png_source *source, const weft_dataset_options *options,
                          weft_status status, struct weft_source **out, weft_error *err)
{
    source->common.methods = &methods;
    source->common.format = "PNG";
    source->common.x_path = source->common.y_path = source->path;
    source->common.dtype = WEFT_U8;
    source->common.can_seek = true;
    if (status == WEFT_OK) {
        status = check_options(options, err);
    }
    if (status == WEFT_OK) {
        status = find_shape(source, options, err);
    }
    if (status == WEFT_OK) {
        status = describe(source, err);
    }
    if (status == WEFT_OK) {
        status = find_classes(source, options, err);
    }
    if (status != WEFT_OK) {
        close_source(&source->common);
        return status;
    }
    *out = &source->common;
    return WEFT_OK;
}

weft_status weft_png_open_folder(const char *path, const weft_dataset_options *options,
                                 struct weft_source **out, weft_error *err)
{
    if (!weft_png_available()) {
        return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                         "%s: PNG images, and this build of weft has no PNG", path);
    }
    struct png_source *source = weft_mem_zalloc(1, sizeof *source);
    if (source == NULL) {
        return weft_fail_nomem(err, "a file reader");
    }
    source->path = weft_image_folder_of_split(path, options->split);
    weft_status status = source->path == NULL
                             ? weft_fail_nomem(err, "a file name")
                             : weft_image_folder_list(&source->folder, source->path,
                                                      options->labels == WEFT_LABELS_NONE, err);
    return finish(source, options, status, out, err);
}

/* A single file: one sample, and no label. */
static weft_status open_file(const struct weft_source_files *files,
                             const weft_dataset_options *options, struct weft_source **out,
                             weft_error *err)
{
    struct png_source *source = weft_mem_zalloc(1, sizeof *source);
    weft_status status =
        source == NULL ? weft_fail_nomem(err, "a file reader")
        : options->labels != WEFT_LABELS_NONE
            ? weft_fail(err, WEFT_ERR_FORMAT,
                        "%s: an image without a label, wanted a directory with one folder for each "
                        "class",
                        weft_gzstream_path(files->samples))
            : WEFT_OK;
    if (source == NULL) {
        weft_source_files_close(files);
        return status;
    }
    struct weft_image_folder *folder = &source->folder;
    source->path = weft_mem_strdup(weft_gzstream_path(files->samples));
    folder->paths = weft_mem_zalloc(1, sizeof *folder->paths);
    folder->classes = weft_mem_zalloc(1, sizeof *folder->classes);
    char *name = weft_mem_strdup(weft_gzstream_path(files->samples));
    weft_source_files_close(files);
    if (folder->paths != NULL) {
        folder->paths[0] = name;
        folder->n = 1;
    } else {
        weft_mem_free(name);
    }
    if (status == WEFT_OK && (source->path == NULL || folder->paths == NULL || name == NULL ||
                              folder->classes == NULL)) {
        status = weft_fail_nomem(err, "a file name");
    }
    return finish(source, options, status, out, err);
}

static bool knows(const unsigned char *bytes, size_t n)
{
    return weft_png_looks_so(bytes, n);
}

const struct weft_format weft_png_format = {.knows = knows, .open = open_file};
