/* Writes samples as text: CSV (RFC 4180) and LIBSVM. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "data/convert_write.h"

enum { NUMBER_MAX = 32 };

/* Nine digits name a float32 uniquely; the point is a point whatever the locale says. */
static size_t print_number(char out[NUMBER_MAX], double value)
{
    char text[NUMBER_MAX];
    snprintf(text, sizeof text, "%.9g", value);
    size_t len = 0;
    for (const char *at = text; *at != '\0';) {
        size_t n = strspn(at, "0123456789+-e");
        memcpy(out + len, at, n);
        len += n;
        at += n;
        if (*at != '\0') {
            out[len++] = '.';
            at += strcspn(at, "0123456789+-e");
        }
    }
    return len;
}

static double feature_of(const struct weft_conversion *conversion, const struct weft_block *block,
                         size_t at)
{
    return conversion->summary->dtype == WEFT_U8 ? (double)((const unsigned char *)block->x)[at]
                                                 : (double)((const float *)block->x)[at];
}

static void put_number(struct weft_sink *sink, double value)
{
    char text[NUMBER_MAX];
    weft_sink_write(sink, text, print_number(text, value));
}

static void put_text(struct weft_sink *sink, const char *text)
{
    weft_sink_write(sink, text, strlen(text));
}

static void put_quoted(struct weft_sink *sink, const char *text)
{
    /* Blanks at the ends are kept by quotes alone. */
    bool quoted = strpbrk(text, ",;\t\"\r\n ") != NULL;
    put_text(sink, quoted ? "\"" : "");
    for (; *text != '\0'; text++) {
        weft_sink_write(sink, text, 1);
        if (*text == '"') {
            weft_sink_write(sink, text, 1);
        }
    }
    put_text(sink, quoted ? "\"" : "");
}

static void put_header(const struct weft_conversion *conversion, struct weft_sink *sink)
{
    char name[NUMBER_MAX];
    size_t n_labels = weft_conversion_labels(conversion);
    for (size_t i = 0; i < n_labels; i++) {
        snprintf(name, sizeof name, n_labels == 1 ? "label," : "label%zu,", i);
        put_text(sink, name);
    }
    for (size_t i = 0; i < conversion->summary->features; i++) {
        snprintf(name, sizeof name, i == 0 ? "x%zu" : ",x%zu", i);
        put_text(sink, name);
    }
    put_text(sink, "\n");
}

static void put_row(const struct weft_conversion *conversion, const struct weft_block *block,
                    size_t row, struct weft_sink *sink)
{
    size_t n = conversion->summary->features, n_labels = weft_conversion_labels(conversion);
    for (size_t i = 0; i < n_labels; i++) {
        double label = block->y[row * n_labels + i];
        if (conversion->summary->labels == WEFT_LABELS_CLASSES) {
            put_quoted(sink, weft_conversion_name(conversion, label));
        } else {
            put_number(sink, label);
        }
        put_text(sink, ",");
    }
    for (size_t i = 0; i < n; i++) {
        put_text(sink, i > 0 ? "," : "");
        put_number(sink, feature_of(conversion, block, row * n + i));
    }
    put_text(sink, "\n");
}

/* Zeros are left out, but for the last feature of the first sample: it tells how many there are. */
static void put_sparse(const struct weft_conversion *conversion, const struct weft_block *block,
                       size_t row, bool first, struct weft_sink *sink)
{
    size_t n = conversion->summary->features;
    put_number(sink, weft_conversion_labels(conversion) == 0 ? 0 : block->y[row]);
    for (size_t i = 0; i < n; i++) {
        double value = feature_of(conversion, block, row * n + i);
        if (value != 0 || (first && i + 1 == n)) {
            char index[NUMBER_MAX];
            snprintf(index, sizeof index, " %zu:", i + 1);
            put_text(sink, index);
            put_number(sink, value);
        }
    }
    put_text(sink, "\n");
}

static weft_status write_text(struct weft_conversion *conversion, bool sparse, weft_error *err)
{
    struct weft_sink sink;
    weft_status status = weft_sink_open(&sink, conversion->x_path, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct weft_block block = weft_conversion_block(conversion);
    status = block.x == NULL ? weft_fail_nomem(err, "samples") : WEFT_OK;
    if (status == WEFT_OK && !sparse) {
        put_header(conversion, &sink);
    }
    bool first = true;
    while (status == WEFT_OK) {
        status = weft_conversion_read(conversion, &block, err);
        if (status != WEFT_OK || block.n == 0) {
            break;
        }
        for (size_t i = 0; i < block.n; i++, first = false) {
            if (sparse) {
                put_sparse(conversion, &block, i, first, &sink);
            } else {
                put_row(conversion, &block, i, &sink);
            }
        }
    }
    weft_block_free(&block);
    if (status != WEFT_OK) {
        weft_sink_abort(&sink);
        return status;
    }
    return weft_sink_commit(&sink, err);
}

weft_status weft_write_csv(struct weft_conversion *conversion, weft_error *err)
{
    return write_text(conversion, false, err);
}

weft_status weft_write_libsvm(struct weft_conversion *conversion, weft_error *err)
{
    if (weft_conversion_labels(conversion) > 1) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: %zu labels for each sample, LIBSVM has one",
                         conversion->x_path, weft_conversion_labels(conversion));
    }
    return write_text(conversion, true, err);
}
