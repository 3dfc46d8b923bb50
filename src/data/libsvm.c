/* Reads sparse text into dense samples. How many features there are only the largest index tells,
 * so that the file is read through once when it is opened. Indices start at 1, as LIBSVM has them,
 * unless there is a 0 among them (scikit-learn writes both). */
#include "data/libsvm.h"

#include <assert.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv_records.h"
#include "data/number.h"

#define INDEX_MAX ((uint64_t)1 << 24)

/* Dense samples may take this many bytes for each byte of the file, as compressed ones might, and
 * these in any case: an index is a promise, too. */
#define DENSE_RATIO 1032
#define DENSE_BYTES ((uint64_t)1 << 24)

struct libsvm_source {
    struct weft_source common;
    struct weft_csv_reader reader;
    uint64_t first_index; /* of the first feature: 0 or 1 */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* A piece of a line without blanks. */
struct token {
    const char *text;
    size_t len;
};

/* The rest of a line. */
struct line {
    const char *path, *at, *end;
    unsigned long long number;
};

/* Takes the next token; false at the end of the line or of what counts of it. */
static bool take_token(struct line *line, struct token *out)
{
    while (line->at < line->end && is_space(*line->at)) {
        line->at++;
    }
    const char *start = line->at;
    while (line->at < line->end && !is_space(*line->at) && *line->at != '#') {
        line->at++;
    }
    *out = (struct token){.text = start, .len = (size_t)(line->at - start)};
    return out->len > 0;
}

static weft_status fail_token(const struct line *line, const struct token *token,
                              const char *wanted, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu: got %s, wanted %s", line->path,
                     line->number, weft_quote(token->text, token->len).text, wanted);
}

/* Splits INDEX:VALUE; false where it is none. An index that is too large is UINT64_MAX. */
static bool split_token(const struct token *token, uint64_t *index, struct token *value)
{
    size_t i = 0;
    *index = 0;
    for (; i < token->len && token->text[i] >= '0' && token->text[i] <= '9'; i++) {
        *index = *index > INDEX_MAX ? UINT64_MAX : *index * 10 + (uint64_t)(token->text[i] - '0');
    }
    *value = (struct token){.text = token->text + i + 1, .len = token->len - i - (i < token->len)};
    return i > 0 && i < token->len && token->text[i] == ':';
}

/* What the samples of a file have come to. */
struct census {
    uint64_t n_samples, lowest, highest;
    bool any; /* an index was seen */
};

static weft_status take_index(const struct line *line, const struct token *token, uint64_t index,
                              struct census *seen, bool first, uint64_t before, weft_error *err)
{
    if (index > INDEX_MAX) {
        return fail_token(line, token, "an index of at most 16777216", err);
    }
    if (!first && index <= before) {
        return fail_token(line, token, index == before ? "every index once" : "indices that ascend",
                          err);
    }
    seen->lowest = !seen->any || index < seen->lowest ? index : seen->lowest;
    seen->highest = !seen->any || index > seen->highest ? index : seen->highest;
    seen->any = true;
    return WEFT_OK;
}

static weft_status take_value(const struct line *line, const struct token *token,
                              const struct token *value, float *out, weft_error *err)
{
    const char *stop = weft_number_scan(value->text, out);
    if (stop == value->text + value->len) {
        return WEFT_OK;
    }
    enum weft_number result = weft_number_float(value->text, value->len, out);
    return result == WEFT_NUMBER_OK      ? WEFT_OK
           : result == WEFT_NUMBER_RANGE ? fail_token(line, token, "a value within float32", err)
                                         : fail_token(line, token, "INDEX:NUMBER", err);
}

/* Reads the features of a line. `features` are those of a sample, zero so far, the first of them of
 * index `first_index`; or NULL, where indices are only looked at. */
static weft_status take_features(struct line *line, float *features, uint64_t first_index,
                                 struct census *seen, weft_error *err)
{
    struct token token, text;
    uint64_t before = 0;
    for (bool first = true; take_token(line, &token);) {
        uint64_t index;
        if (token.len > 4 && memcmp(token.text, "qid:", 4) == 0) {
            continue; /* which query a sample belongs to, in rankings */
        }
        if (!split_token(&token, &index, &text)) {
            return fail_token(line, &token, "INDEX:VALUE", err);
        }
        float value = 0;
        weft_status status = take_index(line, &token, index, seen, first, before, err);
        if (status == WEFT_OK) {
            status = take_value(line, &token, &text, &value, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
        if (features != NULL) {
            features[index - first_index] = value;
        }
        before = index;
        first = false;
    }
    return WEFT_OK;
}

/* Finds the next line with a sample on it and takes its label. */
static weft_status next_sample(struct libsvm_source *source, struct line *line, double *label,
                               bool *found, weft_error *err)
{
    struct weft_csv_record record;
    struct token token;
    do {
        weft_status status = weft_csv_next(&source->reader, &record, found, err);
        if (status != WEFT_OK || !*found) {
            return status;
        }
        *line = (struct line){.path = source->common.x_path,
                              .at = record.text,
                              .end = record.text + record.len,
                              .number = record.line};
    } while (!take_token(line, &token));
    return weft_number_double(token.text, token.len, label) == WEFT_NUMBER_OK
               ? WEFT_OK
               : fail_token(line, &token, "a number as label", err);
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct libsvm_source *source = (struct libsvm_source *)common;
    size_t features = common->extent.features;
    struct census seen = {0};
    while (block->n < block->capacity) {
        struct line line;
        double label = 0;
        bool found = false;
        weft_status status = next_sample(source, &line, &label, &found, err);
        if (status == WEFT_OK && !found) {
            break;
        }
        float *x = (float *)block->x + block->n * features;
        if (status == WEFT_OK) {
            memset(x, 0, features * sizeof *x);
            status = take_features(&line, x, source->first_index, &seen, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
        if (common->n_labels > 0) {
            block->y[block->n] = label;
        }
        block->n++;
    }
    return WEFT_OK;
}

static weft_status rewind_source(struct weft_source *common, uint64_t sample, weft_error *err)
{
    struct libsvm_source *source = (struct libsvm_source *)common;
    assert(sample == 0);
    (void)sample;
    weft_csv_reader_restart(&source->reader);
    return weft_gzstream_seek(source->reader.stream, 0, err);
}

static void close_source(struct weft_source *common)
{
    struct libsvm_source *source = (struct libsvm_source *)common;
    weft_gzstream_close(source->reader.stream);
    weft_csv_reader_release(&source->reader);
    weft_mem_free(source);
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = rewind_source, .close = close_source};

/* Reads through the file. */
static weft_status take_census(struct libsvm_source *source, struct census *seen, weft_error *err)
{
    struct line line;
    double label;
    bool found = true;
    weft_status status = WEFT_OK;
    while (status == WEFT_OK) {
        status = next_sample(source, &line, &label, &found, err);
        if (status != WEFT_OK || !found) {
            break;
        }
        seen->n_samples++;
        status = take_features(&line, NULL, 0, seen, err);
    }
    return status;
}

/* A file may lack the last features of a model, but not have more. */
static weft_status describe(struct libsvm_source *source, const struct census *seen,
                            const weft_dataset_options *options, weft_error *err)
{
    struct weft_source *common = &source->common;
    if (seen->n_samples == 0 || !seen->any) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no %s", common->x_path,
                         seen->n_samples == 0 ? "samples" : "features: no sample has any");
    }
    source->first_index = seen->lowest == 0 ? 0 : 1;
    uint64_t features = seen->highest - source->first_index + 1;
    features = features < options->n_inputs ? options->n_inputs : features;
    uint64_t file_bytes = weft_gzstream_file_bytes(source->reader.stream);
    if (features * sizeof(float) > (DENSE_BYTES + DENSE_RATIO * file_bytes) / seen->n_samples) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %llu samples of %llu features, as the largest index says, are too "
                         "much for a file of %llu bytes",
                         common->x_path, (unsigned long long)seen->n_samples,
                         (unsigned long long)features, (unsigned long long)file_bytes);
    }
    const uint64_t dims[2] = {seen->n_samples, features};
    common->n_labels = options->labels == WEFT_LABELS_NONE ? 0 : 1;
    return weft_extent_init(&common->extent, dims, 2, sizeof(float), common->x_path, err);
}

static weft_status open_source(const struct weft_source_files *files,
                               const weft_dataset_options *options, struct weft_source **out,
                               weft_error *err)
{
    struct libsvm_source *source = weft_mem_zalloc(1, sizeof *source);
    if (source == NULL) {
        weft_source_files_close(files);
        return weft_fail_nomem(err, "a file reader");
    }
    const char *path = weft_gzstream_path(files->samples);
    source->common = (struct weft_source){
        .methods = &methods,
        .format = weft_gzstream_is_packed(files->samples) ? "LIBSVM, gzip" : "LIBSVM",
        .x_path = path,
        .y_path = path,
        .dtype = WEFT_F32,
    };
    struct census seen = {0};
    weft_status status = weft_csv_reader_init(&source->reader, files->samples, err);
    source->reader.is_verbatim = true;
    if (status == WEFT_OK) {
        status = take_census(source, &seen, err);
    }
    if (status == WEFT_OK) {
        status = describe(source, &seen, options, err);
    }
    if (status == WEFT_OK) {
        status = rewind_source(&source->common, 0, err);
    }
    if (status != WEFT_OK) {
        close_source(&source->common);
        return status;
    }
    *out = &source->common;
    return WEFT_OK;
}

/* The first line that has more than a label tells: a number, a blank, INDEX:VALUE. */
static bool knows(const unsigned char *bytes, size_t n)
{
    const char *text = (const char *)bytes, *end = text + n;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        struct line line = {.at = text, .end = newline == NULL ? end : newline};
        struct token label, feature, value;
        uint64_t index;
        double number;
        if (take_token(&line, &label) && *label.text != '\r') {
            if (weft_number_double(label.text, label.len, &number) != WEFT_NUMBER_OK) {
                return false;
            }
            if (take_token(&line, &feature) && *feature.text != '\r') {
                return (feature.len > 4 && memcmp(feature.text, "qid:", 4) == 0) ||
                       (split_token(&feature, &index, &value) &&
                        memchr(feature.text, ',', feature.len) == NULL &&
                        memchr(feature.text, ';', feature.len) == NULL);
            }
        }
        text = line.end + 1;
    }
    return false;
}

const struct weft_format weft_libsvm_format = {
    .knows = knows, .is_text = true, .open = open_source};
