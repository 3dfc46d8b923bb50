/* Floor 6, pictures: text, images, choice of samples, grid and confusion matrix, and PNG files,
 * which are read back by libpng. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef WEFT_HAVE_PNG
#include <png.h>
#endif

#include "base/mem.h"
#include "data/dataset_impl.h"
#include "harness.h"
#include "report/picture_confusion.h"
#include "report/picture_font.h"
#include "report/picture_grid.h"
#include "report/picture_image.h"
#include "report/picture_png.h"
#include "report/sample_choice.h"

#define HOSTILE "<script>\x1b[31m\x80\xff\n\xe2\x80\xae" /* ends in a right-to-left override */

static weft_error err;

/* ---- canvas and text ---- */

static struct picture_color at(const struct picture_canvas *canvas, size_t x, size_t y)
{
    const unsigned char *rgb = canvas->rgb + 3 * (y * canvas->width + x);
    return (struct picture_color){rgb[0], rgb[1], rgb[2]};
}

static bool is_color(const struct picture_canvas *canvas, size_t x, size_t y,
                     struct picture_color wanted)
{
    struct picture_color got = at(canvas, x, y);
    if (got.r == wanted.r && got.g == wanted.g && got.b == wanted.b) {
        return true;
    }
    printf("  pixel (%zu, %zu): got %d %d %d, wanted %d %d %d\n", x, y, got.r, got.g, got.b,
           wanted.r, wanted.g, wanted.b);
    return false;
}

/* How many pixels of a box have a colour. */
static size_t count_color(const struct picture_canvas *canvas, struct picture_box box,
                          struct picture_color color)
{
    size_t n = 0;
    for (size_t y = box.y; y < box.y + box.height; y++) {
        for (size_t x = box.x; x < box.x + box.width; x++) {
            struct picture_color got = at(canvas, x, y);
            n += got.r == color.r && got.g == color.g && got.b == color.b;
        }
    }
    return n;
}

static struct picture_canvas canvas_of(size_t width, size_t height)
{
    struct picture_canvas canvas;
    CU_ASSERT_FATAL(picture_canvas_init(&canvas, width, height, &err) == WEFT_OK);
    return canvas;
}

static void boxes(void)
{
    struct picture_canvas canvas = canvas_of(10, 8);
    const struct picture_box all = {0, 0, 10, 8};
    CHECK_UINT(count_color(&canvas, all, PICTURE_WHITE), 80);
    picture_fill(&canvas, (struct picture_box){2, 3, 4, 2}, PICTURE_INK);
    CHECK_UINT(count_color(&canvas, all, PICTURE_INK), 8);
    CHECK_UINT(count_color(&canvas, (struct picture_box){2, 3, 4, 2}, PICTURE_INK), 8);
    /* What reaches beyond is cut, what lies beyond is left out. */
    picture_fill(&canvas, (struct picture_box){8, 6, 100, 100}, PICTURE_WRONG);
    CHECK_UINT(count_color(&canvas, all, PICTURE_WRONG), 4);
    picture_fill(&canvas, (struct picture_box){10, 0, 5, 5}, PICTURE_WRONG);
    picture_fill(&canvas, (struct picture_box){0, 8, 5, 5}, PICTURE_WRONG);
    CHECK_UINT(count_color(&canvas, all, PICTURE_WRONG), 4);
    picture_frame(&canvas, (struct picture_box){2, 2, 3, 2}, 2, PICTURE_RIGHT);
    CHECK_UINT(count_color(&canvas, all, PICTURE_RIGHT), 7 * 6 - 3 * 2);
    CHECK(is_color(&canvas, 0, 0, PICTURE_RIGHT) && is_color(&canvas, 6, 5, PICTURE_RIGHT));
    picture_canvas_release(&canvas);
    picture_canvas_release(&canvas);

    CHECK_STATUS(picture_canvas_init(&canvas, SIZE_MAX / 2, 3, &err), WEFT_ERR_NOMEM, &err);
    CHECK_STATUS(picture_canvas_init(&canvas, SIZE_MAX / 2, 1, &err), WEFT_ERR_NOMEM, &err);
    picture_canvas_release(&canvas);
}

/* A canvas with text on it, in black. */
static struct picture_canvas typeset(const char *text, size_t scale, size_t max, bool upwards)
{
    struct picture_canvas canvas = canvas_of(120, 120);
    struct picture_type type = {.color = PICTURE_INK, .scale = scale, .max = max};
    type.upwards = upwards;
    picture_text(&canvas, 0, upwards ? 120 : 0, &type, text);
    return canvas;
}

static bool looks_as(const char *text, size_t max, const char *other)
{
    struct picture_canvas a = typeset(text, 1, max, false), b = typeset(other, 1, 0, false);
    bool same = memcmp(a.rgb, b.rgb, 3 * a.width * a.height) == 0;
    picture_canvas_release(&a);
    picture_canvas_release(&b);
    return same;
}

static void text_is_drawn(void)
{
    static const char *const letter_l[] = {".......", ".......", "##.....", "##.....", "##.....",
                                           "##.....", "##.....", "##.....", "##.....", "##.....",
                                           "######.", ".......", "......."};
    struct picture_canvas plain = typeset("L", 1, 0, false), large = typeset("L", 3, 0, false);
    struct picture_canvas turned = typeset("L", 1, 0, true);
    for (size_t y = 0; y < PICTURE_GLYPH_HEIGHT; y++) {
        for (size_t x = 0; x < PICTURE_GLYPH_WIDTH; x++) {
            struct picture_color wanted = letter_l[y][x] == '#' ? PICTURE_INK : PICTURE_WHITE;
            CHECK(is_color(&plain, x, y, wanted));
            CHECK(is_color(&large, 3 * x + 2, 3 * y + 1, wanted));
            CHECK(is_color(&turned, y, 119 - x, wanted));
        }
    }
    picture_canvas_release(&plain);
    picture_canvas_release(&large);
    picture_canvas_release(&turned);
}

static void every_character(void)
{
    /* All that can be seen differ from each other and from the replacement. */
    char texts[94 + 0xdf][4];
    size_t n = 0;
    for (unsigned code = 0x21; code < 0x180; code = code == 0x7e ? 0xa1 : code + 1) {
        if (code < 0x80) {
            snprintf(texts[n++], sizeof *texts, "%c", (int)code);
        } else if (code != 0xad) { /* the soft hyphen looks like another */
            snprintf(texts[n++], sizeof *texts, "%c%c", (int)(0xc0 | code >> 6),
                     (int)(0x80 | (code & 0x3f)));
        }
    }
    for (size_t i = 0; i < n; i++) {
        const char *one = texts[i];
        const unsigned char *glyph = picture_glyph(&one);
        CHECK(*one == '\0');
        CHECK(!looks_as(texts[i], 0, "\xef\xbf\xbd") && !looks_as(texts[i], 0, " "));
        for (size_t j = 0; j < i; j++) {
            const char *other = texts[j];
            if (!CHECK(memcmp(glyph, picture_glyph(&other), PICTURE_GLYPH_HEIGHT) != 0)) {
                printf("  '%s' and '%s'\n", texts[i], texts[j]);
            }
        }
    }
}

static void odd_text(void)
{
    CHECK_UINT(picture_text_len(""), 0);
    CHECK_UINT(picture_text_len("Gr\xc3\xb6\xc3\x9f"
                                "e"),
               5);
    /* What the font lacks, control characters and bytes that are no UTF-8: one glyph each. */
    CHECK(looks_as("a\xe7\x8c\xab", 0, "a\xef\xbf\xbd"));
    CHECK(looks_as("\n", 0, "\xef\xbf\xbd") && looks_as("\x7f", 0, "\xef\xbf\xbd"));
    CHECK(looks_as("\xff\xfe", 0, "\xef\xbf\xbd\xef\xbf\xbd"));
    CHECK(looks_as("\xc3", 0, "\xef\xbf\xbd"));
    CHECK(looks_as("\xc2\x85", 0, "\xef\xbf\xbd")); /* a control character of Latin-1 */
    CHECK_UINT(picture_text_len(HOSTILE), 8 + 5 + 2 + 1 + 1);
    CHECK(!looks_as("a", 0, "b") && !looks_as("a", 0, "aa"));
    /* Cut: the last character that fits gives way. */
    CHECK(looks_as("abcd", 4, "abcd"));
    CHECK(!looks_as("abcde", 4, "abc") && !looks_as("abcde", 4, "abcd"));
    struct picture_canvas cut = typeset("abcde", 1, 4, false);
    CHECK_UINT(count_color(&cut, (struct picture_box){28, 0, 92, 120}, PICTURE_INK), 0);
    CHECK_UINT(count_color(&cut, (struct picture_box){21, 0, 7, 13}, PICTURE_INK), 3);
    picture_canvas_release(&cut);
    /* Beyond the border. */
    CHECK(looks_as("abcdefghijklmnopqrstuvwxyz", 0, "abcdefghijklmnopqrst"));
}

/* ---- samples as images ---- */

/* A data set of zeros with samples of some shape. */
static weft_dataset *data_of(size_t samples, weft_dtype dtype, size_t n_dims, const size_t *dims)
{
    size_t features = 1;
    for (size_t i = 0; i < n_dims; i++) {
        features *= dims[i];
    }
    weft_tensor x;
    weft_dataset *data = NULL;
    weft_targets targets = {.kind = WEFT_LABELS_NONE};
    CU_ASSERT_FATAL(weft_tensor_init(&x, dtype, samples, features) == WEFT_OK);
    CU_ASSERT_FATAL(weft_dataset_from_memory(&x, &targets, NULL, 0, &data, &err) == WEFT_OK);
    weft_tensor_release(&x);
    data->extent.n_dims = n_dims;
    memcpy(data->extent.dims, dims, n_dims * sizeof *dims);
    return data;
}

static void image_shapes(void)
{
    static const struct {
        weft_dtype dtype;
        size_t n_dims, dims[4];
        size_t height, width, channels; /* height 0: no image */
        bool planes;
    } cases[] = {
        {WEFT_U8, 2, {28, 28}, 28, 28, 1, false},    {WEFT_F32, 2, {5, 7}, 5, 7, 1, false},
        {WEFT_U8, 3, {64, 48, 3}, 64, 48, 3, false}, {WEFT_U8, 3, {64, 48, 1}, 64, 48, 1, false},
        {WEFT_U8, 3, {3, 32, 40}, 32, 40, 3, true},  {WEFT_F32, 3, {1, 28, 28}, 28, 28, 1, true},
        {WEFT_U8, 3, {3, 32, 3}, 3, 32, 3, false},   {WEFT_U8, 1, {784}, 28, 28, 1, false},
        {WEFT_U8, 1, {64}, 8, 8, 1, false},          {WEFT_U8, 1, {49}, 0, 0, 0, false},
        {WEFT_U8, 1, {783}, 0, 0, 0, false},         {WEFT_F32, 1, {784}, 0, 0, 0, false},
        {WEFT_U8, 2, {1, 784}, 0, 0, 0, false},      {WEFT_U8, 2, {784, 1}, 0, 0, 0, false},
        {WEFT_U8, 3, {16, 16, 2}, 0, 0, 0, false},   {WEFT_U8, 4, {4, 8, 8, 3}, 0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset *data = data_of(2, cases[i].dtype, cases[i].n_dims, cases[i].dims);
        struct picture_image image;
        bool found = picture_image_find(data, &image);
        if (!CHECK(found == (cases[i].height > 0))) {
            printf("  case %zu\n", i);
        }
        if (found) {
            CHECK_UINT(image.height, cases[i].height);
            CHECK_UINT(image.width, cases[i].width);
            CHECK_UINT(image.channels, cases[i].channels);
            CHECK(image.planes == cases[i].planes);
        }
        weft_dataset_free(data);
    }
}

/* The grey that each of four numbers of one sample becomes. */
static void check_greys(float a, float b, float c, float d, const unsigned char *wanted)
{
    weft_dataset *data = data_of(1, WEFT_F32, 2, (size_t[]){2, 2});
    float *x = data->x.data;
    x[0] = a;
    x[1] = b;
    x[2] = c;
    x[3] = d;
    data->is_integer = a == roundf(a) && b == roundf(b) && c == roundf(c) && d == roundf(d);
    struct picture_image image;
    unsigned char rgb[12];
    CHECK(picture_image_find(data, &image));
    picture_image_render(&image, data, 0, rgb);
    for (size_t i = 0; i < 12; i++) {
        CHECK_UINT(rgb[i], wanted[i / 3]);
    }
    weft_dataset_free(data);
}

static void image_values(void)
{
    check_greys(0, 0.5F, 1, 0.25F, (const unsigned char[]){0, 128, 255, 64});
    check_greys(0, 51, 255, 100, (const unsigned char[]){0, 51, 255, 100});
    check_greys(10, 51, 60, 10, (const unsigned char[]){10, 51, 60, 10});
    check_greys(-1, 0, 1, 0.5F, (const unsigned char[]){0, 128, 255, 191});
    check_greys(0, 1000, 500, 250, (const unsigned char[]){0, 255, 128, 64});
    check_greys(2.5F, 12.5F, 7.5F, 2.5F, (const unsigned char[]){0, 255, 128, 0});
    check_greys(7000, 7000, 7000, 7000, (const unsigned char[]){0, 0, 0, 0});
    check_greys(-3e38F, 3e38F, 0, 0, (const unsigned char[]){0, 255, 128, 128});

    /* Bytes, in both orders of colours; the second sample. */
    struct picture_image image;
    unsigned char rgb[18];
    for (int planes = 0; planes < 2; planes++) {
        weft_dataset *data =
            data_of(2, WEFT_U8, 3, planes ? (size_t[]){3, 2, 5} : (size_t[]){2, 5, 3});
        unsigned char *x = (unsigned char *)data->x.data + data->x.ld, big[30];
        for (size_t i = 0; i < 30; i++) {
            x[i] = (unsigned char)(7 * i);
        }
        CHECK(picture_image_find(data, &image));
        picture_image_render(&image, data, 1, big);
        for (size_t pixel = 0; pixel < 10; pixel++) {
            for (size_t color = 0; color < 3; color++) {
                size_t wanted = 7 * (planes ? 10 * color + pixel : 3 * pixel + color);
                CHECK_UINT(big[3 * pixel + color], wanted);
            }
        }
        weft_dataset_free(data);
    }

    /* Enlarged: blocks; reduced: means, of what is there at the border. */
    image = (struct picture_image){.height = 2, .width = 3, .channels = 3};
    for (size_t i = 0; i < sizeof rgb; i++) {
        rgb[i] = (unsigned char)(10 * i);
    }
    struct picture_canvas canvas = canvas_of(20, 20);
    struct picture_zoom zoom = {.enlarge = 4, .reduce = 1, .width = 12, .height = 8};
    picture_image_draw(&canvas, 1, 2, &image, &zoom, rgb);
    for (size_t y = 0; y < 8; y++) {
        for (size_t x = 0; x < 12; x++) {
            const unsigned char *pixel = rgb + 3 * (y / 4 * 3 + x / 4);
            CHECK(is_color(&canvas, x + 1, y + 2,
                           (struct picture_color){pixel[0], pixel[1], pixel[2]}));
        }
    }
    CHECK(is_color(&canvas, 0, 2, PICTURE_WHITE) && is_color(&canvas, 13, 2, PICTURE_WHITE));
    zoom = (struct picture_zoom){.enlarge = 1, .reduce = 2, .width = 2, .height = 1};
    picture_image_draw(&canvas, 0, 15, &image, &zoom, rgb);
    CHECK(is_color(&canvas, 0, 15, (struct picture_color){60, 70, 80}));
    CHECK(is_color(&canvas, 1, 15, (struct picture_color){105, 115, 125}));
    CHECK(is_color(&canvas, 2, 15, PICTURE_WHITE));
    picture_canvas_release(&canvas);
}

static void image_sizes(void)
{
    static const struct {
        size_t height, width, side, enlarge, reduce, shown_height, shown_width;
    } cases[] = {
        {28, 28, 128, 4, 1, 112, 112},    {28, 28, 168, 6, 1, 168, 168},
        {64, 64, 128, 2, 1, 128, 128},    {8, 8, 128, 16, 1, 128, 128},
        {2, 3, 128, 42, 1, 84, 126},      {100, 90, 128, 1, 1, 100, 90},
        {192, 10, 128, 1, 1, 192, 10},    {193, 10, 128, 1, 2, 97, 5},
        {1024, 768, 168, 1, 6, 171, 128}, {2, 5000, 128, 1, 27, 1, 186},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct picture_image image = {.height = cases[i].height, .width = cases[i].width};
        struct picture_zoom zoom = picture_zoom_of(&image, cases[i].side);
        CHECK_UINT(zoom.enlarge, cases[i].enlarge);
        CHECK_UINT(zoom.reduce, cases[i].reduce);
        CHECK_UINT(zoom.height, cases[i].shown_height);
        CHECK_UINT(zoom.width, cases[i].shown_width);
    }
}

/* ---- predictions ---- */

/* A network, data and predictions, made up. */
struct fixture {
    weft_net *net;
    weft_dataset *data;
    struct sample_predictions found;
};

/* n samples of 28 x 28 for a network of n_outputs; class names NULL: numbers. Sample i is of class
 * i mod n_classes and taken for that with probability 0.9, but `wrong` for the next class. */
static struct fixture fixture_of(size_t n, weft_output output, size_t n_outputs,
                                 const char *const *names, bool (*wrong)(size_t sample))
{
    struct fixture made = {0};
    const weft_net_options options = {.n_inputs = 784, .n_outputs = n_outputs, .output = output};
    CU_ASSERT_FATAL(weft_net_new(&options, &made.net, &err) == WEFT_OK);
    size_t n_classes = weft_net_n_classes(made.net);
    if (names != NULL) {
        size_t n_names = weft_net_n_class_names(made.net);
        CU_ASSERT_FATAL(weft_net_set_class_names(made.net, names, n_names, &err) == WEFT_OK);
    }
    made.data = data_of(n, WEFT_U8, 2, (size_t[]){28, 28});
    made.data->kind = n_classes > 0 ? WEFT_LABELS_CLASSES : WEFT_LABELS_VALUES;
    made.data->n_classes = n_classes;
    made.data->n_values = n_classes > 0 ? 0 : n_outputs;
    made.data->classes = n_classes > 0 ? weft_mem_zalloc(n, sizeof(int32_t)) : NULL;
    made.data->values = n_classes > 0 ? NULL : weft_mem_zalloc(n * n_outputs, sizeof(float));
    made.found = (struct sample_predictions){.net = made.net,
                                             .data = made.data,
                                             .samples = n,
                                             .n_classes = n_classes,
                                             .n_outputs = n_outputs};
    CU_ASSERT_FATAL(weft_tensor_init(&made.found.p, WEFT_F32, n, n_outputs) == WEFT_OK);
    made.found.classes = n_classes > 0 ? weft_mem_zalloc(n, sizeof(int32_t)) : NULL;
    for (size_t i = 0; n_classes > 0 && i < n; i++) {
        size_t truth = i % n_classes;
        size_t said = (truth + (wrong != NULL && wrong(i))) % n_classes;
        made.data->classes[i] = (int32_t)truth;
        made.found.classes[i] = (int32_t)said;
        float *p = (float *)made.found.p.data + i * made.found.p.ld;
        p[n_outputs > 1 ? said : 0] = n_outputs > 1 || said == 1 ? 0.9F : 0.1F;
    }
    return made;
}

static void release(struct fixture *made)
{
    sample_predictions_release(&made->found);
    weft_dataset_free(made->data);
    weft_net_free(made->net);
}

static float *p_of(struct fixture *made, size_t sample)
{
    return (float *)made->found.p.data + sample * made->found.p.ld;
}

static bool every_third(size_t sample)
{
    return sample % 3 == 0;
}

static bool after_first(size_t sample)
{
    return sample > 0;
}

static void verdicts(void)
{
    struct fixture made = fixture_of(9, WEFT_OUTPUT_SOFTMAX, 4, NULL, every_third);
    for (size_t i = 0; i < 9; i++) {
        CHECK_INT(sample_verdict(&made.found, i), i % 3 == 0 ? SAMPLE_WRONG : SAMPLE_RIGHT);
    }
    made.data->kind = WEFT_LABELS_NONE;
    CHECK_INT(sample_verdict(&made.found, 1), SAMPLE_UNKNOWN);
    release(&made);

    made = fixture_of(3, WEFT_OUTPUT_SIGMOID, 1, NULL, NULL);
    CHECK_NEAR((double)sample_probability(&made.found, 0, 0), 0.9, 1e-6);
    CHECK_NEAR((double)sample_probability(&made.found, 1, 1), 0.9, 1e-6);
    CHECK_NEAR((double)sample_probability(&made.found, 1, 0), 0.1, 1e-6);
    release(&made);

    /* Several labels: all of them must be right. */
    made = fixture_of(3, WEFT_OUTPUT_SIGMOID, 3, NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        made.data->values[3 * i] = 1;
        p_of(&made, i)[0] = i == 1 ? 0.4F : 0.5F;
        p_of(&made, i)[2] = i == 2 ? 0.7F : 0.2F;
    }
    CHECK_INT(sample_verdict(&made.found, 0), SAMPLE_RIGHT);
    CHECK_INT(sample_verdict(&made.found, 1), SAMPLE_WRONG);
    CHECK_INT(sample_verdict(&made.found, 2), SAMPLE_WRONG);
    release(&made);

    made = fixture_of(2, WEFT_OUTPUT_IDENTITY, 1, NULL, NULL);
    CHECK_INT(sample_verdict(&made.found, 0), SAMPLE_UNKNOWN);
    release(&made);
}

static void choices(void)
{
    struct fixture made = fixture_of(60, WEFT_OUTPUT_SOFTMAX, 4, NULL, every_third);
    struct sample_choice choice;
    /* Of the wrong ones (0, 3, 6, ...) these are surer; 9 and 12 alike. */
    p_of(&made, 30)[made.found.classes[30]] = 0.99F;
    p_of(&made, 9)[made.found.classes[9]] = 0.95F;
    p_of(&made, 12)[made.found.classes[12]] = 0.95F;
    p_of(&made, 0)[made.found.classes[0]] = (float)NAN;
    p_of(&made, 3)[made.found.classes[3]] = 0.2F;
    CHECK_OK(sample_choice_init(&choice, &made.found, 6, &err), &err);
    CHECK_UINT(choice.total_right, 40);
    CHECK_UINT(choice.total_wrong, 20);
    static const size_t right[] = {4, 1, 2, 7, 8, 5}, wrong[] = {30, 9, 12, 6, 15, 18};
    CHECK_UINT(choice.n_right, 6);
    CHECK_UINT(choice.n_wrong, 6);
    CHECK_BYTES(choice.right, right, sizeof right);
    CHECK_BYTES(choice.wrong, wrong, sizeof wrong);
    sample_choice_release(&choice);
    /* More than there are: every sample once, what is no number last. */
    CHECK_OK(sample_choice_init(&choice, &made.found, 50, &err), &err);
    CHECK_UINT(choice.n_right, 40);
    CHECK_UINT(choice.n_wrong, 20);
    CHECK_UINT(choice.wrong[19], 0);
    CHECK_UINT(choice.wrong[18], 3);
    bool seen[60] = {false};
    for (size_t i = 0; i < 60; i++) {
        size_t sample = i < 40 ? choice.right[i] : choice.wrong[i - 40];
        CHECK(!seen[sample]);
        seen[sample] = true;
    }
    sample_choice_release(&choice);
    made.data->kind = WEFT_LABELS_NONE;
    CHECK_OK(sample_choice_init(&choice, &made.found, 6, &err), &err);
    CHECK_UINT(choice.n_right + choice.n_wrong, 0);
    sample_choice_release(&choice);
    release(&made);

    /* All right; more classes than are wanted. */
    made = fixture_of(90, WEFT_OUTPUT_SOFTMAX, 30, NULL, NULL);
    CHECK_OK(sample_choice_init(&choice, &made.found, 20, &err), &err);
    CHECK_UINT(choice.n_wrong, 0);
    for (size_t i = 0; i < 20; i++) {
        CHECK_UINT(choice.right[i], i);
    }
    sample_choice_release(&choice);
    release(&made);
}

/* ---- pictures ---- */

#define IMAGE 112 /* side of 28 pixels as shown */
#define CELL (IMAGE + 4)
#define FIRST_Y (20 + 26 + 14 + 16 + 7) /* of the first cell */

static weft_status draw_all(const struct fixture *made, struct picture_canvas *canvas)
{
    static const size_t samples[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct picture_section section = {"all", samples, made->found.samples};
    return picture_grid_draw(&made->found, "title", &section, 1, canvas, &err);
}

static void grids(void)
{
    struct fixture made = fixture_of(13, WEFT_OUTPUT_SOFTMAX, 4, NULL, every_third);
    memset(made.data->x.data, 77, made.data->x.ld * 13);
    struct picture_canvas canvas;
    CHECK_OK(draw_all(&made, &canvas), &err);
    CHECK_UINT(canvas.width, 10 * CELL + 9 * 16 + 40);
    CHECK_UINT(canvas.height, FIRST_Y + 2 * (CELL + 2 * 16 + 14) + 14);
    for (size_t i = 0; i < 20; i++) {
        size_t x = 20 + i % 10 * (CELL + 16), y = FIRST_Y + i / 10 * (CELL + 2 * 16 + 14);
        struct picture_box captions = {x, y + CELL, CELL, 32};
        struct picture_color frame = i >= 13      ? PICTURE_WHITE
                                     : i % 3 == 0 ? PICTURE_WRONG
                                                  : PICTURE_RIGHT;
        CHECK(is_color(&canvas, x, y, frame));
        CHECK(is_color(&canvas, x + 1, y + CELL - 1, frame));
        CHECK(is_color(&canvas, x + CELL - 1, y + 50, frame));
        CHECK(is_color(&canvas, x + CELL, y + 50, PICTURE_WHITE));
        struct picture_color grey = i < 13 ? (struct picture_color){77, 77, 77} : PICTURE_WHITE;
        CHECK(is_color(&canvas, x + 2, y + 2, grey));
        CHECK(is_color(&canvas, x + CELL - 3, y + CELL - 3, grey));
        /* The sign is in that colour too, and the class in ink. */
        CHECK((count_color(&canvas, captions, frame) > 10));
        CHECK((count_color(&canvas, captions, PICTURE_INK) > 10) == (i < 13));
    }
    picture_canvas_release(&canvas);

    /* Without labels: no sign, no second line. */
    made.data->kind = WEFT_LABELS_NONE;
    CHECK_OK(draw_all(&made, &canvas), &err);
    const struct picture_box all = {0, 0, canvas.width, canvas.height};
    CHECK_UINT(count_color(&canvas, all, PICTURE_RIGHT), 0);
    CHECK_UINT(count_color(&canvas, all, PICTURE_WRONG), 0);
    CHECK(is_color(&canvas, 20, FIRST_Y, PICTURE_LINE));
    CHECK_UINT(
        count_color(&canvas, (struct picture_box){20, FIRST_Y + CELL + 16, CELL, 16}, PICTURE_INK),
        0);
    picture_canvas_release(&canvas);
    release(&made);

    /* One sample: the title has its room all the same. */
    made = fixture_of(1, WEFT_OUTPUT_SIGMOID, 1, NULL, NULL);
    CHECK_OK(draw_all(&made, &canvas), &err);
    CHECK_UINT(canvas.width, 400);
    picture_canvas_release(&canvas);
    made.data->extent.n_dims = 1;
    made.data->extent.dims[0] = 783;
    CHECK_STATUS(draw_all(&made, &canvas), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "wanted samples that are images");
    release(&made);
}

/* Names of any kind change nothing but the captions, and stay within them. */
static void grids_of_names(void)
{
    char endless[5000];
    memset(endless, 'w', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    const char *const names[] = {HOSTILE, endless, "", "\xe7\x8c\xab"};
    struct fixture made = fixture_of(4, WEFT_OUTPUT_SOFTMAX, 4, names, after_first);
    struct picture_canvas canvas;
    CHECK_OK(draw_all(&made, &canvas), &err);
    size_t cell = 24 * PICTURE_GLYPH_WIDTH + 4;
    CHECK_UINT(canvas.width, 4 * cell + 3 * 16 + 40);
    for (size_t i = 0; i + 1 < 4; i++) {
        struct picture_box gap = {20 + i * (cell + 16) + cell, FIRST_Y, 16,
                                  canvas.height - FIRST_Y};
        CHECK_UINT(count_color(&canvas, gap, PICTURE_WHITE), 16 * gap.height);
    }
    picture_canvas_release(&canvas);
    release(&made);

    /* Labels, and values. */
    made = fixture_of(4, WEFT_OUTPUT_SIGMOID, 4, names, NULL);
    p_of(&made, 1)[1] = made.data->values[4 + 1] = 1;
    p_of(&made, 2)[0] = 1;
    CHECK_OK(draw_all(&made, &canvas), &err);
    CHECK_UINT(canvas.width, 4 * cell + 3 * 16 + 40);
    CHECK(is_color(&canvas, 20, FIRST_Y, PICTURE_RIGHT));
    CHECK(is_color(&canvas, 20 + cell + 16, FIRST_Y, PICTURE_RIGHT));
    CHECK(is_color(&canvas, 20 + 2 * (cell + 16), FIRST_Y, PICTURE_WRONG));
    picture_canvas_release(&canvas);
    release(&made);
    made = fixture_of(2, WEFT_OUTPUT_IDENTITY, 100, NULL, NULL);
    p_of(&made, 0)[0] = (float)NAN;
    p_of(&made, 0)[1] = -1e38F;
    CHECK_OK(draw_all(&made, &canvas), &err);
    CHECK_UINT(canvas.width, 2 * cell + 16 + 40);
    picture_canvas_release(&canvas);
    release(&made);
}

static void confusions(void)
{
    struct fixture made = fixture_of(40, WEFT_OUTPUT_SOFTMAX, 4, NULL, after_first);
    struct picture_canvas canvas;
    CHECK(picture_confusion_possible(made.net, made.data));
    CHECK_OK(picture_confusion_draw(&made.found, "title", &canvas, &err), &err);
    const size_t cell = 80, left = 20 + 16 + 13 + 7;
    const size_t top = 20 + 26 + 8 + 32 + 8 + 13 + 8;
    CHECK_UINT(canvas.height, top + 4 * cell + 28);
    for (size_t row = 0; row < 4; row++) {
        for (size_t col = 0; col < 4; col++) {
            /* Of class 0 one sample was right. */
            bool filled = col == (row + 1) % 4 || (row == 0 && col == 0);
            struct picture_color got = at(&canvas, left + col * cell + 2, top + row * cell + 2);
            bool white = got.r == 255 && got.g == 255 && got.b == 255;
            CHECK(white != filled);
            if (filled && row == col) {
                CHECK(got.b > got.r);
            } else if (filled) {
                CHECK(got.r > got.b);
            }
        }
    }
    picture_canvas_release(&canvas);
    made.data->kind = WEFT_LABELS_NONE;
    CHECK(!picture_confusion_possible(made.net, made.data));
    release(&made);

    static const struct {
        size_t n, cell;
    } sizes[] = {{2, 80}, {6, 80}, {7, 40}, {30, 40}, {31, 14}, {100, 14}, {101, 13}, {1000, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        made = fixture_of(50, WEFT_OUTPUT_SOFTMAX, sizes[i].n, NULL, every_third);
        CHECK(picture_confusion_possible(made.net, made.data));
        CHECK_OK(picture_confusion_draw(&made.found, HOSTILE, &canvas, &err), &err);
        CHECK(canvas.width >= sizes[i].n * sizes[i].cell);
        CHECK(canvas.height >= sizes[i].n * sizes[i].cell + 100);
        CHECK(canvas.height <= sizes[i].n * sizes[i].cell + 200);
        picture_canvas_release(&canvas);
        release(&made);
    }
    made = fixture_of(5, WEFT_OUTPUT_SOFTMAX, 1001, NULL, NULL);
    CHECK(!picture_confusion_possible(made.net, made.data));
    release(&made);
    made = fixture_of(5, WEFT_OUTPUT_IDENTITY, 1, NULL, NULL);
    CHECK(!picture_confusion_possible(made.net, made.data));
    release(&made);
}

/* Wherever memory runs out: a status, and nothing lost (the sanitizer's build sees to that). */
static void no_memory(void)
{
    struct fixture made = fixture_of(3, WEFT_OUTPUT_SOFTMAX, 4, NULL, every_third);
    struct picture_canvas canvas;
    struct sample_choice choice;
    const size_t samples[] = {0, 1, 2};
    const struct picture_section section = {"all", samples, 3};
    size_t fails = 0;
    for (size_t i = 1; i < 10; i++) {
        weft_mem_fail_at(i);
        if (picture_grid_draw(&made.found, "title", &section, 1, &canvas, &err) == WEFT_OK) {
            picture_canvas_release(&canvas);
        } else {
            CHECK_INT(err.status, WEFT_ERR_NOMEM);
            fails++;
        }
        weft_mem_fail_at(i);
        if (picture_confusion_draw(&made.found, "title", &canvas, &err) == WEFT_OK) {
            picture_canvas_release(&canvas);
        } else {
            CHECK_INT(err.status, WEFT_ERR_NOMEM);
            fails++;
        }
        weft_mem_fail_at(i);
        if (sample_choice_init(&choice, &made.found, 5, &err) == WEFT_OK) {
            sample_choice_release(&choice);
        } else {
            CHECK_INT(err.status, WEFT_ERR_NOMEM);
            fails++;
        }
    }
    weft_mem_fail_at(0);
    CHECK_UINT(fails, 2 + 2 + 3);
    release(&made);
}

/* ---- PNG ---- */

#ifdef WEFT_HAVE_PNG

static void png_files(void)
{
    CHECK(picture_png_available());
    struct picture_canvas canvas = canvas_of(61, 43);
    for (size_t i = 0; i < (size_t)3 * 61 * 43; i++) {
        canvas.rgb[i] = (unsigned char)(i * i / 7);
    }
    char path[500], again[500];
    snprintf(path, sizeof path, "%s/a.png", harness_temp_dir());
    snprintf(again, sizeof again, "%s/b.png", harness_temp_dir());
    CHECK_OK(picture_png_write(&canvas, path, &err), &err);
    CHECK_OK(picture_png_write(&canvas, again, &err), &err);

    png_image image = {.version = PNG_IMAGE_VERSION};
    CU_ASSERT_FATAL(png_image_begin_read_from_file(&image, path) != 0);
    CHECK_UINT(image.width, 61);
    CHECK_UINT(image.height, 43);
    CHECK_UINT(image.format, PNG_FORMAT_RGB);
    unsigned char *rgb = malloc(PNG_IMAGE_SIZE(image));
    CU_ASSERT_FATAL(rgb != NULL);
    CHECK(png_image_finish_read(&image, NULL, rgb, 0, NULL) != 0);
    CHECK_BYTES(rgb, canvas.rgb, (size_t)3 * 61 * 43);
    free(rgb);

    static unsigned char bytes[2][40000];
    size_t n[2];
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(i == 0 ? path : again, "rb");
        CU_ASSERT_FATAL(file != NULL);
        n[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
    }
    CHECK_UINT(n[0], n[1]);
    CHECK_BYTES(bytes[0], bytes[1], n[0]);
    picture_canvas_release(&canvas);
}

static void png_errors(void)
{
    struct picture_canvas canvas = canvas_of(300, 300);
    char path[500];
    snprintf(path, sizeof path, "%s/missing/a.png", harness_temp_dir());
    CHECK_STATUS(picture_png_write(&canvas, path, &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "missing/a.png");
    CHECK_STATUS(picture_png_write(&canvas, harness_temp_dir(), &err), WEFT_ERR_IO, &err);
    const char *full = harness_device("full");
    if (full != NULL) {
        for (size_t i = 0; i < (size_t)3 * 300 * 300; i++) {
            canvas.rgb[i] = (unsigned char)(i * i / 7);
        }
        CHECK_STATUS(picture_png_write(&canvas, full, &err), WEFT_ERR_IO, &err);
        CHECK_HAS(err.message, "No space left on device");
    }
    snprintf(path, sizeof path, "%s/wide.png", harness_temp_dir());
    struct picture_canvas wide = {.width = 1000001, .height = 1};
    CHECK_STATUS(picture_png_write(&wide, path, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "got 1000001 x 1");
    CHECK(access(path, F_OK) != 0);
    picture_canvas_release(&canvas);
}

#else

static void png_files(void)
{
    struct picture_canvas canvas = canvas_of(3, 3);
    CHECK(!picture_png_available());
    CHECK_STATUS(picture_png_write(&canvas, "a.png", &err), WEFT_ERR_UNSUPPORTED, &err);
    CHECK_HAS(err.message, "a.png: this build of weft cannot write PNG files");
    CHECK(access("a.png", F_OK) != 0);
    picture_canvas_release(&canvas);
}

static void png_errors(void)
{
    CHECK_STATUS(picture_png_write(NULL, "missing/a.png", NULL), WEFT_ERR_UNSUPPORTED, NULL);
}

#endif

int main(int argc, char **argv)
{
    CU_TestInfo canvas_tests[] = {{"boxes", boxes},
                                  {"text_is_drawn", text_is_drawn},
                                  {"every_character", every_character},
                                  {"odd_text", odd_text},
                                  CU_TEST_INFO_NULL};
    CU_TestInfo image_tests[] = {{"shapes", image_shapes},
                                 {"values", image_values},
                                 {"sizes", image_sizes},
                                 CU_TEST_INFO_NULL};
    CU_TestInfo sample_tests[] = {{"verdicts", verdicts}, {"choices", choices}, CU_TEST_INFO_NULL};
    CU_TestInfo picture_tests[] = {{"grids", grids},           {"grids_of_names", grids_of_names},
                                   {"confusions", confusions}, {"no_memory", no_memory},
                                   {"png_files", png_files},   {"png_errors", png_errors},
                                   CU_TEST_INFO_NULL};
    CU_SuiteInfo suites[] = {{"canvas", NULL, NULL, NULL, NULL, canvas_tests},
                             {"images", NULL, NULL, NULL, NULL, image_tests},
                             {"samples", NULL, NULL, NULL, NULL, sample_tests},
                             {"pictures", NULL, NULL, NULL, NULL, picture_tests},
                             CU_SUITE_INFO_NULL};
    return harness_main(argc, argv, suites);
}
