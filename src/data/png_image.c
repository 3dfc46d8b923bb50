/* Decodes PNG files through libpng's sequential reader, which leaves by longjmp() where something
 * is wrong: all that must survive that is in a struct, and nothing is called in between but libpng.
 * Before pixels are taken memory for, the header's size is held against a limit and against the
 * size of the file; ancillary chunks may take 1 MB. */
#include "data/png_image.h"

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"

bool weft_png_looks_so(const unsigned char *bytes, size_t n)
{
    static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    return n >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

void weft_png_release(struct weft_png_image *image)
{
    weft_mem_free(image->rgba);
    *image = (struct weft_png_image){0};
}

#ifdef WEFT_HAVE_PNG

#include <setjmp.h>

#include <png.h>

#define SIDE_MAX 65535
#define CHUNK_MAX ((size_t)1 << 20)
#define CHUNKS_MAX 100

/* What the callbacks of libpng need, and leave. */
struct reader {
    struct weft_gzstream *stream;
    weft_error why;    /* of the stream, where that failed */
    char message[120]; /* of libpng */
    bool header_only;
    png_structp png;
    png_infop info;
    png_bytep *rows;
    struct weft_png_image *image;
};

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    (void)png;
    return weft_mem_alloc(size, 1);
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    weft_mem_free(block);
}

/* Does not return, as libpng wants it. */
static void fail(png_structp png, png_const_charp message)
{
    struct reader *reader = png_get_error_ptr(png);
    if (reader->message[0] == '\0') {
        size_t len = strlen(message);
        len = len < sizeof reader->message - 1 ? len : sizeof reader->message - 1;
        memcpy(reader->message, message, len);
    }
    png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep bytes, png_size_t n)
{
    struct reader *reader = png_get_io_ptr(png);
    size_t got = 0;
    weft_status status = weft_gzstream_read(reader->stream, bytes, n, &got, &reader->why);
    if (status != WEFT_OK || got < n) {
        png_error(png, "the file ends amid the image");
    }
}

static void limit(png_structp png)
{
    png_set_user_limits(png, SIDE_MAX, SIDE_MAX);
    png_set_chunk_malloc_max(png, CHUNK_MAX);
    png_set_chunk_cache_max(png, CHUNKS_MAX);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_QUIET_USE);
}

/* The header's size against limits; of compressed rows every byte of the file gives 1032 at most.
 * */
static void check_size(struct reader *reader)
{
    const struct weft_png_image *image = reader->image;
    if (image->height > WEFT_PNG_PIXELS_MAX / image->width) {
        png_error(reader->png, "more than 12 million pixels");
    }
    weft_error why;
    uint64_t bytes = (uint64_t)png_get_rowbytes(reader->png, reader->info) * image->height;
    if (weft_check_plausible(bytes, weft_gzstream_file_bytes(reader->stream), "", &why) !=
        WEFT_OK) {
        png_error(reader->png, "the file is too short for an image of that size");
    }
}

/* Any kind of PNG as rows of RGBA, 8 bits each. */
static void ask_for_rgba(png_structp png)
{
    png_set_scale_16(png);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
    (void)png_set_interlace_handling(png);
}

static void decode(struct reader *reader)
{
    struct weft_png_image *image = reader->image;
    size_t n = image->width * image->height;
    ask_for_rgba(reader->png);
    png_read_update_info(reader->png, reader->info);
    if (png_get_rowbytes(reader->png, reader->info) != 4 * image->width) {
        png_error(reader->png, "an unknown layout of rows");
    }
    image->rgba = weft_mem_alloc(n, 4);
    reader->rows = weft_mem_alloc(image->height, sizeof *reader->rows);
    if (image->rgba == NULL || reader->rows == NULL) {
        reader->why.status = WEFT_ERR_NOMEM;
        png_error(reader->png, "no memory");
    }
    for (size_t i = 0; i < image->height; i++) {
        reader->rows[i] = image->rgba + 4 * i * image->width;
    }
    png_read_image(reader->png, reader->rows);
    png_read_end(reader->png, NULL);
}

/* All calls of libpng that may fail; false after a longjmp(). */
static bool run(struct reader *reader)
{
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png)) != 0) {
        return false;
    }
    limit(png);
    png_set_read_fn(png, reader, read_bytes);
    png_read_info(png, reader->info);
    reader->image->width = png_get_image_width(png, reader->info);
    reader->image->height = png_get_image_height(png, reader->info);
    reader->image->is_grey = (png_get_color_type(png, reader->info) & PNG_COLOR_MASK_COLOR) == 0;
    check_size(reader);
    if (!reader->header_only) {
        decode(reader);
    }
    return true;
}

static weft_status explain(const struct reader *reader, weft_error *err)
{
    const char *path = weft_gzstream_path(reader->stream);
    if (reader->why.status == WEFT_ERR_NOMEM || strcmp(reader->message, "Out of memory") == 0 ||
        strstr(reader->message, "nsufficient memory") != NULL) {
        return weft_fail_nomem(err, "an image");
    }
    if (reader->why.status != WEFT_OK) {
        return weft_fail(err, reader->why.status, "%s", reader->why.message);
    }
    if (reader->image->width > 0) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: broken PNG image of %zu x %zu pixels: %s", path,
                         reader->image->width, reader->image->height, reader->message);
    }
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: broken PNG image: %s", path, reader->message);
}

static weft_status read_image(struct weft_gzstream *stream, struct weft_png_image *image,
                              bool header_only, weft_error *err)
{
    *image = (struct weft_png_image){0};
    struct reader reader = {.stream = stream, .header_only = header_only, .image = image};
    reader.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &reader, fail, warn, NULL,
                                          allocate, release);
    reader.info = reader.png == NULL ? NULL : png_create_info_struct(reader.png);
    bool made = reader.info != NULL;
    bool done = made && run(&reader);
    if (reader.png != NULL) {
        png_destroy_read_struct(&reader.png, &reader.info, NULL);
    }
    weft_mem_free(reader.rows);
    if (done) {
        return WEFT_OK;
    }
    weft_status status = made ? explain(&reader, err) : weft_fail_nomem(err, "an image");
    weft_png_release(image);
    return status;
}

bool weft_png_available(void)
{
    return true;
}

#else

static weft_status read_image(struct weft_gzstream *stream, struct weft_png_image *image,
                              bool header_only, weft_error *err)
{
    (void)image;
    (void)header_only;
    return weft_fail(err, WEFT_ERR_UNSUPPORTED, "%s: a PNG file, and this build of weft has no PNG",
                     weft_gzstream_path(stream));
}

bool weft_png_available(void)
{
    return false;
}

#endif

weft_status weft_png_read(struct weft_gzstream *stream, struct weft_png_image *image,
                          weft_error *err)
{
    return read_image(stream, image, false, err);
}

weft_status weft_png_read_header(struct weft_gzstream *stream, struct weft_png_image *image,
                                 weft_error *err)
{
    return read_image(stream, image, true, err);
}
