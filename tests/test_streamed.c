/* Streamed data sets: whatever is computed from them has the bits that it has in memory, on any
 * number of threads; files that change or break while they are read end the run, never hang it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/feed.h"
#include "data/shuffle_order.h"
#include "reference.h"
#include "synthetic.h"
#include "test_data.h"

#include "harness.h"

#include <weft/weft.h>

enum { N = 1100, SIDE = 6, FEATURES = SIDE * SIDE, CLASSES = 5 };

/* ---- files ---- */

/* Any number, the same each time. */
static unsigned dice(unsigned i)
{
    unsigned x = i * 2654435761u + 12345u;
    x ^= x >> 15;
    x *= 2246822519u;
    return x ^ x >> 13;
}

/* Of class i % CLASSES, mostly, and mostly zeros. */
static unsigned char pixel(size_t i, size_t j)
{
    unsigned bits = dice((unsigned)(i * FEATURES + j));
    unsigned char value = (unsigned char)(bits >> 8);
    if (i == 7 && j == 3) {
        return 255;
    }
    return j % CLASSES == i % CLASSES ? 128 + value / 2 : bits % 4 == 0 ? value : 0;
}

static struct bytes images(size_t n)
{
    const uint32_t dims[] = {(uint32_t)n, SIDE, SIDE};
    struct bytes bytes = idx_header(8, dims, 3);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < FEATURES; j++) {
            unsigned char value = pixel(i, j);
            bytes_add(&bytes, &value, 1);
        }
    }
    return bytes;
}

static struct bytes labels(size_t n)
{
    const uint32_t dims[] = {(uint32_t)n};
    struct bytes bytes = idx_header(8, dims, 1);
    for (size_t i = 0; i < n; i++) {
        bytes_add_big_endian(&bytes, i % CLASSES, 1);
    }
    return bytes;
}

static struct bytes zipped(struct bytes bytes)
{
    struct bytes out = gzip(bytes.at, bytes.n);
    bytes_free(&bytes);
    return out;
}

static struct bytes table(bool fractions)
{
    struct bytes bytes = {0};
    for (size_t i = 0; i < N; i++) {
        char cell[32];
        bytes_add(&bytes, cell, (size_t)snprintf(cell, sizeof cell, "c%zu", i % CLASSES));
        for (size_t j = 0; j < FEATURES; j++) {
            double value = (double)pixel(i, j);
            bytes_add(&bytes, cell,
                      (size_t)snprintf(cell, sizeof cell, ",%g", fractions ? value / 7 : value));
        }
        bytes_add(&bytes, "\n", 1);
    }
    return bytes;
}

static struct bytes array(const char *shape, const char *type, size_t n_each)
{
    struct bytes bytes = {0};
    char header[118];
    memset(header, ' ', sizeof header);
    int len =
        snprintf(header, sizeof header,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (%d,%s), }", type, N, shape);
    header[len] = ' ';
    header[sizeof header - 1] = '\n';
    bytes_add(&bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    bytes_add(&bytes, header, sizeof header);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < n_each; j++) {
            float value = n_each == 1 ? (float)(i % CLASSES) : (float)pixel(i, j) / 7;
            unsigned char byte = (unsigned char)value;
            bytes_add(&bytes, n_each == 1 ? (void *)&byte : (void *)&value, n_each == 1 ? 1 : 4);
        }
    }
    return bytes;
}

/* How the same samples may come. */
static struct format {
    const char *name;
    bool can_seek;
    const char *path; /* once it is made */
} formats[] = {
    {"IDX.gz", false, NULL}, {"IDX", true, NULL},     {"CSV, pixels", false, NULL},
    {"CSV", false, NULL},    {"CSV.gz", false, NULL}, {"NumPy", true, NULL},
};

enum { N_FORMATS = sizeof formats / sizeof *formats };

static const char *path_of(size_t format)
{
    struct format *made = &formats[format];
    if (made->path != NULL) {
        return made->path;
    }
    switch (format) {
    case 0:
        made->path =
            pair_of(write_bytes("i.gz", zipped(images(N))), write_bytes("l.gz", zipped(labels(N))));
        break;
    case 1:
        made->path = pair_of(write_bytes("i", images(N)), write_bytes("l", labels(N)));
        break;
    case 2:
        made->path = write_bytes("pixels.csv", table(false));
        break;
    case 3:
        made->path = write_bytes("t.csv", table(true));
        break;
    case 4:
        made->path = write_bytes("t.csv.gz", zipped(table(true)));
        break;
    default:
        made->path = pair_of(write_bytes("x.npy", array(" 36", "<f4", FEATURES)),
                             write_bytes("y.npy", array("", "|u1", 1)));
        break;
    }
    return made->path;
}

static weft_dataset *load_as(const char *path, bool streamed)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.most_bytes = streamed ? 1 : 0;
    weft_dataset *data = load(path, &options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    CHECK_INT(weft_dataset_is_streamed(data), streamed);
    return data;
}

/* ---- the same data ---- */

/* All that is known of two sets, and their features block by block. */
static void check_same_data(const weft_dataset *a, const weft_dataset *b)
{
    size_t n = weft_dataset_samples(a), features = weft_dataset_features(a);
    weft_targets ta = weft_dataset_targets(a), tb = weft_dataset_targets(b);
    CHECK_UINT(weft_dataset_samples(b), n);
    CHECK_UINT(weft_dataset_features(b), features);
    CHECK_INT(weft_dataset_is_integer(a), weft_dataset_is_integer(b));
    CHECK_INT(ta.kind, tb.kind);
    CHECK_BYTES(ta.classes, tb.classes, n * sizeof *ta.classes);
    CHECK_UINT(weft_dataset_n_classes(a), weft_dataset_n_classes(b));
    CHECK_STR(weft_dataset_class_name(a, 1), weft_dataset_class_name(b, 1));
    weft_tensor x = weft_dataset_x(a), y;
    weft_walk *walk = NULL;
    weft_error err;
    CHECK_OK(weft_walk_new(b, &walk, &err), &err);
    size_t at = 0, size = weft_dtype_size(x.dtype) * features;
    do {
        CHECK_OK(weft_walk_next(walk, &y, &err), &err);
        CHECK_INT(y.dtype, x.dtype);
        CHECK(y.rows % 256 == 0 || at + y.rows == n);
        if (y.rows > 0) {
            CHECK_BYTES(y.data, (const char *)x.data + at * size, y.rows * size);
        }
        at += y.rows;
    } while (y.rows > 0);
    CHECK_UINT(at, n);
    weft_walk_free(walk);
}

static void test_same_data(void)
{
    for (size_t f = 0; f < N_FORMATS; f++) {
        weft_dataset *cached = load_as(path_of(f), false), *streamed = load_as(path_of(f), true);
        CHECK(weft_dataset_x(streamed).data == NULL);
        CHECK_INT(weft_dataset_can_seek(streamed), formats[f].can_seek);
        check_same_data(cached, streamed);
        weft_dataset *parts[2][2], *back = NULL;
        weft_error err;
        CHECK_OK(weft_dataset_split(cached, 0.2, 3, &parts[0][0], &parts[0][1], &err), &err);
        CHECK_OK(weft_dataset_split(streamed, 0.2, 3, &parts[1][0], &parts[1][1], &err), &err);
        for (size_t p = 0; p < 2; p++) {
            CHECK(weft_dataset_is_streamed(parts[1][p]));
            check_same_data(parts[0][p], parts[1][p]);
        }
        /* A part of a part, and back into memory. */
        weft_dataset *less[2], *rest[2];
        CHECK_OK(weft_dataset_split(parts[0][0], 0.5, 4, &less[0], &rest[0], &err), &err);
        CHECK_OK(weft_dataset_split(parts[1][0], 0.5, 4, &less[1], &rest[1], &err), &err);
        weft_dataset_free(streamed);
        check_same_data(less[0], less[1]);
        CHECK_OK(weft_dataset_in_memory(rest[1], SIZE_MAX, &back, &err), &err);
        CHECK(!weft_dataset_is_streamed(back));
        check_same_data(rest[0], back);
        weft_dataset_free(back);
        for (size_t p = 0; p < 2; p++) {
            weft_dataset_free(less[p]);
            weft_dataset_free(rest[p]);
            weft_dataset_free(parts[0][p]);
            weft_dataset_free(parts[1][p]);
        }
        weft_dataset_free(cached);
    }
}

static void test_some_in_memory(void)
{
    weft_dataset *streamed = load_as(path_of(0), true), *some = NULL;
    weft_error err;
    CHECK_STATUS(weft_dataset_in_memory(streamed, 0, &some, &err), WEFT_ERR_ARG, &err);
    CHECK_OK(weft_dataset_in_memory(streamed, 3, &some, &err), &err);
    CHECK_UINT(weft_dataset_samples(some), 3);
    for (size_t i = 0; i < 3; i++) {
        size_t from = i * N / 3;
        CHECK_INT(weft_dataset_targets(some).classes[i], (int)(from % CLASSES));
        CHECK_NEAR(feature(some, i, 9), (double)pixel(from, 9), 0);
    }
    weft_dataset_free(some);
    weft_dataset_free(streamed);
}

/* How much may stay in memory decides, and nothing else changes. */
static void test_limit(void)
{
    const size_t exact[N_FORMATS] = {N * FEATURES, N * FEATURES, 0, 0, 0, 4 * N * FEATURES};
    for (size_t f = 0; f < N_FORMATS; f++) {
        if (exact[f] > 0) {
            weft_dataset_options options = weft_dataset_options_default();
            for (size_t less = 0; less < 2; less++) {
                options.most_bytes = exact[f] - less;
                weft_dataset *data = load(path_of(f), &options);
                CHECK_INT(weft_dataset_is_streamed(data), less == 1);
                weft_dataset_free(data);
            }
        }
    }
    /* Text is read in blocks of 4 MiB: a second one is more than this allows. */
    struct bytes bytes = {0};
    enum { ROWS = 90000, COLS = 20 };
    for (size_t i = 0; i < ROWS; i++) {
        char row[16 + 4 * COLS];
        int len = snprintf(row, sizeof row, "%zu", i % 3);
        for (size_t j = 0; j < COLS; j++) {
            len +=
                snprintf(row + len, sizeof row - (size_t)len, ",%u", dice((unsigned)(i + j)) % 256);
        }
        row[len++] = '\n';
        bytes_add(&bytes, row, (size_t)len);
    }
    const char *path = write_bytes("long.csv", bytes);
    weft_dataset_options options = weft_dataset_options_default();
    weft_dataset *cached = load(path, &options);
    options.most_bytes = (size_t)6 << 20;
    weft_dataset *streamed = load(path, &options);
    CHECK(weft_dataset_is_streamed(streamed));
    CHECK_INT(weft_dataset_x(cached).dtype, WEFT_U8);
    check_same_data(cached, streamed);
    weft_dataset_free(cached);
    weft_dataset_free(streamed);
}

/* ---- feeds ---- */

/* Every part of every batch of some epochs, the first at times not from its start, against the
 * order on numbers alone. */
static void check_feed(const weft_dataset *cached, const weft_dataset *streamed,
                       struct weft_feed_options options)
{
    weft_tensor x = weft_dataset_x(cached);
    size_t n = x.rows, row = x.cols * weft_dtype_size(x.dtype), wrong = 0;
    uint32_t *order = reference_alloc(n, sizeof *order);
    struct weft_feed feed;
    weft_error err;
    CHECK_OK(weft_feed_init(&feed, streamed, &options, &err), &err);
    size_t from = options.seed % 3 * (n / 3) / options.batch_size * options.batch_size;
    for (size_t epoch = 1; epoch < options.n_epochs; epoch++, from = 0) {
        CHECK_OK(weft_feed_begin(&feed, epoch, from, &err), &err);
        weft_shuffle_order(options.shuffle, options.buffer, options.seed, epoch, order, n);
        for (size_t batch = from; batch < n; batch += options.batch_size) {
            size_t end = batch + options.batch_size < n ? batch + options.batch_size : n;
            for (size_t at = batch; at < end; at += WEFT_FEED_PART) {
                if (weft_feed_waits(&feed, at)) {
                    CHECK_OK(weft_feed_advance(&feed, at, &err), &err);
                }
                size_t part = end - at < WEFT_FEED_PART ? end - at : WEFT_FEED_PART;
                struct weft_feed_rows rows = weft_feed_rows(&feed, at, part);
                CHECK_UINT(rows.n, part);
                for (size_t i = 0; i < part; i++) {
                    wrong += rows.samples[i] != order[at + i];
                    wrong += rows.targets.classes[rows.first + i] !=
                             weft_dataset_targets(cached).classes[order[at + i]];
                    wrong += memcmp((const char *)rows.x.data + (rows.first + i) * row,
                                    (const char *)x.data + order[at + i] * row, row) != 0;
                }
            }
        }
    }
    CHECK_UINT(wrong, 0);
    weft_feed_release(&feed);
    free(order);
}

static void test_feed_order(void)
{
    static const size_t batches[] = {1, 32, 256, 300, 1000, N};
    for (size_t f = 0; f < N_FORMATS; f++) {
        weft_dataset *cached = load_as(path_of(f), false), *streamed = load_as(path_of(f), true);
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            struct weft_feed_options options = {
                .batch_size = batches[b], .seed = 11 + b, .n_epochs = 4, .buffer = 1};
            check_feed(cached, streamed, options);
            options.shuffle = WEFT_SHUFFLE_BUFFER;
            check_feed(cached, streamed, options);
            options.buffer = 100;
            check_feed(cached, streamed, options);
            options.buffer = 5000;
            check_feed(cached, streamed, options);
            options.shuffle = WEFT_SHUFFLE_FULL;
            if (formats[f].can_seek) {
                check_feed(cached, streamed, options);
            } else {
                weft_error err;
                CHECK_STATUS(weft_feed_check(streamed, WEFT_SHUFFLE_FULL, &err), WEFT_ERR_ARG,
                             &err);
            }
        }
        weft_dataset_free(cached);
        weft_dataset_free(streamed);
    }
}

/* Slots that hold less than a batch: samples of 12 KB make a slot of 256 of them. */
static void test_large_samples(void)
{
    enum { LARGE = 12000, FEW = 700 };
    const uint32_t dims[] = {FEW, LARGE};
    struct bytes x = idx_header(8, dims, 2);
    for (size_t i = 0; i < FEW; i++) {
        for (size_t j = 0; j < LARGE; j++) {
            unsigned char value = (unsigned char)(dice((unsigned)(i * 31 + j)) >> 3);
            bytes_add(&x, &value, 1);
        }
    }
    const char *path = pair_of(write_bytes("large", x), write_bytes("few", labels(FEW)));
    weft_dataset *cached = load_as(path, false), *streamed = load_as(path, true);
    static const size_t batches[] = {10, 100, 512, 600, FEW};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        for (int shuffle = 0; shuffle < WEFT_N_SHUFFLES; shuffle++) {
            check_feed(cached, streamed,
                       (struct weft_feed_options){.batch_size = batches[b],
                                                  .shuffle = (weft_shuffle)shuffle,
                                                  .buffer = 50,
                                                  .seed = 5,
                                                  .n_epochs = 3});
        }
    }
    weft_dataset_free(cached);
    weft_dataset_free(streamed);
}

/* ---- training ---- */

struct log {
    double losses[64], accuracies[64];
    size_t n, stop_at_step;
};

static bool listen(const weft_event *event, void *user)
{
    struct log *log = user;
    if (event->kind == WEFT_EVENT_EPOCH && log->n < 62) {
        log->losses[log->n] = event->train.loss;
        log->accuracies[log->n++] = event->train.accuracy;
        log->losses[log->n] = event->val.loss;
        log->accuracies[log->n++] = event->val.accuracy;
    }
    return log->stop_at_step == 0 || event->kind != WEFT_EVENT_STEP ||
           event->step < log->stop_at_step;
}

struct way {
    size_t batch_size, random_shift;
    weft_shuffle shuffle;
    size_t buffer;
    double clip_norm;
    bool weighted;
};

static const double class_weights[CLASSES] = {1, 0.5, 3, 0, 2};

static weft_train_options options_of(const struct way *way, struct log *log)
{
    weft_train_options options = weft_train_options_default();
    options.epochs = 3;
    options.batch_size = way->batch_size;
    options.lr = 0.05;
    options.random_shift = way->random_shift;
    options.shuffle = way->shuffle;
    options.shuffle_buffer = way->buffer;
    options.clip_norm = way->clip_norm;
    options.class_weights = way->weighted ? class_weights : NULL;
    options.n_class_weights = way->weighted ? CLASSES : 0;
    options.listener = listen;
    options.listener_user = log;
    *log = (struct log){0};
    return options;
}

static weft_net *net_for(const weft_dataset *data)
{
    static const size_t hidden[] = {24, 0};
    weft_net *net = synthetic_net(FEATURES, hidden, WEFT_RELU, CLASSES, WEFT_OUTPUT_SOFTMAX, 3);
    synthetic_scale(net, data, WEFT_SCALE_AUTO);
    return net;
}

/* The parameters after training on the first of the parts, watching the second. */
static float *train_on(weft_dataset *const parts[2], const struct way *way, size_t n_threads,
                       struct log *log)
{
    weft_net *net = net_for(parts[0]);
    weft_context *context = synthetic_context(n_threads);
    weft_train_options options = options_of(way, log);
    weft_error err;
    options.val = parts[1];
    CHECK_OK(weft_train(context, net, parts[0], &options, &err), &err);
    float *params = synthetic_params(net);
    weft_context_free(context);
    weft_net_free(net);
    return params;
}

static void check_way(weft_dataset *const cached[2], weft_dataset *const streamed[2],
                      const struct way *way, const char *name)
{
    static const size_t threads[] = {1, 2, 3, 8};
    struct log wanted_log, log;
    float *wanted = train_on(cached, way, 1, &wanted_log);
    const size_t n_params = FEATURES * 24 + 24 + 24 * CLASSES + CLASSES;
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        float *params = train_on(streamed, way, threads[t], &log);
        bool same = CHECK_BYTES(params, wanted, n_params * sizeof *params);
        same = CHECK_UINT(log.n, 6) && same;
        same = CHECK_BYTES(&log, &wanted_log, sizeof log) && same;
        if (!same) {
            printf(" (%s, batches of %zu, %s, %zu threads)", name, way->batch_size,
                   weft_shuffle_name(way->shuffle), threads[t]);
        }
        free(params);
    }
    free(wanted);
}

static const struct way ways[] = {
    {32, 0, WEFT_SHUFFLE_BUFFER, 200, 0, false},     {32, 0, WEFT_SHUFFLE_NONE, 0, 0, true},
    {300, 0, WEFT_SHUFFLE_BUFFER, 10000, 0.5, true}, {0, 0, WEFT_SHUFFLE_NONE, 0, 0, false},
    {50, 2, WEFT_SHUFFLE_BUFFER, 77, 0, false},      {32, 0, WEFT_SHUFFLE_FULL, 0, 0, false},
};

static void test_same_models(void)
{
    for (size_t f = 0; f < N_FORMATS; f++) {
        weft_dataset *cached = load_as(path_of(f), false), *streamed = load_as(path_of(f), true);
        weft_dataset *parts[2][2];
        weft_error err;
        CHECK_OK(weft_dataset_split(cached, 0.3, 8, &parts[0][0], &parts[0][1], &err), &err);
        CHECK_OK(weft_dataset_split(streamed, 0.3, 8, &parts[1][0], &parts[1][1], &err), &err);
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            bool images = f < 2;
            if ((ways[w].shuffle == WEFT_SHUFFLE_FULL && !formats[f].can_seek) ||
                (ways[w].random_shift > 0 && !images)) {
                continue;
            }
            check_way(parts[0], parts[1], &ways[w], formats[f].name);
        }
        for (size_t p = 0; p < 2; p++) {
            weft_dataset_free(parts[0][p]);
            weft_dataset_free(parts[1][p]);
        }
        weft_dataset_free(cached);
        weft_dataset_free(streamed);
    }
}

static void test_same_scaling(void)
{
    static const weft_scale_kind kinds[] = {WEFT_SCALE_UNIT, WEFT_SCALE_STANDARD, WEFT_SCALE_RMS};
    for (size_t f = 0; f < N_FORMATS; f++) {
        weft_dataset *cached = load_as(path_of(f), false), *streamed = load_as(path_of(f), true);
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            weft_scaling a = {0}, b = {0};
            weft_error err;
            CHECK_OK(weft_scaling_fit(cached, kinds[k], &a, &err), &err);
            CHECK_OK(weft_scaling_fit(streamed, kinds[k], &b, &err), &err);
            CHECK_UINT(b.n, a.n);
            CHECK_BYTES(b.shift, a.shift, a.n * sizeof *a.shift);
            CHECK_BYTES(b.scale, a.scale, a.n * sizeof *a.scale);
            weft_scaling_release(&a);
            weft_scaling_release(&b);
        }
        weft_dataset_free(cached);
        weft_dataset_free(streamed);
    }
}

static void test_same_evaluation(void)
{
    weft_dataset *cached = load_as(path_of(4), false), *streamed = load_as(path_of(4), true);
    weft_net *net = net_for(cached);
    weft_context *context = synthetic_context(2);
    weft_evaluation a, b;
    weft_tensor p = {0}, q = {0};
    weft_error err;
    CHECK_OK(weft_evaluate(context, net, cached, &a, &err), &err);
    CHECK_OK(weft_evaluate(context, net, streamed, &b, &err), &err);
    CHECK_BYTES(&a.loss, &b.loss, sizeof a.loss);
    CHECK_BYTES(&a.accuracy, &b.accuracy, sizeof a.accuracy);
    CHECK_BYTES(a.confusion, b.confusion, sizeof *a.confusion * CLASSES * CLASSES);
    CHECK_OK(weft_tensor_init(&p, WEFT_F32, N, CLASSES), NULL);
    CHECK_OK(weft_tensor_init(&q, WEFT_F32, N, CLASSES), NULL);
    CHECK_OK(weft_predict(context, net, cached, &p, NULL, &err), &err);
    CHECK_OK(weft_predict(context, net, streamed, &q, NULL, &err), &err);
    CHECK_BYTES(q.data, p.data, N * p.ld * sizeof(float));
    weft_tensor few = weft_tensor_view(&p, 0, 0, N - 1, CLASSES);
    CHECK_STATUS(weft_predict(context, net, streamed, &few, NULL, &err), WEFT_ERR_MISMATCH, &err);
    weft_tensor_release(&p);
    weft_tensor_release(&q);
    weft_evaluation_release(&a);
    weft_evaluation_release(&b);
    weft_context_free(context);
    weft_net_free(net);
    weft_dataset_free(cached);
    weft_dataset_free(streamed);
}

/* ---- what goes wrong ---- */

/* Frees the network. */
static weft_status try_to_train(weft_net *net, const weft_dataset *data, const struct way *way,
                                size_t stop_at_step, weft_error *err)
{
    struct log log;
    weft_context *context = synthetic_context(3);
    weft_train_options options = options_of(way, &log);
    options.epochs = 1000;
    log.stop_at_step = stop_at_step;
    weft_status status = weft_train(context, net, data, &options, err);
    weft_net_free(net);
    weft_context_free(context);
    return status;
}

static void test_full_shuffle_refused(void)
{
    weft_dataset *data = load_as(path_of(0), true);
    weft_error err;
    CHECK_STATUS(try_to_train(net_for(data), data, &ways[5], 0, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "full shuffle");
    weft_dataset_free(data);
}

/* Runs that stop anywhere leave no thread behind, which would still read its data set. */
static void test_stops(void)
{
    static const size_t steps[] = {1, 2, 30, 36, 69, 70, 71};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        weft_dataset *data = load_as(path_of(s % N_FORMATS), true);
        weft_error err;
        CHECK_STATUS(try_to_train(net_for(data), data, &ways[0], steps[s], &err), WEFT_ERR_STOPPED,
                     &err);
        weft_dataset_free(data);
    }
}

/* Cuts a file short once it is known, so that reading it again must fail. */
static void check_cut(const char *path, const char *file, size_t n_left, size_t way,
                      const char *part)
{
    weft_dataset *data = load_as(path, true);
    weft_net *net = net_for(data);
    weft_error err;
    CHECK_INT(truncate(file, (off_t)n_left), 0);
    CHECK_STATUS(try_to_train(net, data, &ways[way], 0, &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, part);
    weft_dataset_free(data);
}

static void test_files_that_shrink(void)
{
    for (size_t way = 0; way < 3; way++) {
        struct bytes i = zipped(images(N)), t = table(true);
        size_t half_i = i.n / 2, half_t = t.n / 2;
        while (t.at[half_t - 1] != '\n') {
            half_t--;
        }
        const char *file = write_bytes("short.gz", i);
        check_cut(pair_of(file, write_bytes("all", labels(N))), file, half_i, way, "short.gz");
        file = write_bytes("short.csv", t);
        check_cut(file, file, half_t, way, "had 1100 when it was first read");
    }
    /* A sample of all is read first, so this is seen before the first step. */
    struct bytes i = images(N);
    const char *file = write_bytes("short", i);
    check_cut(pair_of(file, write_bytes("all", labels(N))), file, 3000, 5, "short");
}

/* Damage that the header does not show is met in the epoch. */
static void test_damage(void)
{
    enum { MANY = 20000 }; /* more than what is read ahead */
    struct bytes i = zipped(images(MANY));
    i.at[i.n - 6] ^= 1; /* the check sum */
    const char *path = pair_of(write_bytes("damaged.gz", i), write_bytes("all", labels(MANY)));
    weft_dataset *data = load_as(path, true);
    weft_error err;
    CHECK_STATUS(try_to_train(net_for(data), data, &ways[1], 0, &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, "check sum");
    weft_dataset_free(data);
}

/* A number that is none is found in the first pass, with its place. */
static void test_not_finite(void)
{
    struct bytes x = array(" 36", "<f4", FEATURES);
    const float nan = (float)NAN;
    memcpy(x.at + 128 + (777 * FEATURES + 5) * sizeof nan, &nan, sizeof nan);
    const char *path =
        pair_of(write_bytes("nan.npy", x), write_bytes("y.npy", array("", "|u1", 1)));
    weft_dataset_options options = weft_dataset_options_default();
    options.most_bytes = 1;
    REFUSES(path, &options, WEFT_ERR_FORMAT, "feature 5 of sample 777", "nan");
}

static void test_lack_of_memory(void)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.most_bytes = 1;
    for (size_t f = 0; f < N_FORMATS; f++) {
        weft_dataset *data = NULL;
        weft_error err;
        weft_status status = WEFT_ERR_NOMEM;
        for (size_t i = 1; status != WEFT_OK && i < 1000; i++) {
            weft_mem_fail_at(i);
            status = weft_dataset_load(path_of(f), &options, &data, &err);
            weft_mem_fail_at(0);
            if (status != WEFT_OK) {
                CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
            }
        }
        CHECK_INT(status, WEFT_OK);
        struct weft_feed_options how = {
            .batch_size = 10, .shuffle = WEFT_SHUFFLE_BUFFER, .buffer = 10, .n_epochs = 1};
        status = WEFT_ERR_NOMEM;
        for (size_t i = 1; status != WEFT_OK && i < 1000; i++) {
            struct weft_feed feed;
            weft_mem_fail_at(i);
            status = weft_feed_init(&feed, data, &how, &err);
            weft_mem_fail_at(0);
            weft_feed_release(&feed);
        }
        CHECK_INT(status, WEFT_OK);
        weft_dataset_free(data);
    }
}

static CU_TestInfo data_tests[] = {
    {"same data", test_same_data},   {"some in memory", test_some_in_memory}, {"limit", test_limit},
    {"not finite", test_not_finite}, {"lack of memory", test_lack_of_memory}, CU_TEST_INFO_NULL,
};

static CU_TestInfo feed_tests[] = {
    {"order", test_feed_order},
    {"large samples", test_large_samples},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo train_tests[] = {
    {"same models", test_same_models},
    {"same scaling", test_same_scaling},
    {"same evaluation", test_same_evaluation},
    {"full shuffle refused", test_full_shuffle_refused},
    {"stops", test_stops},
    {"files that shrink", test_files_that_shrink},
    {"damage", test_damage},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"data", NULL, NULL, NULL, NULL, data_tests},
    {"feed", NULL, NULL, NULL, NULL, feed_tests},
    {"train", NULL, NULL, NULL, NULL, train_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
