/* Data sets from memory, and cut in two. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "test_data.h"

enum { N = 100, FEATURES = 3 };

/* Sample i has features 10 i, 10 i + 1, 10 i + 2 and, of 4 classes, i % 4 (the last one rare). */
struct source {
    float x[N][FEATURES + 2]; /* two columns that are not part of it */
    int32_t classes[N];
};

static int32_t class_of(size_t i)
{
    return i % 50 == 0 ? 3 : (int32_t)(i % 3);
}

static void fill(struct source *source)
{
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < FEATURES; j++) {
            source->x[i][j] = (float)(10 * i + j);
        }
        source->x[i][FEATURES] = source->x[i][FEATURES + 1] = NAN;
        source->classes[i] = class_of(i);
    }
}

static weft_tensor tensor_of(struct source *source)
{
    return weft_tensor_borrow(WEFT_F32, source->x, N, FEATURES, FEATURES + 2);
}

static weft_dataset *make(void)
{
    struct source source;
    fill(&source);
    weft_tensor x = tensor_of(&source);
    weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = source.classes};
    weft_dataset *data = NULL;
    weft_error err = {0};
    CHECK_OK(weft_dataset_from_memory(&x, &targets, NULL, 4, &data, &err), &err);
    return data;
}

static void from_floats(void)
{
    weft_dataset *data = make();
    if (data == NULL) {
        return;
    }
    CHECK_UINT(weft_dataset_samples(data), N);
    CHECK_UINT(weft_dataset_features(data), FEATURES);
    CHECK(weft_dataset_is_integer(data));
    CHECK_STR(weft_dataset_format(data), "memory");
    CHECK_UINT(weft_dataset_n_classes(data), 4);
    CHECK_STR(weft_dataset_class_name(data, 3), "3");
    for (size_t i = 0; i < N; i++) {
        CHECK_INT(weft_dataset_targets(data).classes[i], class_of(i));
        for (size_t j = 0; j < FEATURES; j++) {
            CHECK_NEAR(feature(data, i, j), (double)(10 * i + j), 0);
        }
    }
    weft_dataset_free(data);
}

static void from_bytes(void)
{
    uint8_t pixels[4] = {0, 255, 3, 4};
    float values[4] = {0.5f, 1, 2, 3};
    weft_tensor x = weft_tensor_borrow(WEFT_U8, pixels, 2, 2, 2);
    weft_targets targets = {.kind = WEFT_LABELS_VALUES, .values = values, .n_values = 2};
    weft_dataset *data = NULL;
    weft_error err = {0};
    if (CHECK_OK(weft_dataset_from_memory(&x, &targets, NULL, 0, &data, &err), &err)) {
        CHECK_INT(weft_dataset_x(data).dtype, WEFT_U8);
        CHECK(weft_dataset_is_integer(data));
        CHECK_BYTES(weft_dataset_x(data).data, pixels, 4);
        CHECK_BYTES(weft_dataset_targets(data).values, values, sizeof values);
        CHECK_UINT(weft_dataset_targets(data).n_values, 2);
        weft_dataset_free(data);
    }
    if (CHECK_OK(weft_dataset_from_memory(&x, NULL, NULL, 0, &data, &err), &err)) {
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_NONE);
        weft_dataset_free(data);
    }
    static const char *const names[] = {"yes", "no"};
    int32_t classes[2] = {1, 0};
    targets = (weft_targets){.kind = WEFT_LABELS_CLASSES, .classes = classes};
    if (CHECK_OK(weft_dataset_from_memory(&x, &targets, names, 2, &data, &err), &err)) {
        CHECK_STR(weft_dataset_class_name(data, 0), "yes");
        CHECK_STR(weft_dataset_class_name(data, 1), "no");
        weft_dataset_free(data);
    }
}

/* What is wrong is set by the caller; the rest is sound. */
static void refuses_memory(const weft_tensor *x, const weft_targets *targets, size_t n_classes,
                           const char *part)
{
    weft_dataset *data = NULL;
    weft_error err = {0};
    weft_status status = weft_dataset_from_memory(x, targets, NULL, n_classes, &data, &err);
    if (CHECK_STATUS(status, WEFT_ERR_ARG, &err)) {
        CHECK_HAS(err.message, part);
    }
    CHECK(data == NULL);
}

static void from_what_does_not_do(void)
{
    float x[4] = {1, 2, 3, 4}, y[2] = {1, 2};
    int32_t classes[2] = {0, 1};
    weft_tensor sound = weft_tensor_borrow(WEFT_F32, x, 2, 2, 2);
    weft_targets values = {.kind = WEFT_LABELS_VALUES, .values = y, .n_values = 1};
    weft_targets ids = {.kind = WEFT_LABELS_CLASSES, .classes = classes};
    weft_tensor none = weft_tensor_borrow(WEFT_F32, x, 0, 2, 2);
    refuses_memory(&none, &values, 0, "0 samples");
    none = weft_tensor_borrow(WEFT_F32, x, 2, 0, 2);
    refuses_memory(&none, &values, 0, "0 features");
    refuses_memory(&sound, &ids, 1, "class 1 of sample 1 (from 0) is outside");
    classes[0] = -1;
    refuses_memory(&sound, &ids, 2, "class -1 of sample 0");
    ids.kind = WEFT_LABELS_AUTO;
    refuses_memory(&sound, &ids, 2, "no kind");
    values.n_values = 0;
    refuses_memory(&sound, &values, 0, "no values");
    values.n_values = 1;
    y[1] = NAN;
    refuses_memory(&sound, &values, 0, "label 0 of sample 1 (both from 0) is nan");
    x[2] = INFINITY;
    refuses_memory(&sound, NULL, 0, "feature 0 of sample 1 (both from 0) is infinite");
}

/* Which sample of the original a row is. */
static size_t origin(const weft_dataset *data, size_t i)
{
    return (size_t)feature(data, i, 0) / 10;
}

/* Every sample is in exactly one part, with its label, in the old order. */
static void check_cut(const weft_dataset *first, const weft_dataset *second)
{
    const weft_dataset *parts[2] = {first, second};
    int seen[N] = {0};
    for (size_t p = 0; p < 2; p++) {
        CHECK_UINT(weft_dataset_n_classes(parts[p]), 4);
        CHECK_STR(weft_dataset_class_name(parts[p], 2), "2");
        CHECK_UINT(weft_dataset_features(parts[p]), FEATURES);
        CHECK(weft_dataset_is_integer(parts[p]));
        for (size_t i = 0; i < weft_dataset_samples(parts[p]); i++) {
            size_t from = origin(parts[p], i);
            seen[from]++;
            CHECK_INT(weft_dataset_targets(parts[p]).classes[i], class_of(from));
            CHECK_NEAR(feature(parts[p], i, 2), (double)(10 * from + 2), 0);
            CHECK(i == 0 || from > origin(parts[p], i - 1));
        }
    }
    for (size_t i = 0; i < N; i++) {
        CHECK_INT(seen[i], 1);
    }
}

static void cut(void)
{
    weft_dataset *data = make();
    for (size_t percent = 1; percent < 100; percent += 7) {
        weft_dataset *first = NULL, *second = NULL;
        weft_error err = {0};
        if (!CHECK_OK(weft_dataset_split(data, (double)percent / 100, 1, &first, &second, &err),
                      &err)) {
            continue;
        }
        CHECK_UINT(weft_dataset_samples(second), percent); /* of 100 */
        CHECK_UINT(weft_dataset_samples(first), N - percent);
        check_cut(first, second);
        size_t all[4] = {0}, taken[4] = {0};
        for (size_t i = 0; i < N; i++) {
            all[class_of(i)]++;
        }
        for (size_t i = 0; i < weft_dataset_samples(second); i++) {
            taken[weft_dataset_targets(second).classes[i]]++;
        }
        for (size_t c = 0; c < 4; c++) {
            double exact = (double)(all[c] * percent) / 100;
            CHECK(fabs((double)taken[c] - exact) < 1);
        }
        weft_dataset_free(first);
        weft_dataset_free(second);
    }
    weft_dataset_free(data);
}

static bool same(const weft_dataset *a, const weft_dataset *b)
{
    size_t n = weft_dataset_samples(a);
    return n == weft_dataset_samples(b) && memcmp(weft_dataset_x(a).data, weft_dataset_x(b).data,
                                                  n * FEATURES * sizeof(float)) == 0;
}

static void cut_by_seed(void)
{
    weft_dataset *data = make(), *first[3] = {NULL}, *second[3] = {NULL};
    static const uint64_t seeds[3] = {1, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        weft_error err = {0};
        CHECK_OK(weft_dataset_split(data, 0.2, seeds[i], &first[i], &second[i], &err), &err);
    }
    CHECK(same(first[0], first[1]));
    CHECK(same(second[0], second[1]));
    CHECK(!same(second[0], second[2]));
    for (size_t i = 0; i < 3; i++) {
        weft_dataset_free(first[i]);
        weft_dataset_free(second[i]);
    }
    weft_dataset_free(data);
}

static void cut_without_classes(void)
{
    struct source source;
    fill(&source);
    float values[N];
    for (size_t i = 0; i < N; i++) {
        values[i] = (float)i;
    }
    weft_tensor x = tensor_of(&source);
    x.rows = 3;
    weft_targets targets = {.kind = WEFT_LABELS_VALUES, .values = values, .n_values = 1};
    weft_dataset *data = NULL, *first = NULL, *second = NULL;
    weft_error err = {0};
    CHECK_OK(weft_dataset_from_memory(&x, &targets, NULL, 0, &data, &err), &err);
    static const struct {
        double fraction;
        size_t n;
    } cases[] = {{0.01, 1}, {0.4, 1}, {0.5, 2}, {0.99, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (CHECK_OK(weft_dataset_split(data, cases[i].fraction, 0, &first, &second, &err), &err)) {
            CHECK_UINT(weft_dataset_samples(second), cases[i].n);
            for (size_t k = 0; k < cases[i].n; k++) {
                CHECK_NEAR((double)weft_dataset_targets(second).values[k],
                           (double)origin(second, k), 0);
            }
            weft_dataset_free(first);
            weft_dataset_free(second);
        }
    }
    weft_dataset_free(data);
}

static void cuts_that_cannot_be(void)
{
    weft_dataset *data = make(), *first = NULL, *second = NULL;
    static const double fractions[] = {0, 1, -0.5, 1.5, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
        weft_error err = {0};
        CHECK_STATUS(weft_dataset_split(data, fractions[i], 0, &first, &second, &err), WEFT_ERR_ARG,
                     &err);
        CHECK_HAS(err.message, "wanted 0 < f < 1");
    }
    weft_dataset_free(data);
    float one = 1;
    weft_tensor x = weft_tensor_borrow(WEFT_F32, &one, 1, 1, 1);
    weft_error err = {0};
    CHECK_OK(weft_dataset_from_memory(&x, NULL, NULL, 0, &data, &err), &err);
    CHECK_STATUS(weft_dataset_split(data, 0.5, 0, &first, &second, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "1 sample");
    weft_dataset_free(data);
    CHECK(first == NULL && second == NULL);
}

static void no_memory(void)
{
    weft_dataset *data = make();
    for (size_t i = 1;; i++) {
        weft_dataset *first = NULL, *second = NULL;
        weft_error err = {0};
        weft_mem_fail_at(i);
        weft_status status = weft_dataset_split(data, 0.5, 0, &first, &second, &err);
        weft_mem_fail_at(0);
        if (status == WEFT_OK) {
            CHECK(i > 8);
            weft_dataset_free(first);
            weft_dataset_free(second);
            break;
        }
        CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
        CHECK(first == NULL && second == NULL);
    }
    weft_tensor x = weft_dataset_x(data);
    weft_targets targets = weft_dataset_targets(data);
    for (size_t i = 1;; i++) {
        weft_dataset *copy = NULL;
        weft_error err = {0};
        weft_mem_fail_at(i);
        weft_status status = weft_dataset_from_memory(&x, &targets, NULL, 4, &copy, &err);
        weft_mem_fail_at(0);
        if (status == WEFT_OK) {
            CHECK(i > 4);
            weft_dataset_free(copy);
            break;
        }
        CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
    }
    weft_dataset_free(data);
}

CU_TestInfo copy_tests[] = {
    {"from floats", from_floats},
    {"from bytes", from_bytes},
    {"from what does not do", from_what_does_not_do},
    {"cut", cut},
    {"cut by seed", cut_by_seed},
    {"cut without classes", cut_without_classes},
    {"cuts that cannot be", cuts_that_cannot_be},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
