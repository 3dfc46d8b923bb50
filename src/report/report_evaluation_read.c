/* Reading evaluation.json, and looking whether it is what weft writes, so that pages can be made
 * from it without a second look. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "report/report_base64.h"
#include "report/report_evaluation.h"

/* One file being looked at; the first thing found wrong stays. */
struct check {
    const char *path;
    weft_error *err;
    weft_status status;
};

static void __attribute__((format(printf, 2, 3)))
refuse(struct check *check, const char *format, ...)
{
    if (check->status != WEFT_OK) {
        return;
    }
    char what[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    check->status = weft_fail(check->err, WEFT_ERR_FORMAT, "%s: %s", check->path, what);
}

/* A field of an object: its type by a letter. 'r' real or null, 'c' count, 's' text, 'a' array,
 * 'o' object, 'b' boolean; capitals may be missing. */
struct field {
    char type;
    const char *key;
};

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool has_type(const json_t *value, char type)
{
    switch (type) {
    case 'r':
        return json_is_number(value) || json_is_null(value);
    case 'c':
        return is_count(value);
    case 's':
        return json_is_string(value);
    case 'a':
        return json_is_array(value);
    case 'o':
        return json_is_object(value);
    default:
        return json_is_boolean(value);
    }
}

static const char *type_name(char type)
{
    return type == 'r'   ? "a number"
           : type == 'c' ? "a count"
           : type == 's' ? "a text"
           : type == 'a' ? "a list"
           : type == 'o' ? "an object"
                         : "true or false";
}

static void check_fields(struct check *check, const char *where, const json_t *object,
                         const struct field *fields, size_t n)
{
    if (!json_is_object(object)) {
        refuse(check, "wanted an object as %s", where);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool optional = fields[i].type < 'a';
        char type = (char)(fields[i].type | 0x20);
        const json_t *value = json_object_get(object, fields[i].key);
        if (value == NULL ? !optional : !has_type(value, type)) {
            refuse(check, "wanted %s as '%s' in %s", type_name(type), fields[i].key, where);
        }
    }
}

/* A list of lists of n numbers each, all counts below `limit` where limit is not 0. */
static void check_rows(struct check *check, const json_t *rows, const char *key, size_t n,
                       size_t limit)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool good = json_array_size(row) == n;
        for (size_t j = 0; good && j < n; j++) {
            const json_t *value = json_array_get(row, j);
            bool is_index = limit > 0 && j < 2;
            good = is_index ? is_count(value) && (size_t)json_integer_value(value) < limit
                            : json_is_number(value) || json_is_null(value);
        }
        if (!good) {
            refuse(check, "wanted %zu numbers in '%s[%zu]'", n, key, i);
        }
    }
}

#define N_OF(fields) (sizeof(fields) / sizeof *(fields))

static void check_classes(struct check *check, const json_t *root)
{
    static const struct field fields[] = {
        {'s', "name"}, {'c', "samples"},           {'r', "precision"}, {'r', "recall"}, {'r', "f1"},
        {'R', "auc"},  {'R', "average_precision"}, {'A', "roc"},       {'A', "pr"},
    };
    static const struct field calibration_fields[] = {{'r', "ece"}, {'a', "bins"}};
    static const struct field bin_fields[] = {{'c', "n"}, {'r', "confidence"}, {'r', "accuracy"}};
    const json_t *classes = json_object_get(root, "classes");
    const json_t *calibration = json_object_get(root, "calibration");
    const json_t *confusion = json_object_get(root, "confusion");
    size_t n = json_array_size(classes);
    if (n == 0) {
        refuse(check, "wanted a list that is not empty as 'classes'");
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *class = json_array_get(classes, i);
        check_fields(check, "'classes'", class, fields, N_OF(fields));
        check_rows(check, json_object_get(class, "roc"), "roc", 2, 0);
        check_rows(check, json_object_get(class, "pr"), "pr", 2, 0);
    }
    check_fields(check, "'calibration'", calibration, calibration_fields, N_OF(calibration_fields));
    const json_t *bins = json_object_get(calibration, "bins");
    for (size_t i = 0; i < json_array_size(bins); i++) {
        check_fields(check, "'bins'", json_array_get(bins, i), bin_fields, N_OF(bin_fields));
    }
    if (confusion != NULL && json_array_size(confusion) != n) {
        refuse(check, "wanted %zu rows in 'confusion'; got %zu", n, json_array_size(confusion));
    }
    check_rows(check, confusion, "confusion", n, 0);
    check_rows(check, json_object_get(root, "confused"), "confused", 3, n);
}

static void check_outputs(struct check *check, const json_t *root)
{
    static const struct field fields[] = {
        {'s', "name"},   {'r', "rmse"},           {'r', "mae"},       {'r', "r2"},
        {'a', "points"}, {'r', "residual_limit"}, {'a', "residuals"},
    };
    const json_t *outputs = json_object_get(root, "outputs");
    if (json_array_size(outputs) == 0) {
        refuse(check, "wanted a list that is not empty as 'outputs'");
    }
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *output = json_array_get(outputs, i);
        check_fields(check, "'outputs'", output, fields, N_OF(fields));
        check_rows(check, json_object_get(output, "points"), "points", 2, 0);
    }
}

static size_t count_in(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

/* Bytes of a kept image; 0 where there are no images. */
static size_t check_image(struct check *check, const json_t *root)
{
    static const struct field fields[] = {
        {'c', "height"}, {'c', "width"},       {'c', "channels"},
        {'b', "planes"}, {'c', "kept_height"}, {'c', "kept_width"},
    };
    const json_t *image = json_object_get(root, "image");
    if (image == NULL) {
        return 0;
    }
    check_fields(check, "'image'", image, fields, N_OF(fields));
    size_t height = count_in(image, "kept_height"), width = count_in(image, "kept_width");
    size_t channels = count_in(image, "channels");
    bool good = height > 0 && width > 0 && height <= 1U << 20 && width <= 1U << 20 &&
                count_in(image, "height") <= 1U << 20 && count_in(image, "width") <= 1U << 20 &&
                (channels == 1 || channels == 3);
    if (!good) {
        refuse(check, "wanted sizes of pictures in 'image'");
    }
    return good ? height * width * channels : 0;
}

static void check_samples(struct check *check, const json_t *root, const char *kind, size_t n_bytes)
{
    static const struct field list_fields[] = {
        {'c', "n_right"}, {'c', "n_wrong"}, {'a', "right"}, {'a', "wrong"}, {'a', "farthest"}};
    static const struct field class_fields[] = {
        {'c', "sample"},  {'c', "truth"}, {'c', "predicted"},
        {'r', "p_truth"}, {'r', "p"},     {'S', "pixels"},
    };
    static const struct field value_fields[] = {
        {'c', "sample"}, {'r', "truth"}, {'r', "predicted"}, {'S', "pixels"}};
    static const struct field label_fields[] = {
        {'c', "sample"}, {'r', "truth"}, {'c', "label"}, {'r', "predicted"}, {'S', "pixels"},
    };
    bool classes = strcmp(kind, "classes") == 0, labels = strcmp(kind, "labels") == 0;
    const struct field *fields = classes ? class_fields : labels ? label_fields : value_fields;
    size_t n_fields = classes  ? N_OF(class_fields)
                      : labels ? N_OF(label_fields)
                               : N_OF(value_fields);
    const json_t *samples = json_object_get(root, "predictions");
    size_t n_classes = json_array_size(json_object_get(root, "classes"));
    check_fields(check, "'predictions'", samples, list_fields, N_OF(list_fields));
    for (size_t l = 2; l < N_OF(list_fields); l++) {
        const json_t *list = json_object_get(samples, list_fields[l].key);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *sample = json_array_get(list, i);
            const json_t *pixels = json_object_get(sample, "pixels");
            check_fields(check, "'predictions'", sample, fields, n_fields);
            if (labels && count_in(sample, "label") >= n_classes) {
                refuse(check, "wanted labels below %zu in 'predictions'", n_classes);
            }
            if (classes && (count_in(sample, "truth") >= n_classes ||
                            count_in(sample, "predicted") >= n_classes)) {
                refuse(check, "wanted classes below %zu in 'predictions'", n_classes);
            }
            if (pixels != NULL && (n_bytes == 0 || !json_is_string(pixels) ||
                                   json_string_length(pixels) + 1 != report_base64_size(n_bytes))) {
                refuse(check, "wanted %zu bytes as 'pixels' in 'predictions'", n_bytes);
            }
        }
    }
}

static void check_data(struct check *check, const json_t *root)
{
    static const struct field fields[] = {
        {'a', "shape"}, {'o', "train"}, {'O', "val"}, {'O', "test"}};
    static const struct field set_fields[] = {{'s', "path"}, {'s', "format"}, {'c', "samples"}};
    const json_t *data = json_object_get(root, "data");
    check_fields(check, "'data'", data, fields, N_OF(fields));
    for (size_t i = 1; i < N_OF(fields); i++) {
        const json_t *set = json_object_get(data, fields[i].key);
        if (set != NULL) {
            check_fields(check, "'data'", set, set_fields, N_OF(set_fields));
        }
    }
}

static void check_root(struct check *check, const json_t *root)
{
    static const struct field fields[] = {
        {'c', "format"},      {'o', "run"},       {'o', "data"},     {'s', "set"},
        {'s', "kind"},        {'r', "loss"},      {'r', "accuracy"}, {'r', "auc"},
        {'r', "rmse"},        {'r', "mae"},       {'r', "r2"},       {'c', "samples"},
        {'o', "environment"}, {'A', "classes"},   {'A', "outputs"},  {'O', "image"},
        {'O', "calibration"}, {'A', "confusion"}, {'A', "confused"}, {'o', "predictions"},
    };
    static const struct field run_fields[] = {
        {'s', "outcome"},       {'s', "ended"},        {'c', "epochs"},
        {'c', "steps"},         {'r', "load_seconds"}, {'r', "train_seconds"},
        {'r', "watch_seconds"}, {'r', "test_seconds"},
    };
    static const struct field environment_fields[] = {
        {'s', "version"}, {'s', "compiler"}, {'s', "cpu"},       {'c', "cores"},
        {'c', "threads"}, {'s', "kernels"},  {'s', "precision"}, {'s', "system"},
    };
    check_fields(check, "the file", root, fields, N_OF(fields));
    check_fields(check, "'run'", json_object_get(root, "run"), run_fields, N_OF(run_fields));
    check_fields(check, "'environment'", json_object_get(root, "environment"), environment_fields,
                 N_OF(environment_fields));
    if (check->status != WEFT_OK) {
        return;
    }
    check_data(check, root);
    const char *kind = json_string_value(json_object_get(root, "kind"));
    bool values = strcmp(kind, "values") == 0, classes = strcmp(kind, "classes") == 0;
    if (!values && !classes && strcmp(kind, "labels") != 0) {
        refuse(check, "wanted classes, labels or values as 'kind'; got '%.40s'", kind);
    }
    if (values) {
        check_outputs(check, root);
    } else {
        check_classes(check, root);
    }
    check_samples(check, root, kind, check_image(check, root));
}

weft_status report_evaluation_read(const char *path, json_t **out, weft_error *err)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        int saved = errno;
        return weft_fail_errno(err, saved, "%s: cannot open%s", path,
                               saved == ENOENT ? " (a run trained with --no-report, or by an older "
                                                 "version, has none)"
                                               : "");
    }
    json_error_t why;
    json_t *root = json_loadf(stream, JSON_REJECT_DUPLICATES, &why);
    int failed = ferror(stream) ? errno : 0;
    fclose(stream);
    if (failed != 0) {
        json_decref(root);
        return weft_fail_errno(err, failed, "%s: cannot read", path);
    }
    if (root == NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s:%d: wanted JSON: %s", path, why.line, why.text);
    }
    struct check check = {.path = path, .err = err, .status = WEFT_OK};
    json_int_t format = json_integer_value(json_object_get(root, "format"));
    if (format != REPORT_EVALUATION_FORMAT) {
        refuse(&check, "wanted format %d; got %lld", REPORT_EVALUATION_FORMAT, (long long)format);
    }
    check_root(&check, root);
    if (check.status != WEFT_OK) {
        json_decref(root);
        return check.status;
    }
    *out = root;
    return WEFT_OK;
}
