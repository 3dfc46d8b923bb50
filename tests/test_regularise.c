/* What training does to samples and hidden units at random: kernels against scalar generators and
 * libm, gradients through it against central differences of a plain implementation in double
 * precision, and the promise of the same bits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "harness.h"
#include "kernels/kernels.h"
#include "nn/layers.h"
#include "nn/pass.h"
#include "ops/team.h"
#include "plain_net.h"
#include "reference.h"
#include "synthetic.h"

#include <weft/weft.h>

/* ---- draws ---- */

/* Word k of the Philox counter of these four words, under this seed. */
static uint32_t philox_word(uint64_t seed, const uint32_t counter[4], size_t k)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4];
    weft_philox4x32(counter, key, words);
    return words[k];
}

/* Number j, of 16 bits, that decides about unit j of a sample: as ops/perturb.h and the kernels
 * promise, written down again. Inputs are layer 0. */
static uint32_t drop_number(uint64_t seed, size_t epoch, size_t layer, size_t sample, size_t j)
{
    const uint32_t counter[4] = {(uint32_t)(16 * (j / 128) + j % 16), (uint32_t)sample,
                                 (uint32_t)epoch, (uint32_t)WEFT_RNG_DROP << 16 | (uint32_t)layer};
    return philox_word(seed, counter, j / 32 % 4) >> (j / 16 % 2 * 16) & 0xFFFFu;
}

/* Normal number j of a sample, by libm. */
static double normal_number(uint64_t seed, size_t epoch, size_t sample, size_t j)
{
    const uint32_t counter[4] = {(uint32_t)(16 * (j / 64) + j % 16), (uint32_t)sample,
                                 (uint32_t)epoch, (uint32_t)WEFT_RNG_NOISE << 16};
    size_t pair = j / 32 % 2;
    /* Rounded to float32, which matters where it is near 1. */
    float u = (float)(philox_word(seed, counter, 2 * pair) >> 8) * 0x1p-24f + 0x1p-25f;
    double v = ((int32_t)philox_word(seed, counter, 2 * pair + 1) >> 8) * 0x1p-24;
    double size = sqrt(-2 * log((double)u)), angle = 2 * 3.14159265358979323846 * v;
    return size * (j / 16 % 2 == 0 ? cos(angle) : sin(angle));
}

/* A row of n numbers as a part of one sample. */
static void perturb_row(const struct weft_perturb *perturb, size_t sample, size_t n, float *row)
{
    weft_context *context = synthetic_context(1);
    weft_tensor x = weft_tensor_borrow(WEFT_F32, row, 1, n, n);
    struct weft_row_names names = {.first = sample};
    weft_perturb_team(context, perturb, &names, &x);
    weft_context_free(context);
}

static void inputs_are_dropped_as_promised(void)
{
    enum { N = 2000 };
    const double shares[] = {1e-9, 0.2, 0.5, 0.99999};
    for (size_t k = 0; k < 4; k++) {
        struct weft_perturb perturb = {
            .seed = 0x123456789ABC, .epoch = 7, .input_dropout = shares[k]};
        uint32_t threshold = (uint32_t)fmin(fmax(floor(shares[k] * 65536 + 0.5), 1), 65535);
        float row[N];
        size_t n_dropped = 0;
        for (size_t j = 0; j < N; j++) {
            row[j] = (float)(j + 1);
        }
        perturb_row(&perturb, 31, N, row);
        for (size_t j = 0; j < N; j++) {
            bool drops = drop_number(perturb.seed, 7, 0, 31, j) < threshold;
            float scale = (float)(65536.0 / (65536 - threshold));
            n_dropped += drops;
            CHECK(row[j] == (drops ? 0 : (float)(j + 1) * scale));
        }
        CHECK_NEAR((double)n_dropped / N, shares[k], 0.05);
    }
}

/* Each number within a few units of float32, and their moments and tails. */
static void noise_is_normal(void)
{
    enum { N = 3000, SAMPLES = 100 };
    double sums[5] = {0}, worst = 0, most = 0;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        struct weft_perturb perturb = {.seed = 99, .epoch = 3, .input_noise = 1};
        float row[N] = {0};
        perturb_row(&perturb, sample, N, row);
        for (size_t j = 0; j < N; j++) {
            double x = (double)row[j], wanted = normal_number(99, 3, sample, j);
            worst = fmax(worst, fabs(x - wanted));
            most = fmax(most, fabs(x));
            for (int power = 1; power <= 4; power++) {
                sums[power] += pow(x, power) / (N * SAMPLES);
            }
        }
    }
    CHECK_NEAR(worst, 0, 2e-6);
    CHECK_NEAR(sums[1], 0, 0.01); /* five standard errors of 300,000 numbers */
    CHECK_NEAR(sums[2], 1, 0.013);
    CHECK_NEAR(sums[3], 0, 0.036);
    CHECK_NEAR(sums[4], 3, 0.09);
    CHECK(most > 4 && most < 5.9);
}

static void same_draws_in_every_set(void)
{
    enum { N = 1000 };
    const struct weft_kernel_set *generic = weft_kernel_set_at(weft_kernel_set_count() - 1);
    weft_context *context = synthetic_context(1);
    const struct weft_draw draw = {{5, 6}, 0xFFFFFFF0u, {7, 8, 9}};
    for (size_t n = 1; n <= N; n += n < 140 ? 1 : 97) {
        uint8_t keep[2][N + 1];
        float x[2][N + 1], masked[2][N + 1];
        for (int k = 0; k < 2; k++) {
            const struct weft_kernel_set *kernels = k == 0 ? generic : context->kernels;
            memset(keep[k], 7, sizeof keep[k]);
            memset(masked[k], 0, sizeof masked[k]);
            for (size_t j = 0; j <= N; j++) {
                x[k][j] = 1 / (float)(j + 1);
            }
            kernels->add_noise(&draw, 0.3f, n, x[k]);
            kernels->draw_keep(&draw, 30000, n, keep[k]);
            kernels->mask(1, n, keep[k], 0, 1.7f, x[k], 0, masked[k], 0);
            CHECK_UINT(keep[k][n], 7); /* nothing is written beyond */
            CHECK(x[k][n] == 1 / (float)(n + 1));
        }
        CHECK_BYTES(keep[0], keep[1], sizeof keep[0]);
        CHECK_BYTES(x[0], x[1], sizeof x[0]);
        CHECK_BYTES(masked[0], masked[1], sizeof masked[0]);
    }
    weft_context_free(context);
}

/* ---- gradients ---- */

enum { MAX_WIDTH = 80, BATCH = 37 };

/* A network, a batch, and what is done to it. */
struct problem {
    struct plain_net plain;
    weft_net *net;
    weft_dataset *data;
    struct weft_perturb perturb;
    float label_smoothing;
    size_t n_params;
    double *params, *x, *targets;
    uint8_t *keep; /* [layers][BATCH][MAX_WIDTH] */
};

static void make_keep(struct problem *p)
{
    p->keep = reference_alloc(PLAIN_MAX_LAYERS * BATCH, MAX_WIDTH);
    for (size_t l = 0; l + 1 < p->plain.n_layers; l++) {
        uint8_t *keep = p->keep + l * BATCH * MAX_WIDTH;
        uint32_t threshold = (uint32_t)(p->perturb.dropout * 65536 + 0.5);
        for (size_t b = 0; b < BATCH; b++) {
            for (size_t j = 0; j < p->plain.width[l + 1]; j++) {
                keep[b * p->plain.width[l + 1] + j] =
                    drop_number(p->perturb.seed, p->perturb.epoch, l + 1, b, j) >= threshold;
            }
        }
        p->plain.keep[l] = p->perturb.dropout > 0 ? keep : NULL;
    }
    p->plain.keep_scale = 65536 / (65536 - floor(p->perturb.dropout * 65536 + 0.5));
}

/* What the passes see of the inputs, without the library's noise. */
static void make_inputs(struct problem *p)
{
    weft_tensor x = weft_dataset_x(p->data);
    size_t n = x.cols;
    p->x = reference_alloc(BATCH * n, sizeof *p->x);
    uint32_t threshold = (uint32_t)(p->perturb.input_dropout * 65536 + 0.5);
    for (size_t b = 0; b < BATCH; b++) {
        for (size_t j = 0; j < n; j++) {
            double value = (double)((const float *)x.data)[b * x.ld + j];
            value +=
                p->perturb.input_noise * normal_number(p->perturb.seed, p->perturb.epoch, b, j);
            bool drops = drop_number(p->perturb.seed, p->perturb.epoch, 0, b, j) < threshold;
            p->x[b * n + j] = drops ? 0 : value * 65536 / (65536 - threshold);
        }
    }
}

static void make_targets(struct problem *p)
{
    weft_targets targets = weft_dataset_targets(p->data);
    size_t c = p->plain.width[p->plain.n_layers];
    double smoothing = (double)p->label_smoothing;
    p->targets = reference_alloc(BATCH * c, sizeof *p->targets);
    for (size_t b = 0; b < BATCH; b++) {
        for (size_t j = 0; j < c; j++) {
            bool is_class = targets.kind == WEFT_LABELS_CLASSES;
            double y = !is_class ? (double)targets.values[b * c + j]
                       : c == 1  ? targets.classes[b]
                                 : (size_t)targets.classes[b] == j;
            p->targets[b * c + j] =
                (1 - smoothing) * y + smoothing / (c == 1 || !is_class ? 2 : (double)c);
        }
    }
}

static const struct way {
    const char *name;
    double dropout, input_dropout, input_noise;
    float label_smoothing;
    weft_norm norm;
} ways[] = {
    {"dropout", 0.5, 0, 0, 0, WEFT_NORM_NONE},
    {"a little dropout", 0.1, 0, 0, 0, WEFT_NORM_NONE},
    {"input dropout", 0, 0.3, 0, 0, WEFT_NORM_NONE},
    {"noise", 0, 0, 0.5, 0, WEFT_NORM_NONE},
    {"label smoothing", 0, 0, 0, 0.2f, WEFT_NORM_NONE},
    {"all", 0.25, 0.1, 0.2, 0.1f, WEFT_NORM_NONE},
    {"batch normalisation", 0, 0, 0, 0, WEFT_NORM_BATCH},
    {"layer normalisation", 0, 0, 0, 0, WEFT_NORM_LAYER},
    {"batch normalisation and all", 0.25, 0.1, 0.2, 0.1f, WEFT_NORM_BATCH},
    {"layer normalisation and all", 0.25, 0.1, 0.2, 0.1f, WEFT_NORM_LAYER},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static weft_net *normalised_net(size_t n_inputs, const size_t *hidden, weft_activation f,
                                size_t n_outputs, weft_output output, weft_norm norm)
{
    weft_net_options options = {
        .n_inputs = n_inputs, .n_outputs = n_outputs, .hidden = hidden, .output = output};
    weft_activation fs[PLAIN_MAX_LAYERS];
    weft_norm norms[PLAIN_MAX_LAYERS];
    weft_net *net = NULL;
    weft_error err;
    for (; hidden[options.n_hidden] != 0; options.n_hidden++) {
        fs[options.n_hidden] = f;
        norms[options.n_hidden] = norm;
    }
    options.activations = fs;
    options.norms = norms;
    CU_ASSERT_FATAL(CHECK_OK(weft_net_new(&options, &net, &err), &err));
    CHECK_OK(weft_net_init(net, WEFT_INIT_AUTO, 0, 3, &err), &err);
    return net;
}

/* Biases that are 0 would put units all of whose inputs are dropped on the kink of relu. */
static void draw_biases(weft_net *net)
{
    float *params = synthetic_params(net);
    for (size_t k = 0; k < weft_net_n_params(net); k++) {
        float more = (float)(0.3 * weft_rng_normal(4, 1, k));
        params[k] += params[k] == 0 || params[k] == 1 ? more : 0;
    }
    weft_net_set_params(net, params);
    free(params);
}

static void problem_init(struct problem *p, const struct way *way, weft_activation f,
                         weft_output output, size_t index)
{
    static const size_t shapes[][4] = {{33, 20, 9, 0}, {MAX_WIDTH, 0}, {16, 70, 0}};
    const size_t *hidden = shapes[index % 3];
    size_t n_out = output == WEFT_OUTPUT_SOFTMAX ? 5 : 1 + index % 2 * 2;
    *p = (struct problem){.label_smoothing =
                              output == WEFT_OUTPUT_IDENTITY ? 0 : way->label_smoothing};
    p->perturb = (struct weft_perturb){.seed = 17 + index,
                                       .epoch = 5,
                                       .dropout = way->dropout,
                                       .input_dropout = way->input_dropout,
                                       .input_noise = way->input_noise};
    bool classes = output == WEFT_OUTPUT_SOFTMAX || (output == WEFT_OUTPUT_SIGMOID && n_out == 1);
    p->data = classes ? synthetic_classes(WEFT_F32, BATCH, 19, n_out == 1 ? 2 : n_out, 0.6, index)
                      : synthetic_values(BATCH, 19, n_out, index);
    p->net = normalised_net(19, hidden, f, n_out, output, way->norm);
    draw_biases(p->net);
    p->n_params = weft_net_n_params(p->net);
    p->plain = plain_net_of(p->net);
    p->params = plain_params(p->net);
    make_keep(p);
    make_inputs(p);
    make_targets(p);
}

static void problem_release(struct problem *p)
{
    weft_net_free(p->net);
    weft_dataset_free(p->data);
    free(p->params);
    free(p->x);
    free(p->targets);
    free(p->keep);
}

struct gradient_job {
    struct weft_pass pass;
    struct weft_part part;
    float *block;
};

static void gradient_team(void *arg)
{
    struct gradient_job *job = arg;
    weft_pass_forward_team(&job->pass, &job->part);
    weft_pass_loss_team(&job->pass, &job->part, 1.0f / BATCH);
    weft_pass_backward_team(&job->pass, &job->part, job->block, false, NULL);
}

/* The library's gradient of the mean loss, which is returned. */
static double library_gradient(const struct problem *p, float *gradient)
{
    weft_tensor x = weft_dataset_x(p->data);
    weft_targets targets = weft_dataset_targets(p->data);
    weft_context *context = synthetic_context(2);
    weft_error err;
    struct gradient_job job = {.part = {.x = &x,
                                        .targets = &targets,
                                        .n = BATCH,
                                        .label_smoothing = p->label_smoothing,
                                        .perturb = &p->perturb}};
    job.block = calloc(p->net->block_len, sizeof *job.block);
    CU_ASSERT_FATAL(CHECK_OK(
        weft_pass_init(&job.pass, WEFT_PASS_BACKWARD, context, p->net, &x, BATCH, &err), &err));
    CU_ASSERT_FATAL(CHECK_OK(weft_pass_allow(&job.pass, &p->perturb, &err), &err));
    weft_team_run(context, gradient_team, &job);
    struct weft_loss_sum sum = {0};
    weft_pass_add_loss(&job.pass, BATCH, &sum);
    weft_block_export(p->net, job.block, gradient);
    weft_pass_release(&job.pass);
    weft_context_free(context);
    free(job.block);
    return sum.loss / BATCH;
}

static double plain_loss_of(const struct problem *p, const double *params, int *signs)
{
    return plain_loss(&p->plain, params, p->x, p->targets, BATCH, signs);
}

/* Central differences along random directions; those that cross a kink are drawn anew. */
static bool check_direction(const struct problem *p, const float *gradient, uint64_t number)
{
    const double h = 1e-5;
    double *d = reference_alloc(2 * p->n_params, sizeof *d), *moved = d + p->n_params;
    double gd = 0, length = 0, size = 0, loss[2];
    int signs[2] = {0};
    for (size_t k = 0; k < p->n_params; k++) {
        d[k] = weft_rng_normal(7, number, k);
        length += d[k] * d[k];
    }
    for (size_t k = 0; k < p->n_params; k++) {
        d[k] /= sqrt(length);
        gd += (double)gradient[k] * d[k];
        size += (double)gradient[k] * (double)gradient[k];
    }
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < p->n_params; k++) {
            moved[k] = p->params[k] + (side == 0 ? -h : h) * d[k];
        }
        loss[side] = plain_loss_of(p, moved, &signs[side]);
    }
    free(d);
    double fd = (loss[1] - loss[0]) / (2 * h);
    if (signs[0] != signs[1]) {
        return false;
    }
    double floor = 1e-3 * sqrt(size);
    CHECK_NEAR(gd, fd, 1e-3 * fmax(fabs(fd), floor));
    CHECK(fabs(fd) <= floor || (gd > 0) == (fd > 0));
    return true;
}

static void check_problem(const struct problem *p, const char *name)
{
    float *gradient = reference_alloc(p->n_params, sizeof *gradient);
    double loss = library_gradient(p, gradient), wanted = plain_loss_of(p, p->params, NULL);
    if (!CHECK_NEAR(loss, wanted, 1e-5 * fabs(wanted))) {
        printf(" (%s)", name);
    }
    size_t n_done = 0;
    for (uint64_t number = 0; n_done < 4 && number < 200; number++) {
        n_done += check_direction(p, gradient, number);
    }
    CHECK_UINT(n_done, 4);
    free(gradient);
}

static void gradients_through_what_is_random(void)
{
    static const weft_activation fs[] = {WEFT_RELU, WEFT_TANH, WEFT_GELU,    WEFT_SELU,
                                         WEFT_SILU, WEFT_ELU,  WEFT_SIGMOID, WEFT_LEAKY_RELU};
    for (size_t k = 0; k < N_WAYS * 9; k++) {
        struct problem p;
        problem_init(&p, &ways[k % N_WAYS], fs[k % 8], (weft_output)(k / N_WAYS % 3), k);
        check_problem(&p, ways[k % N_WAYS].name);
        problem_release(&p);
    }
}

/* ---- training ---- */

static weft_train_options options_of(const struct way *way)
{
    weft_train_options options = weft_train_options_default();
    options.epochs = 2;
    options.lr = 0.05;
    options.dropout = way->dropout;
    options.input_dropout = way->input_dropout;
    options.input_noise = way->input_noise;
    options.label_smoothing = (double)way->label_smoothing;
    return options;
}

/* With gammas, betas, running means and variances. */
enum { TRAINED_PARAMS = 22 * 40 + 41 * 9 + 10 * 4 + 4 * (40 + 9) };

/* What a run comes to; free() it. */
static float *trained(const weft_dataset *data, const weft_train_options *options, weft_norm norm,
                      size_t n_threads, weft_precision precision)
{
    static const size_t hidden[] = {40, 9, 0};
    weft_context_options where = weft_context_options_default();
    weft_context *context = NULL;
    weft_error err;
    where.n_threads = n_threads;
    where.precision = precision;
    CU_ASSERT_FATAL(CHECK_OK(weft_context_new(&where, &context, &err), &err));
    context->flop_per_thread = 0; /* however small the work is */
    weft_net *net = normalised_net(21, hidden, WEFT_TANH, 4, WEFT_OUTPUT_SOFTMAX, norm);
    CHECK_OK(weft_train(context, net, data, options, &err), &err);
    CU_ASSERT_FATAL(weft_net_n_params(net) + weft_net_n_statistics(net) <= TRAINED_PARAMS);
    float *params = calloc(TRAINED_PARAMS, sizeof *params);
    weft_net_get_params(net, params);
    weft_net_get_statistics(net, params + weft_net_n_params(net));
    weft_context_free(context);
    weft_net_free(net);
    return params;
}

/* Batches of one part, of two, of the whole set over several epochs; in both precisions. */
static void same_bits_on_any_threads(void)
{
    static const size_t threads[] = {2, 3, 8}, batches[] = {32, 300, 0};
    weft_dataset *data = synthetic_classes(WEFT_F32, 600, 21, 4, 0.6, 11);
    for (size_t k = 0; k < N_WAYS * 3 * 2; k++) {
        weft_train_options options = options_of(&ways[k / 6]);
        weft_precision precision = k % 2 == 0 ? WEFT_PRECISION_F32 : WEFT_PRECISION_BF16;
        options.batch_size = batches[k / 2 % 3];
        options.epochs = options.batch_size == 0 ? 9 : 2;
        weft_norm norm = ways[k / 6].norm;
        if (norm == WEFT_NORM_BATCH && options.batch_size != 32) {
            options.batch_size =
                options.batch_size == 0 ? 256 : 199; /* the last one of 3 samples */
            options.clip_norm = 0.5;
            options.ema = 0.9;
        }
        float *wanted = trained(data, &options, norm, 1, precision);
        for (size_t t = 0; t < (HARNESS_EMULATED ? 1 : 3); t++) {
            float *got = trained(data, &options, norm, threads[t], precision);
            if (!CHECK_BYTES(got, wanted, TRAINED_PARAMS * sizeof *got)) {
                printf(" (%s, batches of %zu, %zu threads)", ways[k / 6].name, options.batch_size,
                       threads[t]);
            }
            free(got);
        }
        /* What it does is not nothing. */
        weft_train_options plain = options;
        plain.dropout = plain.input_dropout = plain.input_noise = plain.label_smoothing = 0;
        float *without = trained(data, &plain, WEFT_NORM_NONE, 1, precision);
        CHECK(memcmp(wanted, without, TRAINED_PARAMS * sizeof *wanted) != 0);
        free(without);
        free(wanted);
    }
    weft_dataset_free(data);
}

/* The same samples in batches of other sizes are dropped alike: the sum of the gradients over parts
 * is the gradient of the whole, which two runs of one step each with full batches show. */
static void parts_do_not_matter(void)
{
    weft_dataset *data = synthetic_classes(WEFT_F32, 512, 21, 4, 0.6, 11);
    weft_train_options options = options_of(&ways[5]);
    options.epochs = 1;
    options.batch_size = 0;
    options.schedule = WEFT_LR_CONSTANT;
    float *whole = trained(data, &options, WEFT_NORM_NONE, 2, WEFT_PRECISION_F32);
    weft_net *net =
        synthetic_net(21, (const size_t[]){40, 9, 0}, WEFT_TANH, 4, WEFT_OUTPUT_SOFTMAX, 3);
    float *start = synthetic_params(net);
    /* One step over all: start - lr g. In halves, without shuffling, from the same start each. */
    double worst = 0, most = 0;
    float *halves[2];
    for (int half = 0; half < 2; half++) {
        uint32_t rows[256];
        for (uint32_t i = 0; i < 256; i++) {
            rows[i] = (uint32_t)half * 256 + i;
        }
        struct gradient_job job = {.part = {.rows = rows, .n = 256}};
        weft_tensor x = weft_dataset_x(data);
        weft_targets targets = weft_dataset_targets(data);
        struct weft_perturb perturb = {.seed = options.seed,
                                       .dropout = options.dropout,
                                       .input_dropout = options.input_dropout,
                                       .input_noise = options.input_noise};
        weft_context *context = synthetic_context(1);
        weft_error err;
        job.part.x = &x;
        job.part.targets = &targets;
        job.part.perturb = &perturb;
        job.part.label_smoothing = (float)options.label_smoothing;
        job.block = calloc(net->block_len, sizeof *job.block);
        CHECK_OK(weft_pass_init(&job.pass, WEFT_PASS_BACKWARD, context, net, &x, 256, &err), &err);
        CHECK_OK(weft_pass_allow(&job.pass, &perturb, &err), &err);
        weft_team_run(context, gradient_team, &job);
        halves[half] = reference_alloc(TRAINED_PARAMS, sizeof *halves[half]);
        weft_block_export(net, job.block, halves[half]);
        weft_pass_release(&job.pass);
        weft_context_free(context);
        free(job.block);
    }
    for (size_t k = 0; k < weft_net_n_params(net); k++) {
        /* gradient_team() weighs by 1 / BATCH */
        double g = ((double)halves[0][k] + (double)halves[1][k]) * BATCH / 512;
        double step = (double)start[k] - (double)whole[k];
        worst = fmax(worst, fabs(step - options.lr * g));
        most = fmax(most, fabs(step));
    }
    CHECK(worst < 1e-5 * fmax(most, 0.01) + 1e-7);
    free(halves[0]);
    free(halves[1]);
    free(whole);
    free(start);
    weft_net_free(net);
    weft_dataset_free(data);
}

static bool stop_at_once(const weft_event *event, void *user)
{
    *(weft_score *)user = event->kind == WEFT_EVENT_STEP ? event->train : *(weft_score *)user;
    return event->kind != WEFT_EVENT_STEP;
}

/* Scores of samples as they are: with half of everything dropped, the evaluation before and after
 * is that of the network itself. */
static void evaluation_is_without(void)
{
    static const size_t hidden[] = {40, 0};
    weft_dataset *data = synthetic_classes(WEFT_F32, 60, 21, 4, 0.3, 5);
    weft_net *net = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
    weft_context *context = synthetic_context(2);
    weft_evaluation before = {0}, after = {0};
    weft_error err;
    weft_score step = {0};
    CHECK_OK(weft_evaluate(context, net, data, &before, &err), &err);
    weft_train_options options = weft_train_options_default();
    options.epochs = 1;
    options.lr = 1e-30;
    options.batch_size = 0;
    options.dropout = 0.5;
    options.listener = stop_at_once;
    options.listener_user = &step;
    weft_status status = weft_train(context, net, data, &options, &err);
    CHECK(status == WEFT_OK || status == WEFT_ERR_STOPPED);
    CHECK_OK(weft_evaluate(context, net, data, &after, &err), &err);
    CHECK(before.loss == after.loss);
    CHECK(fabs(step.loss - before.loss) > 1e-3);
    weft_evaluation_release(&before);
    weft_evaluation_release(&after);
    weft_net_free(net);
    weft_context_free(context);
    weft_dataset_free(data);
}

/* A trained network predicts by its running statistics: as it is, folded, and read back from a
 * file; and as the plain formula says. */
static void normalised_predictions(void)
{
    enum { N = 70 };
    static const size_t hidden[] = {40, 9, 0};
    weft_dataset *data = synthetic_classes(WEFT_F32, N, 21, 4, 0.6, 11);
    weft_context *context = synthetic_context(2);
    const char *path = harness_write_file("normalised.safetensors", "", 0);
    for (weft_norm norm = WEFT_NORM_BATCH; norm < WEFT_N_NORMS; norm++) {
        weft_net *net = normalised_net(21, hidden, WEFT_GELU, 4, WEFT_OUTPUT_SOFTMAX, norm);
        weft_net *folded = NULL, *read = NULL;
        weft_train_options options = weft_train_options_default();
        weft_error err;
        float z[3][N * 4];
        options.epochs = 3;
        options.lr = 0.05;
        CHECK_OK(weft_train(context, net, data, &options, &err), &err);
        CHECK_OK(weft_net_fold(net, &folded, &err), &err);
        CHECK_OK(weft_model_save(net, path, &err), &err);
        CHECK_OK(weft_model_load(path, NULL, &read, &err), &err);
        CHECK_INT(weft_net_norm(folded, 1), norm == WEFT_NORM_BATCH ? WEFT_NORM_NONE : norm);
        CHECK_INT(weft_net_norm(read, 1), norm);
        CHECK_UINT(weft_net_n_statistics(net), norm == WEFT_NORM_BATCH ? 98 : 0);
        CHECK_UINT(weft_net_n_params(net), 22 * 40 + 41 * 9 + 10 * 4 + 2 * 49);
        const weft_net *nets[] = {net, folded, read};
        for (size_t k = 0; k < 3; k++) {
            weft_tensor x = weft_dataset_x(data);
            weft_tensor logits = weft_tensor_borrow(WEFT_F32, z[k], N, 4, 4);
            CHECK_OK(weft_net_forward(context, nets[k], &x, &logits, &err), &err);
        }
        CHECK_BYTES(z[0], z[1], sizeof z[0]); /* predictions are those of the folded network */
        CHECK_BYTES(z[0], z[2], sizeof z[0]);
        weft_net_free(net);
        weft_net_free(folded);
        weft_net_free(read);
    }
    weft_context_free(context);
    weft_dataset_free(data);
}

/* Running statistics after one step are 0.9 (0, 1) + 0.1 of the batch, the variance unbiased;
 * folding does what its formula says. */
static void statistics_of_a_step(void)
{
    enum { N = 20, IN = 3, OUT = 18 };
    static const size_t hidden[] = {OUT, 0};
    weft_dataset *data = synthetic_classes(WEFT_F32, N, IN, 2, 0.6, 4);
    weft_context *context = synthetic_context(2);
    weft_net *net = normalised_net(IN, hidden, WEFT_RELU, 2, WEFT_OUTPUT_SOFTMAX, WEFT_NORM_BATCH);
    weft_net *folded = NULL;
    weft_train_options options = weft_train_options_default();
    weft_error err;
    float *start = synthetic_params(net), statistics[2 * OUT];
    weft_tensor x = weft_dataset_x(data);
    options.epochs = 1;
    options.batch_size = N;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    weft_net_get_statistics(net, statistics);
    for (size_t o = 0; o < OUT; o++) {
        double z[N], mean = 0, var = 0;
        for (size_t b = 0; b < N; b++) {
            z[b] = (double)start[IN * OUT + o];
            for (size_t i = 0; i < IN; i++) {
                z[b] += (double)start[o * IN + i] * (double)((const float *)x.data)[b * x.ld + i];
            }
            mean += z[b] / N;
        }
        for (size_t b = 0; b < N; b++) {
            var += (z[b] - mean) * (z[b] - mean) / (N - 1);
        }
        CHECK_NEAR((double)statistics[o], 0.1 * mean, 1e-6);
        CHECK_NEAR((double)statistics[OUT + o], 0.9 + 0.1 * var, 1e-6);
    }
    float *params = synthetic_params(net), *flat = NULL;
    CHECK_OK(weft_net_fold(net, &folded, &err), &err);
    flat = synthetic_params(folded);
    for (size_t o = 0; o < OUT; o++) {
        const float *gamma = params + (IN + 1) * OUT, *beta = gamma + OUT;
        double s = (double)gamma[o] / sqrt((double)statistics[OUT + o] + 1e-5);
        for (size_t i = 0; i < IN; i++) {
            CHECK_NEAR((double)flat[o * IN + i], s * (double)params[o * IN + i], 1e-6);
        }
        double bias = s * (double)(params[IN * OUT + o] - statistics[o]) + (double)beta[o];
        CHECK_NEAR((double)flat[IN * OUT + o], bias, 1e-6);
    }
    free(start);
    free(params);
    free(flat);
    weft_net_free(net);
    weft_net_free(folded);
    weft_context_free(context);
    weft_dataset_free(data);
}

/* The network, the data and the steps of golden/norms.py, which says how the numbers were made. */
enum { GOLDEN_IN = 5, GOLDEN_HIDDEN = 18, GOLDEN_OUT = 3, GOLDEN_SAMPLES = 12 };
enum { GOLDEN_PARAMS = (GOLDEN_IN + 3) * GOLDEN_HIDDEN + (GOLDEN_HIDDEN + 1) * GOLDEN_OUT };
enum { GOLDEN_VALUES = GOLDEN_PARAMS + 2 * GOLDEN_HIDDEN };

static weft_dataset *golden_data(void)
{
    float x[GOLDEN_SAMPLES * GOLDEN_IN];
    int32_t y[GOLDEN_SAMPLES];
    for (int i = 0; i < GOLDEN_SAMPLES; i++) {
        for (int j = 0; j < GOLDEN_IN; j++) {
            x[i * GOLDEN_IN + j] = (float)((7 * i + 3 * j + i * j) % 11 - 5) / 4;
        }
        y[i] = (i * i + i / 2) % GOLDEN_OUT;
    }
    return synthetic_from(x, GOLDEN_SAMPLES, GOLDEN_IN, y, GOLDEN_OUT, NULL, 0);
}

/* What "batch sgd clipped" and the like come to. */
static void train_golden(const char *title, const weft_dataset *data, float *values)
{
    static const size_t hidden[] = {GOLDEN_HIDDEN, 0};
    weft_norm norm = title[0] == 'b' ? WEFT_NORM_BATCH : WEFT_NORM_LAYER;
    weft_net *net =
        normalised_net(GOLDEN_IN, hidden, WEFT_TANH, GOLDEN_OUT, WEFT_OUTPUT_SOFTMAX, norm);
    weft_context *context = synthetic_context(2);
    weft_train_options options = weft_train_options_default();
    weft_error err;
    bool has_momentum = strstr(title, "momentum") != NULL;
    for (int k = 0; k < GOLDEN_PARAMS; k++) {
        values[k] = (float)((5 * k + 3) % 13 - 6) / 16;
    }
    weft_net_set_params(net, values);
    weft_train_options_set_optimizer(&options, WEFT_SGD);
    options.schedule = WEFT_LR_CONSTANT;
    options.lr = has_momentum ? 0.05 : 0.1;
    options.momentum = has_momentum ? 0.9 : 0;
    options.clip_norm = strstr(title, "clipped") != NULL ? 0.1 : 0;
    options.label_smoothing = 0;
    options.epochs = 50;
    options.batch_size = 0;
    CHECK_UINT(weft_net_n_params(net), GOLDEN_PARAMS);
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    weft_net_get_params(net, values);
    weft_net_get_statistics(net, values + GOLDEN_PARAMS);
    weft_net_free(net);
    weft_context_free(context);
}

static void normalisations_as_pytorch(void)
{
    static char line[32768];
    FILE *file = fopen(WEFT_SOURCE_DIR "/tests/golden/norms.txt", "r");
    weft_dataset *data = golden_data();
    size_t n_lines = 0;
    CU_ASSERT_FATAL(CHECK(file != NULL));
    for (; fgets(line, sizeof line, file) != NULL; n_lines++) {
        float values[GOLDEN_VALUES];
        char *at = strchr(line, ':'), *end = NULL;
        CU_ASSERT_FATAL(CHECK(at != NULL));
        *at++ = '\0';
        train_golden(line, data, values);
        size_t n = 0;
        for (double wanted = strtod(at, &end); end != at; n++, wanted = strtod(at, &end)) {
            if (n < GOLDEN_VALUES && !CHECK_NEAR((double)values[n], wanted, 2e-5)) {
                printf(" (%s, number %zu)", line, n);
            }
            at = end;
        }
        CHECK_UINT(n, line[0] == 'b' ? GOLDEN_VALUES : GOLDEN_PARAMS);
    }
    CHECK_UINT(n_lines, 8);
    fclose(file);
    weft_dataset_free(data);
}

static void batches_that_have_no_statistics(void)
{
    static const size_t hidden[] = {5, 0};
    weft_dataset *data = synthetic_classes(WEFT_F32, 300, 6, 3, 0.3, 5);
    weft_context *context = synthetic_context(1);
    weft_net *net = normalised_net(6, hidden, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, WEFT_NORM_BATCH);
    const size_t sizes[] = {1, 0, 257};
    weft_error err;
    for (size_t k = 0; k < 3; k++) {
        weft_train_options options = weft_train_options_default();
        options.batch_size = sizes[k];
        CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, "batch normalisation: batches of");
    }
    weft_tensor x = weft_dataset_x(data);
    weft_targets targets = weft_dataset_targets(data);
    double loss;
    CHECK_STATUS(weft_net_gradient(context, net, &x, &targets, &loss, NULL, &err), WEFT_ERR_ARG,
                 &err);
    CHECK_HAS(err.message, "batch normalisation: 300 samples");
    weft_train_options options = weft_train_options_default();
    options.epochs = 2;
    options.batch_size = 13; /* the last batch has one sample */
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    weft_net_free(net);
    weft_context_free(context);
    weft_dataset_free(data);
}

static void bad_options_are_refused(void)
{
    const double nan = (double)NAN;
    static const size_t some[] = {5, 0}, none[] = {0};
    const struct {
        double dropout, input_dropout, input_noise;
        bool linear;
        const char *text;
    } cases[] = {
        {1, 0, 0, false, "dropout 1, wanted 0 <= share < 1"},
        {-0.1, 0, 0, false, "dropout -0.1"},
        {nan, 0, 0, false, "dropout"},
        {0.5, 0, 0, true, "dropout: the network has no hidden layers"},
        {0, 1, 0, false, "input dropout 1, wanted 0 <= share < 1"},
        {0, nan, 0, false, "input dropout"},
        {0, 0, -1, false, "input noise -1, wanted 0 to"},
        {0, 0, nan, false, "input noise"},
        {0, 0, HUGE_VAL, false, "input noise inf"},
    };
    weft_dataset *data = synthetic_classes(WEFT_F32, 20, 6, 3, 0.3, 5);
    weft_context *context = synthetic_context(1);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        weft_train_options options = weft_train_options_default();
        weft_net *net =
            synthetic_net(6, cases[k].linear ? none : some, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, 3);
        weft_error err;
        options.dropout = cases[k].dropout;
        options.input_dropout = cases[k].input_dropout;
        options.input_noise = cases[k].input_noise;
        CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, cases[k].text);
        weft_net_free(net);
    }
    weft_context_free(context);
    weft_dataset_free(data);
}

static CU_TestInfo draw_tests[] = {
    {"inputs are dropped as promised", inputs_are_dropped_as_promised},
    {"noise is normal", noise_is_normal},
    {"same draws in every set", same_draws_in_every_set},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo gradient_tests[] = {
    {"through what is random", gradients_through_what_is_random},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo training_tests[] = {
    {"same bits on any threads", same_bits_on_any_threads},
    {"parts do not matter", parts_do_not_matter},
    {"evaluation is without", evaluation_is_without},
    {"normalised predictions", normalised_predictions},
    {"normalisations as PyTorch", normalisations_as_pytorch},
    {"statistics of a step", statistics_of_a_step},
    {"batches that have no statistics", batches_that_have_no_statistics},
    {"bad options are refused", bad_options_are_refused},
    CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
    {.pName = "draws", .pTests = draw_tests},
    {.pName = "gradients", .pTests = gradient_tests},
    {.pName = "training", .pTests = training_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
