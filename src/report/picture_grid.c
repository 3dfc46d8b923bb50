/* Laying out and drawing a grid: measured first, then drawn. */
#include "report/picture_grid.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/picture_font.h"
#include "report/picture_image.h"

#define MARGIN 20
#define FRAME 2
#define GAP_X 16
#define GAP_Y 14
#define LINE (PICTURE_GLYPH_HEIGHT + 3)
#define TITLE_SCALE 2
#define MAX_COLS 10
#define IMAGE_SIDE 128 /* what small images are enlarged to */
#define MAX_WIDTH 1520 /* of rows with more than one sample */
#define MIN_WIDTH 400  /* for the title */
#define MAX_CAPTION 24 /* characters */

/* The two lines below an image; texts hold what can be seen of them and more. */
struct caption {
    char predicted[8 * MAX_CAPTION], truth[8 * MAX_CAPTION], percent[8];
    enum sample_verdict verdict;
};

/* Where everything goes. */
struct layout {
    const struct sample_predictions *found;
    struct picture_image image;
    struct picture_zoom zoom;
    size_t cell_width, cell_height, cols; /* of a cell without the gap behind it */
    unsigned char *rgb;                   /* one image */
};

static void __attribute__((format(printf, 3, 4)))
add(char *text, size_t size, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, size - len, format, args);
    va_end(args);
}

/* A probability in 5 characters. Only what is 1 is called 100 %. */
static void write_percent(double p, char *text, size_t size)
{
    if (p < 1 && p >= 0.995) {
        snprintf(text, size, ">99 %%");
    } else if (p > 0 && p < 0.005) {
        snprintf(text, size, "<1 %%");
    } else {
        snprintf(text, size, "%.0f %%", 100 * p);
    }
}

/* Outputs that are labels or values: the names of the labels that are on, or the values. */
static void write_outputs(const struct sample_predictions *found, const float *outputs, char *text,
                          size_t size)
{
    bool labels = weft_net_output(found->net) == WEFT_OUTPUT_SIGMOID;
    const char *between = "";
    for (size_t i = 0; i < found->n_outputs; i++) {
        if (labels && outputs[i] >= 0.5F) {
            add(text, size, "%s%s", between, weft_net_class_name(found->net, i));
            between = ", ";
        } else if (!labels) {
            add(text, size, "%s%.4g", between, (double)outputs[i]);
            between = ", ";
        }
    }
    if (*between == '\0') {
        add(text, size, "none");
    }
}

static struct caption caption_of(const struct sample_predictions *found, size_t sample)
{
    struct caption caption = {.verdict = sample_verdict(found, sample)};
    weft_targets targets = weft_dataset_targets(found->data);
    size_t size = sizeof caption.predicted;
    if (found->classes != NULL) {
        size_t class = (size_t)found->classes[sample];
        add(caption.predicted, size, "%s", weft_net_class_name(found->net, class));
        write_percent((double)sample_probability(found, sample, class), caption.percent,
                      sizeof caption.percent);
    } else {
        const float *outputs = (const float *)found->p.data + sample * found->p.ld;
        write_outputs(found, outputs, caption.predicted, size);
    }
    if (targets.kind == WEFT_LABELS_CLASSES) {
        const char *name = weft_net_class_name(found->net, (size_t)targets.classes[sample]);
        add(caption.truth, size, "true %s", name);
    } else if (targets.kind == WEFT_LABELS_VALUES) {
        add(caption.truth, size, "true ");
        write_outputs(found, targets.values + sample * targets.n_values, caption.truth, size);
    }
    return caption;
}

/* Characters that the sign before the prediction takes, and the probability behind it. */
static size_t sign_len(const struct caption *caption)
{
    return caption->verdict == SAMPLE_UNKNOWN ? 0 : 2;
}

static size_t percent_len(const struct caption *caption)
{
    return caption->percent[0] == '\0' ? 0 : strlen(caption->percent) + 1;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t caption_len(const struct caption *caption)
{
    size_t first = picture_text_len(caption->predicted) + sign_len(caption) + percent_len(caption);
    return smaller(MAX_CAPTION, larger(first, picture_text_len(caption->truth)));
}

static size_t n_rows(const struct layout *layout, const struct picture_section *section)
{
    return (section->n + layout->cols - 1) / layout->cols;
}

/* Rows are as long as the longest section needs, but no longer than a page is wide. */
static void measure(struct layout *layout, const struct picture_section *sections,
                    size_t n_sections)
{
    size_t text = 0, most = 1;
    for (size_t s = 0; s < n_sections; s++) {
        most = larger(most, sections[s].n);
        for (size_t i = 0; i < sections[s].n; i++) {
            struct caption caption = caption_of(layout->found, sections[s].samples[i]);
            text = larger(text, caption_len(&caption));
        }
    }
    /* Images may be as wide as the captions are anyway. */
    text *= PICTURE_GLYPH_WIDTH;
    layout->zoom = picture_zoom_of(&layout->image, larger(IMAGE_SIDE, text));
    layout->cell_width = larger(layout->zoom.width, text) + 2 * FRAME;
    layout->cell_height = layout->zoom.height + 2 * FRAME + 2 * LINE;
    size_t fit = (MAX_WIDTH - 2 * MARGIN + GAP_X) / (layout->cell_width + GAP_X);
    layout->cols = smaller(smaller(MAX_COLS, most), larger(fit, 1));
}

static void draw_caption(struct picture_canvas *canvas, const struct layout *layout, size_t x,
                         size_t y, const struct caption *caption)
{
    size_t len = layout->cell_width / PICTURE_GLYPH_WIDTH;
    size_t before = sign_len(caption), behind = percent_len(caption);
    struct picture_type type = {.color = PICTURE_INK, .scale = 1, .max = len - before - behind};
    if (caption->verdict != SAMPLE_UNKNOWN) {
        picture_sign(canvas, x, y, caption->verdict == SAMPLE_RIGHT);
    }
    picture_text(canvas, x + before * PICTURE_GLYPH_WIDTH, y, &type, caption->predicted);
    size_t percent_width = strlen(caption->percent) * PICTURE_GLYPH_WIDTH;
    type.max = 0;
    picture_text(canvas, x + layout->cell_width - percent_width, y, &type, caption->percent);
    type.max = len;
    type.color = caption->verdict == SAMPLE_WRONG ? PICTURE_WRONG : PICTURE_MUTED;
    picture_text(canvas, x, y + LINE, &type, caption->truth);
}

static void draw_cell(struct picture_canvas *canvas, const struct layout *layout, size_t x,
                      size_t y, size_t sample)
{
    struct caption caption = caption_of(layout->found, sample);
    struct picture_box box = {x + FRAME, y + FRAME, layout->zoom.width, layout->zoom.height};
    picture_image_render(&layout->image, layout->found->data, sample, layout->rgb);
    picture_image_draw(canvas, box.x, box.y, &layout->image, &layout->zoom, layout->rgb);
    struct picture_color color = caption.verdict == SAMPLE_RIGHT   ? PICTURE_RIGHT
                                 : caption.verdict == SAMPLE_WRONG ? PICTURE_WRONG
                                                                   : PICTURE_LINE;
    picture_frame(canvas, box, FRAME, color);
    draw_caption(canvas, layout, x, y + layout->zoom.height + 2 * FRAME + 3, &caption);
}

/* Draws a section from y on; returns where the next may begin. */
static size_t draw_section(struct picture_canvas *canvas, const struct layout *layout, size_t y,
                           const struct picture_section *section)
{
    struct picture_type type = {.color = PICTURE_INK, .scale = 1};
    type.max = (canvas->width - 2 * MARGIN) / PICTURE_GLYPH_WIDTH;
    picture_text(canvas, MARGIN, y, &type, section->heading);
    y += LINE + GAP_Y / 2;
    for (size_t i = 0; i < section->n; i++) {
        size_t row = i / layout->cols, col = i % layout->cols;
        draw_cell(canvas, layout, MARGIN + col * (layout->cell_width + GAP_X),
                  y + row * (layout->cell_height + GAP_Y), section->samples[i]);
    }
    return y + n_rows(layout, section) * (layout->cell_height + GAP_Y) + GAP_Y;
}

/* In large letters where these fit. */
static void draw_title(struct picture_canvas *canvas, const char *title)
{
    size_t width = canvas->width - 2 * MARGIN;
    struct picture_type type = {.color = PICTURE_INK, .scale = TITLE_SCALE};
    if (picture_text_len(title) * TITLE_SCALE * PICTURE_GLYPH_WIDTH > width) {
        type.scale = 1;
    }
    type.max = width / (type.scale * PICTURE_GLYPH_WIDTH);
    picture_text(canvas, MARGIN, MARGIN, &type, title);
}

static weft_status draw(struct layout *layout, const char *title,
                        const struct picture_section *sections, size_t n_sections,
                        struct picture_canvas *out, weft_error *err)
{
    const size_t top = MARGIN + TITLE_SCALE * PICTURE_GLYPH_HEIGHT + GAP_Y;
    size_t width = layout->cols * (layout->cell_width + GAP_X) - GAP_X + 2 * MARGIN;
    size_t height = top;
    for (size_t s = 0; s < n_sections; s++) {
        if (sections[s].n > 0) {
            height += LINE + GAP_Y / 2 + GAP_Y +
                      n_rows(layout, &sections[s]) * (layout->cell_height + GAP_Y);
        }
    }
    weft_status status = picture_canvas_init(out, larger(width, MIN_WIDTH), height, err);
    if (status != WEFT_OK) {
        return status;
    }
    draw_title(out, title);
    size_t y = top;
    for (size_t s = 0; s < n_sections; s++) {
        y = sections[s].n > 0 ? draw_section(out, layout, y, &sections[s]) : y;
    }
    return WEFT_OK;
}

weft_status picture_grid_draw(const struct sample_predictions *found, const char *title,
                              const struct picture_section *sections, size_t n_sections,
                              struct picture_canvas *out, weft_error *err)
{
    struct layout layout = {.found = found};
    if (!picture_image_find(found->data, &layout.image)) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "wanted samples that are images, such as 28 x 28 or 64 x 64 x 3");
    }
    measure(&layout, sections, n_sections);
    layout.rgb = weft_mem_alloc(3 * layout.image.height, layout.image.width);
    weft_status status = layout.rgb != NULL ? draw(&layout, title, sections, n_sections, out, err)
                                            : weft_fail_nomem(err, "an image");
    weft_mem_free(layout.rgb);
    return status;
}
