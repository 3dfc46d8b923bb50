/* Predictions and metrics against naive ones: every sample and class counted one by one, AUC over
 * all pairs; thresholds, ties, and sample counts around any size that work is cut into. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "harness.h"
#include "reference.h"
#include "synthetic.h"

#include <weft/weft.h>

#define MAX_CLASSES 8

/* A network that hands its inputs through as logits. */
static weft_net *identity_net(size_t c, weft_output output)
{
    weft_net *net = synthetic_net(c, (size_t[]){0}, WEFT_IDENTITY, c, output, 1);
    float *params = synthetic_params(net);
    for (size_t k = 0; k < c * c + c; k++) {
        params[k] = k < c * c && k % (c + 1) == 0 ? 1 : 0;
    }
    weft_net_set_params(net, params);
    free(params);
    return net;
}

/* ---- metrics ---- */

struct naive {
    double loss, accuracy, auc, rmse, mae, r2;
    size_t confusion[MAX_CLASSES][MAX_CLASSES];
};

static int32_t naive_class(weft_output output, const float *z, size_t c)
{
    if (output == WEFT_OUTPUT_SIGMOID) {
        return z[0] >= 0 ? 1 : 0;
    }
    size_t best = 0;
    for (size_t j = 1; j < c; j++) {
        best = z[j] > z[best] ? j : best;
    }
    return (int32_t)best;
}

/* The share of (positive, negative) pairs in which the positive has the higher score; a tie counts
 * half (Fawcett 2006, section 7). */
static double naive_auc(const float *score, const int32_t *classes, size_t n, size_t stride)
{
    double wins = 0, pairs = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            if (classes[i] == 1 && classes[j] == 0) {
                float a = score[i * stride], b = score[j * stride];
                wins += a > b ? 1 : a == b ? 0.5 : 0;
                pairs += 1;
            }
        }
    }
    return pairs == 0 ? (double)NAN : wins / pairs;
}

static void naive_classes(struct naive *m, weft_output output, const float *z, size_t n, size_t c,
                          const int32_t *classes)
{
    weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = classes};
    double right = 0;
    for (size_t b = 0; b < n; b++) {
        double zd[MAX_CLASSES];
        for (size_t j = 0; j < c; j++) {
            zd[j] = (double)z[b * c + j];
        }
        int32_t guess = naive_class(output, z + b * c, c);
        m->loss += reference_sample_loss(output, zd, c, &targets, b) / (double)n;
        m->confusion[classes[b]][guess]++;
        right += guess == classes[b];
    }
    m->accuracy = right / (double)n;
}

static void check_classes(const weft_evaluation *got, const struct naive *m, size_t n,
                          size_t n_classes)
{
    CHECK_UINT(got->samples, n);
    CHECK_UINT(got->n_classes, n_classes);
    CHECK_NEAR(got->loss, m->loss, 1e-5 * m->loss);
    CHECK_NEAR(got->accuracy, m->accuracy, 1e-15);
    CU_ASSERT_FATAL(got->confusion != NULL && got->by_class != NULL);
    for (size_t k = 0; k < n_classes; k++) {
        double hit = (double)m->confusion[k][k], said = 0, is = 0;
        for (size_t j = 0; j < n_classes; j++) {
            CHECK_UINT(got->confusion[k * n_classes + j], m->confusion[k][j]);
            is += (double)m->confusion[k][j];
            said += (double)m->confusion[j][k];
        }
        double precision = said == 0 ? 0 : hit / said, recall = is == 0 ? 0 : hit / is;
        double sum = precision + recall;
        CHECK_UINT(got->by_class[k].support, (unsigned long long)is);
        CHECK_NEAR(got->by_class[k].precision, precision, 1e-15);
        CHECK_NEAR(got->by_class[k].recall, recall, 1e-15);
        CHECK_NEAR(got->by_class[k].f1, sum == 0 ? 0 : 2 * precision * recall / sum, 1e-15);
    }
    CHECK(isnan(got->rmse) && isnan(got->mae) && isnan(got->r2));
}

/* Logits in steps of `grain`, so that ties are common; class c - 1 is never right and class 0 never
 * guessed where `gaps` says so: zero denominators. */
static void check_metrics_of_classes(weft_output output, size_t n, size_t c, double grain,
                                     bool gaps, uint64_t seed)
{
    size_t n_classes = c == 1 ? 2 : c;
    float *z = reference_alloc(n * c, sizeof *z);
    int32_t *classes = reference_alloc(n, sizeof *classes);
    for (size_t b = 0; b < n; b++) {
        size_t known = gaps ? n_classes - 1 : n_classes;
        classes[b] = (int32_t)((double)known * weft_rng_uniform(seed, 1, b));
        for (size_t j = 0; j < c; j++) {
            double u = 4 * weft_rng_normal(seed, 2, b * c + j) + (classes[b] == (int32_t)j ? 3 : 0);
            z[b * c + j] = (float)(round(u / grain) * grain);
            if (gaps && j == 0) {
                z[b * c] = c == 1 ? 1 : -100;
            }
        }
    }
    struct naive m = {0};
    naive_classes(&m, output, z, n, c, classes);
    weft_dataset *data = synthetic_from(z, n, c, classes, n_classes, NULL, 0);
    weft_net *net = identity_net(c, output);
    weft_context *context = synthetic_context(2);
    weft_evaluation got = {0};
    weft_error err;
    if (CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err)) {
        check_classes(&got, &m, n, n_classes);
        if (c == 1) {
            double auc = naive_auc(z, classes, n, 1);
            CHECK(isnan(auc) ? isnan(got.auc) : fabs(got.auc - auc) < 1e-12);
        } else if (c > 2) {
            CHECK(isnan(got.auc));
        }
    }
    weft_evaluation_release(&got);
    CHECK(got.confusion == NULL && got.by_class == NULL);
    free(z);
    free(classes);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static void metrics_of_classes(void)
{
    static const size_t sizes[] = {1, 2, 50, 300, 777};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int gaps = 0; gaps < 2; gaps++) {
            for (int coarse = 0; coarse < 2; coarse++) {
                double grain = coarse ? 2 : 1e-3;
                check_metrics_of_classes(WEFT_OUTPUT_SOFTMAX, sizes[s], 5, grain, gaps, 10 + s);
                check_metrics_of_classes(WEFT_OUTPUT_SOFTMAX, sizes[s], 2, grain, gaps, 20 + s);
                check_metrics_of_classes(WEFT_OUTPUT_SIGMOID, sizes[s], 1, grain, gaps, 30 + s);
            }
        }
    }
}

/* Two softmax outputs: the score is the second class's probability, which grows with z1 - z0. */
static void auc_of_two_classes(void)
{
    enum { N = 200 };
    float z[2 * N], score[N];
    int32_t classes[N];
    for (size_t b = 0; b < N; b++) {
        classes[b] = (int32_t)(weft_rng_u64(3, 1, b) & 1);
        z[2 * b] = (float)round(2 * weft_rng_normal(3, 2, b));
        z[2 * b + 1] = (float)round(2 * weft_rng_normal(3, 3, b)) + (float)classes[b];
        score[b] = z[2 * b + 1] - z[2 * b];
    }
    weft_dataset *data = synthetic_from(z, N, 2, classes, 2, NULL, 0);
    weft_net *net = identity_net(2, WEFT_OUTPUT_SOFTMAX);
    weft_context *context = synthetic_context(1);
    weft_evaluation got = {0};
    weft_error err;
    CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
    CHECK_NEAR(got.auc, naive_auc(score, classes, N, 1), 1e-12);
    weft_evaluation_release(&got);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

/* AUC by hand: all right 1, all wrong 0, all equal 1/2, and one tie across the classes. */
static void auc_by_hand(void)
{
    static const struct {
        float z[4];
        int32_t classes[4];
        double auc;
    } cases[] = {{{-2, -1, 1, 2}, {0, 0, 1, 1}, 1},
                 {{-2, -1, 1, 2}, {1, 1, 0, 0}, 0},
                 {{7, 7, 7, 7}, {0, 1, 0, 1}, 0.5},
                 {{-1, 1, 1, 2}, {0, 0, 1, 1}, 0.875},
                 {{40, 30, 50, 60}, {0, 0, 1, 1}, 1}}; /* though p in float32 is 1 for all four */
    weft_net *net = identity_net(1, WEFT_OUTPUT_SIGMOID);
    weft_context *context = synthetic_context(1);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        weft_dataset *data = synthetic_from(cases[k].z, 4, 1, cases[k].classes, 2, NULL, 0);
        weft_evaluation got = {0};
        weft_error err;
        CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
        CHECK_NEAR(got.auc, cases[k].auc, 1e-12);
        weft_evaluation_release(&got);
        weft_dataset_free(data);
    }
    weft_net_free(net);
    weft_context_free(context);
}

/* Finite weights that overflow: logits inf and inf, of which the difference is NaN. */
static void auc_of_broken_logits(void)
{
    static const float x[] = {10, 10, 10, -10}, params[] = {3e38f, 3e38f, 0, 0};
    static const int32_t classes[] = {0, 1, 0, 1};
    weft_dataset *data = synthetic_from(x, 4, 1, classes, 2, NULL, 0);
    weft_net *net = synthetic_net(1, (size_t[]){0}, WEFT_RELU, 2, WEFT_OUTPUT_SOFTMAX, 1);
    weft_context *context = synthetic_context(1);
    weft_evaluation got = {0};
    weft_error err;
    weft_net_set_params(net, params);
    CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
    CHECK(isnan(got.auc) && isnan(got.loss));
    weft_evaluation_release(&got);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static struct naive naive_values(const float *z, const float *y, size_t n, size_t c)
{
    struct naive m = {0};
    double squares = 0;
    for (size_t j = 0; j < c; j++) {
        double mean = 0, residual = 0, total = 0;
        for (size_t b = 0; b < n; b++) {
            mean += (double)y[b * c + j] / (double)n;
        }
        for (size_t b = 0; b < n; b++) {
            double e = (double)z[b * c + j] - (double)y[b * c + j];
            double t = (double)y[b * c + j] - mean;
            residual += e * e;
            total += t * t;
            m.mae += fabs(e) / (double)(n * c);
        }
        squares += residual;
        m.r2 += (1 - residual / total) / (double)c;
    }
    m.loss = squares / (2 * (double)n);
    m.rmse = sqrt(squares / (double)(n * c));
    return m;
}

static void metrics_of_values(void)
{
    static const size_t sizes[] = {2, 50, 1025};
    for (size_t c = 1; c <= 3; c++) {
        for (size_t s = 0; s < 3; s++) {
            size_t n = sizes[s];
            float *z = reference_alloc(2 * n * c, sizeof *z), *y = z + n * c;
            for (size_t k = 0; k < n * c; k++) {
                y[k] = (float)(100 + weft_rng_normal(1, c, k)); /* a mean that is far from 0 */
                z[k] = y[k] + (float)(0.3 * weft_rng_normal(2, c, k));
            }
            struct naive m = naive_values(z, y, n, c);
            weft_dataset *data = synthetic_from(z, n, c, NULL, 0, y, c);
            weft_net *net = identity_net(c, WEFT_OUTPUT_IDENTITY);
            weft_context *context = synthetic_context(2);
            weft_evaluation got = {0};
            weft_error err;
            CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
            CHECK_UINT(got.samples, n);
            CHECK_NEAR(got.loss, m.loss, 1e-6 * m.loss);
            CHECK_NEAR(got.rmse, m.rmse, 1e-6 * m.rmse);
            CHECK_NEAR(got.mae, m.mae, 1e-6 * m.mae);
            CHECK_NEAR(got.r2, m.r2, 1e-6);
            CHECK(isnan(got.accuracy) && isnan(got.auc));
            CHECK(got.confusion == NULL && got.by_class == NULL && got.n_classes == 0);
            weft_evaluation_release(&got);
            free(z);
            weft_net_free(net);
            weft_dataset_free(data);
            weft_context_free(context);
        }
    }
}

/* Several sigmoids: accuracy counts (sample, label) pairs, a label being on from 0.5. */
static void accuracy_of_several_labels(void)
{
    enum { N = 100, C = 3 };
    float z[N * C], y[N * C];
    double right = 0, loss = 0;
    weft_targets targets = {.kind = WEFT_LABELS_VALUES, .values = y, .n_values = C};
    for (size_t k = 0; k < N * C; k++) {
        y[k] = (float)(weft_rng_u64(4, 1, k) & 1);
        z[k] = (float)round(2 * weft_rng_normal(4, 2, k)) + y[k];
        right += (z[k] >= 0) == (y[k] >= 0.5f);
    }
    for (size_t b = 0; b < N; b++) {
        double zd[C];
        for (size_t j = 0; j < C; j++) {
            zd[j] = (double)z[b * C + j];
        }
        loss += reference_sample_loss(WEFT_OUTPUT_SIGMOID, zd, C, &targets, b) / N;
    }
    weft_dataset *data = synthetic_from(z, N, C, NULL, 0, y, C);
    weft_net *net = identity_net(C, WEFT_OUTPUT_SIGMOID);
    weft_context *context = synthetic_context(2);
    weft_evaluation got = {0};
    weft_error err;
    CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
    CHECK_NEAR(got.accuracy, right / (N * C), 1e-15);
    CHECK_NEAR(got.loss, loss, 1e-5 * loss);
    CHECK(got.confusion == NULL);
    weft_evaluation_release(&got);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

/* ---- predictions ---- */

static void check_predictions(weft_output output, const float *z, size_t n, size_t c,
                              const int32_t *wanted)
{
    weft_targets none = {.kind = WEFT_LABELS_NONE};
    weft_tensor view = weft_tensor_borrow(WEFT_F32, (void *)(uintptr_t)z, n, c, c), p = {0};
    weft_dataset *data = NULL;
    weft_net *net = identity_net(c, output);
    weft_context *context = synthetic_context(2);
    int32_t *classes = reference_alloc(n, sizeof *classes);
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_dataset_from_memory(&view, &none, NULL, 0, &data, &err), &err));
    CU_ASSERT_FATAL(weft_tensor_init(&p, WEFT_F32, n, c) == WEFT_OK);
    memset(classes, 0xff, n * sizeof *classes);
    CHECK_OK(weft_predict(context, net, data, &p, wanted == NULL ? NULL : classes, &err), &err);
    if (wanted != NULL) {
        CHECK_BYTES(classes, wanted, n * sizeof *classes);
        memset(classes, 0xff, n * sizeof *classes);
        CHECK_OK(weft_predict(context, net, data, NULL, classes, &err), &err);
        CHECK_BYTES(classes, wanted, n * sizeof *classes);
    }
    for (size_t b = 0; b < n; b++) {
        double zd[MAX_CLASSES], pd[MAX_CLASSES];
        for (size_t j = 0; j < c; j++) {
            zd[j] = (double)z[b * c + j];
        }
        reference_predict(output, zd, c, pd);
        for (size_t j = 0; j < c; j++) {
            CHECK_NEAR((double)((float *)p.data)[b * p.ld + j], pd[j], 1e-6);
        }
    }
    free(classes);
    weft_tensor_release(&p);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static void thresholds_and_ties(void)
{
    static const float three[] = {1, 1, 1, 0, 2, 2, 3, 3, 2, -5, -5, -4, 0, 0, 0};
    static const int32_t three_wanted[] = {0, 1, 0, 2, 0};
    check_predictions(WEFT_OUTPUT_SOFTMAX, three, 5, 3, three_wanted);
    static const float one[] = {0, -1e-6f, 1e-6f, 100, -100, -0.0f};
    static const int32_t one_wanted[] = {1, 0, 1, 1, 0, 1};
    check_predictions(WEFT_OUTPUT_SIGMOID, one, 6, 1, one_wanted);
    check_predictions(WEFT_OUTPUT_SIGMOID, three, 5, 3, NULL);
    check_predictions(WEFT_OUTPUT_IDENTITY, three, 5, 3, NULL);
}

/* -1e-9 is below the threshold, and yet its p rounds to 0.5 in float32: predict and evaluate must
 * at least agree with each other. */
static void threshold_is_one_rule(void)
{
    static const float z[] = {-1e-9f, 1e-9f, 0, -1e-12f};
    static const int32_t classes[] = {1, 1, 1, 1};
    int32_t guess[4];
    weft_dataset *data = synthetic_from(z, 4, 1, classes, 2, NULL, 0);
    weft_net *net = identity_net(1, WEFT_OUTPUT_SIGMOID);
    weft_context *context = synthetic_context(1);
    weft_evaluation got = {0};
    weft_error err;
    size_t ones = 0;
    CHECK_OK(weft_predict(context, net, data, NULL, guess, &err), &err);
    CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
    for (size_t b = 0; b < 4; b++) {
        ones += guess[b] == 1;
    }
    CHECK_UINT(got.confusion[3], ones);
    weft_evaluation_release(&got);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static void misfits_are_refused(void)
{
    weft_context *context = synthetic_context(1);
    weft_net *net = identity_net(3, WEFT_OUTPUT_SOFTMAX);
    weft_net *values_net = identity_net(3, WEFT_OUTPUT_IDENTITY);
    weft_dataset *narrow = synthetic_classes(WEFT_F32, 10, 2, 3, 0.5, 1);
    weft_dataset *fits = synthetic_classes(WEFT_F32, 10, 3, 3, 0.5, 1);
    weft_dataset *more = synthetic_classes(WEFT_F32, 10, 3, 4, 0.5, 1);
    weft_dataset *values = synthetic_values(10, 3, 3, 1);
    weft_evaluation out;
    weft_error err;
    memset(&out, 0x5a, sizeof out);
    weft_evaluation before = out;
    CHECK_STATUS(weft_evaluate(context, net, narrow, &out, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_STATUS(weft_evaluate(context, net, more, &out, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_STATUS(weft_evaluate(context, net, values, &out, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_STATUS(weft_evaluate(context, values_net, fits, &out, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_BYTES(&out, &before, sizeof out); /* written on success only */

    int32_t classes[10];
    weft_tensor p = {0};
    CHECK(weft_tensor_init(&p, WEFT_F32, 10, 2) == WEFT_OK);
    CHECK_STATUS(weft_predict(context, net, narrow, NULL, classes, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_STATUS(weft_predict(context, net, fits, &p, classes, &err), WEFT_ERR_MISMATCH, &err);
    weft_tensor_release(&p);
    weft_dataset_free(narrow);
    weft_dataset_free(fits);
    weft_dataset_free(more);
    weft_dataset_free(values);
    weft_net_free(net);
    weft_net_free(values_net);
    weft_context_free(context);
}

/* ---- work cut into pieces ---- */

/* Sample counts around every size that samples could be cut into: loss, accuracy and predictions
 * against the reference, the same bits for 1, 3 and 8 threads. */
static void check_sample_count(size_t n, weft_dtype dtype)
{
    weft_dataset *data = synthetic_classes(dtype, n, 9, 4, 1.5, n);
    static const size_t hidden[] = {7, 0};
    weft_net *net = synthetic_net(9, hidden, WEFT_TANH, 4, WEFT_OUTPUT_SOFTMAX, 6);
    synthetic_scale(net, data, WEFT_SCALE_UNIT);
    struct reference ref = reference_of(net);
    weft_tensor view = weft_dataset_x(data);
    weft_targets targets = weft_dataset_targets(data);
    double *x = reference_inputs(weft_net_scaling(net), &view);
    size_t n_params = weft_net_n_params(net), n_units = reference_n_units(&ref);
    double *params = reference_alloc(n_params, sizeof *params);
    double *z = reference_alloc(n * n_units, sizeof *z);
    float *floats = synthetic_params(net);
    for (size_t k = 0; k < n_params; k++) {
        params[k] = (double)floats[k];
    }
    double loss = reference_loss(&ref, params, x, &targets, n, z), right = 0;
    for (size_t b = 0; b < n; b++) {
        const double *logits = z + b * n_units + reference_logits_at(&ref);
        size_t best = 0;
        for (size_t j = 1; j < 4; j++) {
            best = logits[j] > logits[best] ? j : best;
        }
        right += best == (size_t)targets.classes[b];
    }
    static const size_t threads[] = {1, 3, 8};
    double first = 0;
    for (size_t t = 0; t < 3; t++) {
        weft_context *context = synthetic_context(threads[t]);
        weft_evaluation got = {0};
        weft_error err;
        CHECK_OK(weft_evaluate(context, net, data, &got, &err), &err);
        CHECK_UINT(got.samples, n);
        CHECK_NEAR(got.loss, loss, 1e-5 * loss);
        CHECK_NEAR(got.accuracy, right / (double)n, 1e-12);
        first = t == 0 ? got.loss : first;
        CHECK_BYTES(&got.loss, &first, sizeof first);
        weft_evaluation_release(&got);
        weft_context_free(context);
    }
    free(x);
    free(params);
    free(z);
    free(floats);
    weft_net_free(net);
    weft_dataset_free(data);
}

static void sample_counts(void)
{
    static const size_t counts[] = {1,   2,    3,    15,   16,   17,   31,   32,   33,  63,
                                    64,  65,   127,  128,  129,  255,  256,  257,  511, 512,
                                    513, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4097};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        check_sample_count(counts[k], k % 2 == 0 ? WEFT_F32 : WEFT_U8);
    }
}

/* The logits of a sample are the same bits alone, in any batch, and on any threads. */
static void check_batches(weft_dtype dtype, const size_t *hidden, size_t n_features, size_t n)
{
    weft_dataset *data = synthetic_classes(dtype, n, n_features, 10, 1, 12);
    weft_net *net = synthetic_net(n_features, hidden, WEFT_GELU, 10, WEFT_OUTPUT_SOFTMAX, 6);
    synthetic_scale(net, data, WEFT_SCALE_UNIT);
    weft_tensor x = weft_dataset_x(data), all = {0}, part = {0};
    weft_context *contexts[] = {synthetic_context(1), synthetic_context(3)};
    weft_error err;
    CHECK(weft_tensor_init(&all, WEFT_F32, n, 10) == WEFT_OK);
    CHECK(weft_tensor_init(&part, WEFT_F32, n, 10) == WEFT_OK);
    CHECK_OK(weft_net_forward(contexts[1], net, &x, &all, &err), &err);
    static const size_t sizes[] = {1, 2, 3, 5, 6, 8, 13, 16, 17, 64, 100, 129, 200};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t from = 0; from < n; from += 3 * sizes[s] + 1) {
            size_t size = n - from < sizes[s] ? n - from : sizes[s];
            weft_tensor rows = weft_tensor_view(&x, from, 0, size, n_features);
            weft_tensor logits = weft_tensor_view(&part, 0, 0, size, 10);
            CHECK_OK(weft_net_forward(contexts[s % 2], net, &rows, &logits, &err), &err);
            for (size_t b = 0; b < size; b++) {
                CHECK_BYTES((float *)logits.data + b * logits.ld,
                            (float *)all.data + (from + b) * all.ld, 10 * sizeof(float));
            }
        }
    }
    weft_tensor_release(&all);
    weft_tensor_release(&part);
    weft_context_free(contexts[0]);
    weft_context_free(contexts[1]);
    weft_net_free(net);
    weft_dataset_free(data);
}

static void batches_change_nothing(void)
{
    check_batches(WEFT_U8, (size_t[]){32, 16, 0}, 784, 300);
    check_batches(WEFT_F32, (size_t[]){130, 0}, 300, 300);
    check_batches(WEFT_F32, (size_t[]){0}, 7, 300);
}

/* Every allocation fails once. */
static void out_of_memory_is_survived(void)
{
    weft_dataset *data = synthetic_classes(WEFT_U8, 60, 9, 2, 1, 1);
    weft_net *net = synthetic_net(9, (size_t[]){4, 0}, WEFT_RELU, 1, WEFT_OUTPUT_SIGMOID, 1);
    weft_context *context = synthetic_context(2);
    bool done = false;
    for (size_t n = 1; !done && n < 1000; n++) {
        weft_evaluation got = {0};
        weft_error err = {0};
        weft_mem_fail_at(n);
        weft_status status = weft_evaluate(context, net, data, &got, &err);
        weft_mem_fail_at(0);
        done = status == WEFT_OK;
        if (!done) {
            CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
            CHECK(got.confusion == NULL && got.by_class == NULL);
        }
        CHECK(n > 1 || !done);
        weft_evaluation_release(&got);
    }
    CHECK(done);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static CU_TestInfo metric_tests[] = {
    {"of classes", metrics_of_classes},
    {"auc of two classes", auc_of_two_classes},
    {"auc by hand", auc_by_hand},
    {"auc of broken logits", auc_of_broken_logits},
    {"of values", metrics_of_values},
    {"of several labels", accuracy_of_several_labels},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo predict_tests[] = {
    {"thresholds and ties", thresholds_and_ties},
    {"threshold is one rule", threshold_is_one_rule},
    {"misfits are refused", misfits_are_refused},
    {"out of memory is survived", out_of_memory_is_survived},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo piece_tests[] = {
    {"sample counts", sample_counts},
    {"batches change nothing", batches_change_nothing},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"metrics", NULL, NULL, NULL, NULL, metric_tests},
    {"predict", NULL, NULL, NULL, NULL, predict_tests},
    {"pieces", NULL, NULL, NULL, NULL, piece_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
