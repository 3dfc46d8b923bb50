/* The one place that knows libpng, by its simplified interface: no callbacks, no longjmp, and no
 * time stamps. */
#include "report/picture_png.h"

#include "base/fail.h"

#ifdef WEFT_HAVE_PNG

#include <stdint.h>

#include <png.h>

#include "base/safefile.h"

#define MAX_SIDE 1000000 /* PNG_USER_WIDTH_MAX of libpng as it comes */

bool picture_png_available(void)
{
    return true;
}

/* What libpng says of a stream that takes no more is "write error"; the commit says why. */
static weft_status encode(const struct picture_canvas *canvas, struct weft_safefile *file,
                          weft_error *err)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)canvas->width,
        .height = (png_uint_32)canvas->height,
        .format = PNG_FORMAT_RGB,
        .flags = PNG_IMAGE_FLAG_FAST,
    };
    if (png_image_write_to_stdio(&image, file->stream, 0, canvas->rgb, 0, NULL) != 0 ||
        ferror(file->stream)) {
        return weft_safefile_commit(file, err);
    }
    weft_status status = weft_fail(err, WEFT_ERR_IO, "%s: libpng: %s", file->path, image.message);
    weft_safefile_abort(file);
    return status;
}

weft_status picture_png_write(const struct picture_canvas *canvas, const char *path,
                              weft_error *err)
{
    if (canvas->width > MAX_SIDE || canvas->height > MAX_SIDE) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: wanted at most %d x %d pixels; got %zu x %zu",
                         path, MAX_SIDE, MAX_SIDE, canvas->width, canvas->height);
    }
    struct weft_safefile file = {0};
    weft_status status = weft_safefile_open(&file, path, err);
    return status == WEFT_OK ? encode(canvas, &file, err) : status;
}

#else

bool picture_png_available(void)
{
    return false;
}

weft_status picture_png_write(const struct picture_canvas *canvas, const char *path,
                              weft_error *err)
{
    (void)canvas;
    return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                     "%s: this build of weft cannot write PNG files: "
                     "libpng was missing when it was built",
                     path);
}

#endif
