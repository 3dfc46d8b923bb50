/* Samples with what was predicted for them; and the weights of the first layer as images. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/report_base64.h"
#include "report/report_bitmap.h"
#include "report/report_html.h"
#include "report/report_sections.h"

/* Units of the first layer that are shown, how many in a row, and pixels of a side. */
enum { MOST_UNITS = 64, IN_A_ROW = 8, MOST_SIDE = 32 };

static bool is_classes(const struct report_run *run)
{
    return strcmp(report_text_in(run->evaluation, "kind"), "classes") == 0;
}

static void print_class_name(FILE *out, const struct report_run *run, const json_t *sample,
                             const char *key)
{
    report_print_text(out,
                      report_text_in(report_class_at(run, report_count_in(sample, key)), "name"));
}

/* Of several labels the one that a sample is shown by. */
static void print_label_name(FILE *out, const struct report_run *run, const json_t *sample,
                             const char *before, const char *after)
{
    if (json_object_get(sample, "label") != NULL) {
        fputs(before, out);
        print_class_name(out, run, sample, "label");
        fputs(after, out);
    }
}

/* The text for those who do not see the image. */
static void print_alt(FILE *out, const struct report_run *run, const json_t *sample)
{
    fprintf(out, "Sample %zu", report_count_in(sample, "sample"));
    if (is_classes(run)) {
        fputs(", true class ", out);
        print_class_name(out, run, sample, "truth");
    }
}

static weft_status print_image(FILE *out, const struct report_run *run, const json_t *sample,
                               weft_error *err)
{
    const json_t *image = json_object_get(run->evaluation, "image");
    struct report_bitmap bitmap = {
        .width = report_count_in(image, "kept_width"),
        .height = report_count_in(image, "kept_height"),
        .channels = report_count_in(image, "channels"),
    };
    size_t n = bitmap.width * bitmap.height * bitmap.channels;
    unsigned char *pixels = weft_mem_alloc(n, 1);
    if (pixels == NULL) {
        return weft_fail_nomem(err, "an image");
    }
    weft_status status;
    if (!report_base64_decode(report_text_in(sample, "pixels"), pixels, n)) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: evaluation.json: wanted base64 as 'pixels' of sample %zu",
                           run->path, report_count_in(sample, "sample"));
    } else {
        bitmap.pixels = pixels;
        fprintf(out, "<img width=\"%zu\" height=\"%zu\" alt=\"", bitmap.width, bitmap.height);
        print_alt(out, run, sample);
        fputs("\" src=\"", out);
        status = report_bitmap_print(out, &bitmap, err);
        fputs("\">", out);
    }
    weft_mem_free(pixels);
    return status;
}

static void print_caption(FILE *out, const struct report_run *run, const json_t *sample, bool right)
{
    if (!is_classes(run)) {
        print_label_name(out, run, sample, "", " ");
        fputs("<b>", out);
        report_print_real(out, report_real_in(sample, "predicted"));
        fputs("</b><span>true ", out);
        report_print_real(out, report_real_in(sample, "truth"));
        fputs("</span>", out);
        return;
    }
    fputs("<b>", out);
    print_class_name(out, run, sample, "predicted");
    fputs("</b> ", out);
    report_print_percent(out, report_real_in(sample, "p"));
    if (!right) {
        fputs("<span>is ", out);
        print_class_name(out, run, sample, "truth");
        fputs(", ", out);
        report_print_percent(out, report_real_in(sample, "p_truth"));
        fputs("</span>", out);
    }
}

static weft_status print_gallery(FILE *out, const struct report_run *run, const json_t *samples,
                                 bool right, weft_error *err)
{
    weft_status status = WEFT_OK;
    fputs("<div class=\"gallery\">\n", out);
    for (size_t i = 0; status == WEFT_OK && i < json_array_size(samples); i++) {
        const json_t *sample = json_array_get(samples, i);
        fprintf(out, "<figure class=\"%s\">", right ? "right" : "wrong");
        status = print_image(out, run, sample, err);
        fputs("<figcaption>", out);
        print_caption(out, run, sample, right);
        fputs("</figcaption></figure>\n", out);
    }
    fputs("</div>\n", out);
    return status;
}

/* Samples that are no images. */
static void print_sample_table(FILE *out, const struct report_run *run, const json_t *samples)
{
    bool classes = is_classes(run);
    bool labels = json_object_get(json_array_get(samples, 0), "label") != NULL;
    const char *kind = classes ? "word" : "number";
    fprintf(out,
            "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Sample</th>%s"
            "<th scope=\"col\" class=\"%s\">Predicted</th><th scope=\"col\" class=\"%s\">True</th>",
            labels ? "<th scope=\"col\" class=\"word\">Label</th>" : "", kind, kind);
    fputs(classes ? "<th scope=\"col\">Probability</th><th scope=\"col\">Of the true class</th>"
                  : "<th scope=\"col\">Residual</th>",
          out);
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const json_t *sample = json_array_get(samples, i);
        fputs("<tr><th scope=\"row\">", out);
        report_print_count(out, report_count_in(sample, "sample"));
        fputs("</th>", out);
        print_label_name(out, run, sample, "<td class=\"word\">", "</td>");
        fprintf(out, "<td class=\"%s\">", kind);
        if (classes) {
            print_class_name(out, run, sample, "predicted");
            fputs("</td><td class=\"word\">", out);
            print_class_name(out, run, sample, "truth");
            fputs("</td><td>", out);
            report_print_percent(out, report_real_in(sample, "p"));
            fputs("</td><td>", out);
            report_print_percent(out, report_real_in(sample, "p_truth"));
        } else {
            report_print_real(out, report_real_in(sample, "predicted"));
            fputs("</td><td>", out);
            report_print_real(out, report_real_in(sample, "truth"));
            fputs("</td><td>", out);
            report_print_real(out, report_real_in(sample, "predicted") -
                                       report_real_in(sample, "truth"));
        }
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

static weft_status print_list(FILE *out, const struct report_run *run, const char *key,
                              const char *title, weft_error *err)
{
    const json_t *predictions = json_object_get(run->evaluation, "predictions");
    const json_t *samples = json_object_get(predictions, key);
    bool has_images = json_object_get(json_array_get(samples, 0), "pixels") != NULL;
    bool right = strcmp(key, "right") == 0;
    /* A table of what was right tells nothing. */
    if (json_array_size(samples) == 0 || (right && !has_images)) {
        return WEFT_OK;
    }
    fprintf(out, "<div class=\"card\"><h3>%s</h3>\n", title);
    weft_status status = WEFT_OK;
    if (has_images) {
        status = print_gallery(out, run, samples, right, err);
    } else {
        print_sample_table(out, run, samples);
    }
    fputs("</div>\n", out);
    return status;
}

weft_status report_print_samples(FILE *out, const struct report_run *run, weft_error *err)
{
    const json_t *predictions = json_object_get(run->evaluation, "predictions");
    size_t n_right = report_count_in(predictions, "n_right");
    size_t n_wrong = report_count_in(predictions, "n_wrong");
    bool has_farthest = json_array_size(json_object_get(predictions, "farthest")) > 0;
    if (n_right + n_wrong == 0 && !has_farthest) {
        return WEFT_OK;
    }
    report_section_begin(out, "samples", "Samples", NULL);
    if (!has_farthest) {
        fputs("<p class=\"note\">", out);
        report_print_count(out, n_right);
        fputs(" were right, ", out);
        report_print_count(out, n_wrong);
        fputs(" wrong. Samples are counted from 0, in the order of the data.</p>\n", out);
    }
    fputs("<div class=\"grid galleries\">\n", out);
    weft_status status = print_list(out, run, "wrong", "Most confidently wrong", err);
    if (status == WEFT_OK) {
        status = print_list(out, run, "right", "Right", err);
    }
    if (status == WEFT_OK) {
        status = print_list(out, run, "farthest", "Farthest from the truth", err);
    }
    fputs("</div>\n</section>\n", out);
    return status;
}

/* Weights. */

/* One mosaic: units of `height` x `width` pixels, each the mean of step x step weights. */
struct mosaic {
    const struct report_run *run;
    const float *weights; /* [units, inputs] */
    size_t n_units, n_inputs;
    size_t full_height, full_width, channels;
    bool planes;
    size_t step, height, width;
    size_t rows, columns;  /* of units */
    unsigned char *pixels; /* [pixel_rows, pixel_columns, channels] */
};

static size_t pixel_columns(const struct mosaic *mosaic)
{
    return mosaic->columns * (mosaic->width + 1) + 1;
}

static size_t pixel_rows(const struct mosaic *mosaic)
{
    return mosaic->rows * (mosaic->height + 1) + 1;
}

static float weight_at(const struct mosaic *mosaic, size_t unit, size_t y, size_t x, size_t channel)
{
    size_t pixel = y * mosaic->full_width + x;
    size_t input = mosaic->planes ? channel * mosaic->full_height * mosaic->full_width + pixel
                                  : pixel * mosaic->channels + channel;
    return mosaic->weights[unit * mosaic->n_inputs + input];
}

static double mean_weight(const struct mosaic *mosaic, size_t unit, size_t row, size_t column,
                          size_t channel)
{
    size_t step = mosaic->step;
    double sum = 0;
    for (size_t k = 0; k < step * step; k++) {
        sum += (double)weight_at(mosaic, unit, row * step + k / step, column * step + k % step,
                                 channel);
    }
    return sum / (double)(step * step);
}

/* Each unit by its own largest weight: it is the pattern that tells something. */
static void draw_unit(struct mosaic *mosaic, size_t unit)
{
    double largest = 0;
    size_t n = mosaic->height * mosaic->width * mosaic->channels;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            size_t channel = i % mosaic->channels, pixel = i / mosaic->channels;
            size_t row = pixel / mosaic->width, column = pixel % mosaic->width;
            double weight = mean_weight(mosaic, unit, row, column, channel);
            if (pass == 0) {
                largest = fmax(largest, fabs(weight));
                continue;
            }
            size_t y = unit / mosaic->columns * (mosaic->height + 1) + 1 + row;
            size_t x = unit % mosaic->columns * (mosaic->width + 1) + 1 + column;
            mosaic->pixels[(y * pixel_columns(mosaic) + x) * mosaic->channels + channel] =
                (unsigned char)lround(127.5 + 127.5 * (largest > 0 ? weight / largest : 0));
        }
    }
}

/* From orange (below 0) over white to blue; 0 is the palest. */
static void fill_palette(unsigned char palette[256][3])
{
    static const double low[3] = {178, 72, 6}, high[3] = {8, 84, 172};
    for (size_t i = 0; i < 256; i++) {
        double share = fabs((double)i - 127.5) / 127.5;
        for (size_t c = 0; c < 3; c++) {
            double end = i < 128 ? low[c] : high[c];
            palette[i][c] = (unsigned char)lround(255 + (end - 255) * pow(share, 0.8));
        }
    }
}

static weft_status print_mosaic(FILE *out, struct mosaic *mosaic, weft_error *err)
{
    size_t n = pixel_rows(mosaic) * pixel_columns(mosaic) * mosaic->channels;
    mosaic->pixels = weft_mem_alloc(n, 1);
    if (mosaic->pixels == NULL) {
        return weft_fail_nomem(err, "an image of weights");
    }
    memset(mosaic->pixels, 128, n);
    for (size_t unit = 0; unit < mosaic->n_units; unit++) {
        draw_unit(mosaic, unit);
    }
    unsigned char palette[256][3];
    fill_palette(palette);
    const struct report_bitmap bitmap = {.width = pixel_columns(mosaic),
                                         .height = pixel_rows(mosaic),
                                         .channels = mosaic->channels,
                                         .pixels = mosaic->pixels,
                                         .palette = (const unsigned char(*)[3])palette};
    fprintf(
        out,
        "<img class=\"mosaic%s\" width=\"%zu\" height=\"%zu\" alt=\"Weights of %zu units of the "
        "first layer, each as an image\" src=\"",
        mosaic->channels == 1 ? " diverging" : "", 3 * bitmap.width, 3 * bitmap.height,
        mosaic->n_units);
    weft_status status = report_bitmap_print(out, &bitmap, err);
    fputs("\">", out);
    weft_mem_free(mosaic->pixels);
    return status;
}

static struct mosaic mosaic_of(const struct report_run *run, const float *weights)
{
    const json_t *image = json_object_get(run->evaluation, "image");
    size_t n_units = weft_net_width(run->net, 0);
    struct mosaic mosaic = {
        .run = run,
        .weights = weights,
        .n_units = n_units < MOST_UNITS ? n_units : MOST_UNITS,
        .n_inputs = weft_net_n_inputs(run->net),
        .full_height = report_count_in(image, "height"),
        .full_width = report_count_in(image, "width"),
        .channels = report_count_in(image, "channels"),
        .planes = json_is_true(json_object_get(image, "planes")),
    };
    size_t longer = mosaic.full_height > mosaic.full_width ? mosaic.full_height : mosaic.full_width;
    size_t shorter =
        mosaic.full_height < mosaic.full_width ? mosaic.full_height : mosaic.full_width;
    mosaic.step = (longer - 1) / MOST_SIDE + 1;
    mosaic.step = mosaic.step < shorter ? mosaic.step : shorter;
    mosaic.height = mosaic.full_height / mosaic.step;
    mosaic.width = mosaic.full_width / mosaic.step;
    mosaic.columns = mosaic.n_units < IN_A_ROW ? mosaic.n_units : IN_A_ROW;
    mosaic.rows = (mosaic.n_units - 1) / mosaic.columns + 1;
    return mosaic;
}

weft_status report_print_weights(FILE *out, const struct report_run *run, weft_error *err)
{
    if (json_object_get(run->evaluation, "image") == NULL) {
        return WEFT_OK;
    }
    float *params = weft_mem_alloc(weft_net_n_params(run->net), sizeof *params);
    if (params == NULL) {
        return weft_fail_nomem(err, "weights");
    }
    weft_net_get_params(run->net, params);
    struct mosaic mosaic = mosaic_of(run, params);
    report_section_begin(out, "weights", "First layer", NULL);
    fprintf(out,
            "<p class=\"note\">Weights of %s%zu of %zu units as images, each by its own largest "
            "weight: %s.</p>\n<div class=\"card\">",
            mosaic.n_units < weft_net_width(run->net, 0) ? "the first " : "", mosaic.n_units,
            weft_net_width(run->net, 0),
            mosaic.channels == 1 ? "blue above 0, orange below" : "grey is 0 in each colour");
    weft_status status = print_mosaic(out, &mosaic, err);
    fputs("</div>\n</section>\n", out);
    weft_mem_free(params);
    return status;
}
