/* Counting and drawing a confusion matrix. */
#include "report/picture_confusion.h"

#include <math.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/picture_font.h"

#define MARGIN 20
#define GAP 8
#define LINE (PICTURE_GLYPH_HEIGHT + 3)
#define MAX_NAME 16
#define MIN_WIDTH 700 /* for the title and the line below it */
#define RECALL_WIDTH (7 * PICTURE_GLYPH_WIDTH)

struct matrix {
    const weft_net *net;
    size_t n;       /* classes */
    size_t *counts; /* [n, n]: true, predicted */
    size_t *rows;   /* [n] samples of each class */
    size_t cell;    /* side in pixels */
    bool has_numbers, has_names;
    size_t name_width, head_height; /* of the names beside and above the cells */
    size_t left, top;               /* of the first cell */
};

bool picture_confusion_possible(const weft_net *net, const weft_dataset *data)
{
    size_t n = weft_net_n_classes(net);
    return n > 0 && n <= 1000 && weft_dataset_targets(data).kind == WEFT_LABELS_CLASSES;
}

static void count(struct matrix *matrix, const struct sample_predictions *found)
{
    const int32_t *wanted = weft_dataset_targets(found->data).classes;
    for (size_t i = 0; i < found->samples; i++) {
        matrix->counts[(size_t)wanted[i] * matrix->n + (size_t)found->classes[i]]++;
        matrix->rows[wanted[i]]++;
    }
}

static void measure(struct matrix *matrix)
{
    size_t largest = 0, longest = 0;
    for (size_t i = 0; i < matrix->n * matrix->n; i++) {
        largest = matrix->counts[i] > largest ? matrix->counts[i] : largest;
    }
    for (size_t i = 0; i < matrix->n; i++) {
        size_t len = picture_text_len(weft_net_class_name(matrix->net, i));
        longest = len > longest ? len : longest;
    }
    longest = longest < MAX_NAME ? longest : MAX_NAME;
    matrix->has_numbers = matrix->n <= 30;
    matrix->has_names = matrix->n <= 100;
    if (matrix->has_numbers) {
        size_t digits = (size_t)snprintf(NULL, 0, "%zu", largest);
        matrix->cell = digits * PICTURE_GLYPH_WIDTH + 10;
        size_t least = matrix->n <= 6 ? 80 : 40; /* few classes have room for their names */
        matrix->cell = matrix->cell > least ? matrix->cell : least;
    } else {
        matrix->cell = matrix->has_names ? PICTURE_GLYPH_HEIGHT + 1 : 1400 / matrix->n;
    }
    if (matrix->has_names) {
        matrix->name_width = longest * PICTURE_GLYPH_WIDTH;
        bool fits = matrix->name_width + 4 <= matrix->cell;
        matrix->head_height = fits ? PICTURE_GLYPH_HEIGHT : matrix->name_width;
    }
    matrix->left = MARGIN + 2 * GAP + PICTURE_GLYPH_HEIGHT + matrix->name_width;
    matrix->top =
        MARGIN + 2 * PICTURE_GLYPH_HEIGHT + GAP + 2 * LINE + GAP + matrix->head_height + GAP;
}

/* From white to blue on the diagonal, to orange beside it. The root lets a few samples show too. */
static struct picture_color shade(double share, bool right)
{
    static const double blue[] = {20, 78, 156}, orange[] = {204, 84, 12};
    const double *end = right ? blue : orange;
    double t = sqrt(share);
    return (struct picture_color){(unsigned char)lround(255 + t * (end[0] - 255)),
                                  (unsigned char)lround(255 + t * (end[1] - 255)),
                                  (unsigned char)lround(255 + t * (end[2] - 255))};
}

static void draw_cell(struct picture_canvas *canvas, const struct matrix *matrix, size_t row,
                      size_t col)
{
    size_t samples = matrix->counts[row * matrix->n + col];
    if (samples == 0) {
        return;
    }
    double share = (double)samples / (double)matrix->rows[row];
    size_t gap = matrix->has_names ? 1 : 0;
    struct picture_box box = {matrix->left + col * matrix->cell + gap,
                              matrix->top + row * matrix->cell + gap, matrix->cell - gap,
                              matrix->cell - gap};
    picture_fill(canvas, box, shade(share, row == col));
    if (!matrix->has_numbers) {
        return;
    }
    char text[24];
    size_t width = (size_t)snprintf(text, sizeof text, "%zu", samples) * PICTURE_GLYPH_WIDTH;
    /* Blue is darker than orange. */
    bool light = share > (row == col ? 0.35 : 0.6);
    struct picture_type type = {.color = light ? PICTURE_WHITE : PICTURE_INK, .scale = 1};
    picture_text(canvas, box.x + (box.width - width) / 2,
                 box.y + (box.height - PICTURE_GLYPH_HEIGHT) / 2, &type, text);
}

/* Lines between the cells and around them. */
static void draw_lines(struct picture_canvas *canvas, const struct matrix *matrix)
{
    size_t side = matrix->n * matrix->cell;
    struct picture_box box = {matrix->left, matrix->top, side, side};
    for (size_t i = 0; matrix->has_names && i <= matrix->n; i++) {
        size_t at = i * matrix->cell;
        picture_fill(canvas, (struct picture_box){box.x + at, box.y, 1, side + 1}, PICTURE_LINE);
        picture_fill(canvas, (struct picture_box){box.x, box.y + at, side + 1, 1}, PICTURE_LINE);
    }
    if (!matrix->has_names) {
        picture_frame(canvas, box, 1, PICTURE_LINE);
    }
}

static size_t name_width(const char *name)
{
    size_t len = picture_text_len(name);
    return (len < MAX_NAME ? len : MAX_NAME) * PICTURE_GLYPH_WIDTH;
}

static void draw_names(struct picture_canvas *canvas, const struct matrix *matrix, size_t i)
{
    const char *name = weft_net_class_name(matrix->net, i);
    struct picture_type type = {.color = PICTURE_INK, .scale = 1, .max = MAX_NAME};
    size_t half = (matrix->cell - PICTURE_GLYPH_HEIGHT) / 2 + 1, bottom = matrix->top - GAP;
    picture_text(canvas, matrix->left - GAP - name_width(name),
                 matrix->top + i * matrix->cell + half, &type, name);
    size_t x = matrix->left + i * matrix->cell;
    if (matrix->head_height == PICTURE_GLYPH_HEIGHT) {
        picture_text(canvas, x + (matrix->cell - name_width(name)) / 2 + 1,
                     bottom - PICTURE_GLYPH_HEIGHT, &type, name);
        return;
    }
    type.upwards = true;
    picture_text(canvas, x + half, bottom, &type, name);
}

static void draw_recall(struct picture_canvas *canvas, const struct matrix *matrix, size_t i)
{
    char text[16] = "-";
    if (matrix->rows[i] > 0) {
        snprintf(text, sizeof text, "%.1f %%",
                 100 * (double)matrix->counts[i * matrix->n + i] / (double)matrix->rows[i]);
    }
    struct picture_type type = {.color = PICTURE_MUTED, .scale = 1};
    size_t right = matrix->left + matrix->n * matrix->cell + GAP + RECALL_WIDTH;
    picture_text(canvas, right - name_width(text),
                 matrix->top + i * matrix->cell + (matrix->cell - PICTURE_GLYPH_HEIGHT) / 2 + 1,
                 &type, text);
}

static void draw_words(struct picture_canvas *canvas, const struct matrix *matrix,
                       const char *title)
{
    size_t width = canvas->width - 2 * MARGIN, side = matrix->n * matrix->cell;
    struct picture_type type = {.color = PICTURE_INK, .scale = 2};
    if (picture_text_len(title) * 2 * PICTURE_GLYPH_WIDTH > width) {
        type.scale = 1;
    }
    type.max = width / (type.scale * PICTURE_GLYPH_WIDTH);
    picture_text(canvas, MARGIN, MARGIN, &type, title);

    type = (struct picture_type){.color = PICTURE_MUTED, .scale = 1};
    size_t y = MARGIN + 2 * PICTURE_GLYPH_HEIGHT + GAP;
    picture_text(canvas, MARGIN, y, &type, "Shade: share of the samples of the true class.");
    type.color = PICTURE_INK;
    y += LINE + GAP;
    picture_text(canvas, matrix->left, y, &type, "predicted");
    if (matrix->has_names) {
        picture_text(canvas, matrix->left + side + GAP + RECALL_WIDTH - name_width("recall"),
                     matrix->top - GAP - PICTURE_GLYPH_HEIGHT, &type, "recall");
    }
    type.upwards = true;
    picture_text(canvas, MARGIN, matrix->top + name_width("true"), &type, "true");
}

static weft_status draw(const struct matrix *matrix, const char *title, struct picture_canvas *out,
                        weft_error *err)
{
    size_t side = matrix->n * matrix->cell;
    size_t width = matrix->left + side + 2 * GAP + (matrix->has_names ? RECALL_WIDTH : 0) + MARGIN;
    weft_status status = picture_canvas_init(out, width > MIN_WIDTH ? width : MIN_WIDTH,
                                             matrix->top + side + MARGIN + GAP, err);
    if (status != WEFT_OK) {
        return status;
    }
    draw_words(out, matrix, title);
    draw_lines(out, matrix);
    for (size_t i = 0; i < matrix->n; i++) {
        for (size_t j = 0; j < matrix->n; j++) {
            draw_cell(out, matrix, i, j);
        }
        if (matrix->has_names) {
            draw_names(out, matrix, i);
            draw_recall(out, matrix, i);
        }
    }
    return WEFT_OK;
}

weft_status picture_confusion_draw(const struct sample_predictions *found, const char *title,
                                   struct picture_canvas *out, weft_error *err)
{
    size_t n = found->n_classes;
    struct matrix matrix = {.net = found->net, .n = n};
    matrix.counts = weft_mem_zalloc(n * n + n, sizeof *matrix.counts);
    if (matrix.counts == NULL) {
        return weft_fail_nomem(err, "a confusion matrix");
    }
    matrix.rows = matrix.counts + n * n;
    count(&matrix, found);
    measure(&matrix);
    weft_status status = draw(&matrix, title, out, err);
    weft_mem_free(matrix.counts);
    return status;
}
