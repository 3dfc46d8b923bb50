/* Floor 4: networks as objects. That their gradients are right is shown by test_gradients.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <weft/net.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/layers.h"
#include "nn/pass.h"
#include "ops/team.h"

#include "harness.h"

static const size_t hidden_sizes[] = {5, 3};
static const weft_activation hidden_activations[] = {WEFT_RELU, WEFT_TANH};

static weft_net_options options_of(size_t n_hidden, weft_output output, size_t n_outputs)
{
    return (weft_net_options){
        .n_inputs = 4,
        .n_outputs = n_outputs,
        .n_hidden = n_hidden,
        .hidden = hidden_sizes,
        .activations = hidden_activations,
        .output = output,
    };
}

static weft_net *net_of(size_t n_hidden, weft_output output, size_t n_outputs)
{
    weft_net_options options = options_of(n_hidden, output, n_outputs);
    weft_net *net = NULL;
    weft_error err;
    CHECK_OK(weft_net_new(&options, &net, &err), &err);
    return net;
}

static void architecture(void)
{
    weft_net *net = net_of(2, WEFT_OUTPUT_SOFTMAX, 10);
    CHECK_UINT(weft_net_n_layers(net), 3);
    CHECK_UINT(weft_net_n_inputs(net), 4);
    CHECK_UINT(weft_net_n_outputs(net), 10);
    CHECK_UINT(weft_net_width(net, 0), 5);
    CHECK_UINT(weft_net_width(net, 2), 10);
    CHECK_INT(weft_net_activation(net, 1), WEFT_TANH);
    CHECK_INT(weft_net_output(net), WEFT_OUTPUT_SOFTMAX);
    CHECK_UINT(weft_net_n_params(net), 5 * 5 + 6 * 3 + 4 * 10);
    CHECK_UINT(weft_net_n_classes(net), 10);
    CHECK_STR(weft_net_class_name(net, 9), "9");
    CHECK_UINT(weft_net_scaling(net)->n, 0);
    CHECK_INT(weft_net_scaling(net)->kind, WEFT_SCALE_NONE);
    weft_net_free(net);
    weft_net_free(NULL);
}

static void classes_by_output(void)
{
    static const struct {
        weft_output output;
        size_t n_outputs, n_classes, n_names;
    } cases[] = {
        {WEFT_OUTPUT_SOFTMAX, 3, 3, 3},
        {WEFT_OUTPUT_SIGMOID, 1, 2, 2},
        {WEFT_OUTPUT_SIGMOID, 4, 0, 4},
        {WEFT_OUTPUT_IDENTITY, 1, 0, 1},
    };
    for (size_t i = 0; i < 4; i++) {
        weft_net *net = net_of(0, cases[i].output, cases[i].n_outputs);
        CHECK_UINT(weft_net_n_classes(net), cases[i].n_classes);
        CHECK_UINT(weft_net_n_class_names(net), cases[i].n_names);
        weft_net_free(net);
    }
}

static void bad_architectures(void)
{
    static const size_t zero[] = {5, 0}, huge[] = {SIZE_MAX / 2, SIZE_MAX / 2};
    static const size_t edge[] = {(size_t)1 << 40, 1};
    static const weft_activation none[] = {WEFT_RELU, WEFT_N_ACTIVATIONS};
    weft_net_options cases[11];
    for (size_t i = 0; i < 11; i++) {
        cases[i] = options_of(2, WEFT_OUTPUT_SOFTMAX, 10);
    }
    cases[0].n_inputs = 0;
    cases[1].n_outputs = 0;
    cases[2].hidden = zero;
    cases[3].n_outputs = 1;
    cases[4].n_hidden = 1001;
    cases[5].hidden = huge;
    cases[6].hidden = edge;
    cases[7].n_hidden = 0; /* weights and bias add up to just above SIZE_MAX */
    cases[7].n_inputs = ((size_t)1 << 24) - 1;
    cases[7].n_outputs = edge[0];
    cases[8].activations = none;
    cases[9].output = WEFT_N_OUTPUTS;
    cases[10].output = (weft_output)-1;
    static const char *const messages[] = {
        "inputs",         "outputs",     "hidden layer 2 has no units",
        "softmax over 1", "1001",        "2^40",
        "2^40",           "2^40",        "hidden layer 2: no activation 9",
        "no output 3",    "no output -1"};
    for (size_t i = 0; i < 11; i++) {
        weft_net *net = NULL;
        weft_error err;
        CHECK_STATUS(weft_net_new(&cases[i], &net, &err), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, messages[i]);
        CHECK(net == NULL);
    }
}

static void params_round_trip(void)
{
    weft_net *net = net_of(2, WEFT_OUTPUT_SOFTMAX, 7);
    size_t n = weft_net_n_params(net);
    float *in = malloc(n * sizeof *in), *out = calloc(n, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        in[i] = (float)i + 1;
    }
    weft_net_set_params(net, in);
    weft_net_get_params(net, out);
    CHECK_BYTES(out, in, n * sizeof *in);
    free(in);
    free(out);
    weft_net_free(net);
}

/* By hand: 2 inputs, 2 relu units, 1 sigmoid; the order of the parameters is [n_out, n_in] then
 * bias. */
static void forward_by_hand(void)
{
    static const size_t two[] = {2};
    static const weft_activation relu[] = {WEFT_RELU};
    weft_net_options options = {.n_inputs = 2,
                                .n_outputs = 1,
                                .n_hidden = 1,
                                .hidden = two,
                                .activations = relu,
                                .output = WEFT_OUTPUT_SIGMOID};
    static const float params[] = {1, 2, -3, 4, 0.5f, -1, 10, 100, 7};
    weft_net *net = NULL;
    weft_context *context = NULL;
    weft_error err;
    CHECK_OK(weft_net_new(&options, &net, &err), &err);
    CHECK_OK(weft_context_new(NULL, &context, &err), &err);
    weft_net_set_params(net, params);
    float shift = 1, scale = 2;
    weft_scaling scaling = {WEFT_SCALE_UNIT, 1, &shift, &scale};
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    float x[2][2] = {{2, 1.5f}, {1, 3}}, z[2];
    weft_tensor input = weft_tensor_borrow(WEFT_F32, x, 2, 2, 2);
    weft_tensor logits = weft_tensor_borrow(WEFT_F32, z, 2, 1, 1);
    CHECK_OK(weft_net_forward(context, net, &input, &logits, &err), &err);
    /* Scaled to (2, 1) and (0, 4): hidden relu(4.5), relu(-3) and relu(8.5), relu(15). */
    CHECK(z[0] == 10 * 4.5f + 7);
    CHECK(z[1] == 10 * 8.5f + 100 * 15.0f + 7);
    input.cols = 1;
    CHECK_STATUS(weft_net_forward(context, net, &input, &logits, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "1 features, the network wants 2");
    input.cols = 2;
    logits.rows = 1;
    CHECK_STATUS(weft_net_forward(context, net, &input, &logits, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "logits are f32 [1, 1], wanted f32 [2, 1]");
    logits = weft_tensor_borrow(WEFT_U8, z, 2, 1, 1);
    CHECK_STATUS(weft_net_forward(context, net, &input, &logits, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "logits are u8 [2, 1], wanted f32 [2, 1]");
    input.rows = logits.rows = 0;
    CHECK_STATUS(weft_net_forward(context, net, &input, &logits, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "no samples");
    CHECK(z[0] == 10 * 4.5f + 7); /* nothing was written */
    weft_net_free(net);
    weft_context_free(context);
}

/* ---- initialisation ---- */

/* A wide net, so that moments are sharp: 300 -> 200 -> 100. */
static weft_net *wide_net(weft_activation f)
{
    static const size_t hidden[] = {200};
    weft_net_options options = {.n_inputs = 300,
                                .n_outputs = 100,
                                .n_hidden = 1,
                                .hidden = hidden,
                                .activations = &f,
                                .output = WEFT_OUTPUT_SOFTMAX};
    weft_net *net = NULL;
    weft_error err;
    CHECK_OK(weft_net_new(&options, &net, &err), &err);
    return net;
}

/* Mean, standard deviation and largest size of the first layer's weights. */
static void moments(const weft_net *net, double *mean, double *deviation, double *most)
{
    size_t n = 300 * 200;
    float *params = malloc(weft_net_n_params(net) * sizeof *params);
    weft_net_get_params(net, params);
    double sum = 0, squares = 0;
    *most = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)params[i];
        squares += (double)params[i] * (double)params[i];
        *most = fabs((double)params[i]) > *most ? fabs((double)params[i]) : *most;
    }
    for (size_t i = n; i < n + 200; i++) {
        CHECK(params[i] == 0); /* biases */
    }
    *mean = sum / (double)n;
    *deviation = sqrt(squares / (double)n);
    free(params);
}

static void init_moments(void)
{
    double he = sqrt(2.0 / 300), xavier = sqrt(2.0 / 500), lecun = sqrt(1.0 / 300);
    const struct {
        weft_init init;
        weft_activation f;
        double deviation;
        bool uniform;
    } cases[] = {
        {WEFT_INIT_HE_NORMAL, WEFT_TANH, he, false},
        {WEFT_INIT_HE_UNIFORM, WEFT_TANH, he, true},
        {WEFT_INIT_XAVIER_NORMAL, WEFT_RELU, xavier, false},
        {WEFT_INIT_XAVIER_UNIFORM, WEFT_RELU, xavier, true},
        {WEFT_INIT_LECUN_NORMAL, WEFT_RELU, lecun, false},
        {WEFT_INIT_LECUN_UNIFORM, WEFT_RELU, lecun, true},
        {WEFT_INIT_SMALL_NORMAL, WEFT_RELU, 0.01, false},
        {WEFT_INIT_AUTO, WEFT_RELU, he, false},
        {WEFT_INIT_AUTO, WEFT_TANH, xavier, false},
        {WEFT_INIT_AUTO, WEFT_SELU, lecun, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_net *net = wide_net(cases[i].f);
        weft_error err;
        CHECK_OK(weft_net_init(net, cases[i].init, 0.01f, 3, &err), &err);
        double mean, deviation, most;
        moments(net, &mean, &deviation, &most);
        /* 60,000 samples: standard errors are 0.4 % and 0.3 % of the deviation. */
        CHECK_NEAR(mean, 0, 0.016 * cases[i].deviation);
        CHECK_NEAR(deviation, cases[i].deviation, 0.012 * cases[i].deviation);
        double edge = sqrt(3.0) * cases[i].deviation;
        CHECK(cases[i].uniform ? most <= edge * (1 + 1e-6) && most > 0.999 * edge
                               : most > 3.5 * cases[i].deviation);
        weft_net_free(net);
    }
}

static void init_is_a_function_of_the_seed(void)
{
    weft_net *net = wide_net(WEFT_RELU);
    size_t bytes = weft_net_n_params(net) * sizeof(float);
    float *first = malloc(bytes), *second = malloc(bytes);
    weft_error err;
    CHECK_OK(weft_net_init(net, WEFT_INIT_AUTO, 0, 3, &err), &err);
    weft_net_get_params(net, first);
    CHECK_OK(weft_net_init(net, WEFT_INIT_AUTO, 0, 4, &err), &err);
    weft_net_get_params(net, second);
    CHECK(memcmp(first, second, bytes) != 0);
    CHECK_OK(weft_net_init(net, WEFT_INIT_AUTO, 0, 3, &err), &err);
    weft_net_get_params(net, second);
    CHECK_BYTES(second, first, bytes);
    CHECK_STATUS(weft_net_init(net, WEFT_INIT_SMALL_NORMAL, 0, 3, &err), WEFT_ERR_ARG, &err);
    CHECK_STATUS(weft_net_init(net, WEFT_INIT_SMALL_NORMAL, NAN, 3, &err), WEFT_ERR_ARG, &err);
    CHECK_STATUS(weft_net_init(net, WEFT_N_INITS, 1, 4, &err), WEFT_ERR_ARG, &err);
    weft_net_get_params(net, second);
    CHECK_BYTES(second, first, bytes);
    free(first);
    free(second);
    weft_net_free(net);
}

/* ---- passes ---- */

/* Samples that are mostly zeros once scaled, as pixels are: a shift that most bytes are equal to.
 * Two parts and a smaller one. */
enum { N_SAMPLES = 2 * WEFT_PASS_ROWS + 77, N_PIXELS = 210, N_STEPS = 3, N_LABELS = 12 };

struct pixels {
    weft_tensor x;
    int32_t classes[N_SAMPLES];
    weft_targets targets;
};

static void pixels_init(struct pixels *pixels)
{
    CU_ASSERT_FATAL(weft_tensor_init(&pixels->x, WEFT_U8, N_SAMPLES, N_PIXELS) == WEFT_OK);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        for (size_t j = 0; j < N_PIXELS; j++) {
            uint64_t at = i * N_PIXELS + j;
            bool used = j % 5 != 0 && weft_rng_uniform(1, 1, at) < 0.15;
            ((uint8_t *)pixels->x.data)[i * pixels->x.ld + j] =
                (uint8_t)(used ? weft_rng_u64(1, 2, at) % 256 : 9);
        }
        pixels->classes[i] = (int32_t)(i % N_LABELS);
    }
    pixels->targets = (weft_targets){.kind = WEFT_LABELS_CLASSES, .classes = pixels->classes};
}

static weft_net *pixel_net(size_t first_width, weft_activation f)
{
    const size_t hidden[] = {first_width, 30};
    const weft_activation activations[] = {f, WEFT_RELU};
    weft_net_options options = {.n_inputs = N_PIXELS,
                                .n_outputs = N_LABELS,
                                .n_hidden = 2,
                                .hidden = hidden,
                                .activations = activations,
                                .output = WEFT_OUTPUT_SOFTMAX};
    weft_net *net = NULL;
    weft_error err;
    float shift = 9, scale = 1.0f / 128;
    weft_scaling scaling = {WEFT_SCALE_UNIT, 1, &shift, &scale};
    CU_ASSERT_FATAL(CHECK_OK(weft_net_new(&options, &net, &err), &err));
    CHECK_OK(weft_net_init(net, WEFT_INIT_AUTO, 0, 5, &err), &err);
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    return net;
}

/* Steps of gradient descent with momentum over the samples of x, part by part. */
struct descent {
    struct weft_pass *pass;
    const weft_tensor *x;
    const weft_targets *targets;
    struct weft_update update;
    float *gradient;
    bool fused;
};

static void step_team(const struct descent *descent)
{
    size_t max_rows = descent->pass->max_rows;
    for (size_t first = 0; first < descent->x->rows; first += max_rows) {
        size_t left = descent->x->rows - first;
        struct weft_part part = {
            .x = descent->x,
            .targets = descent->targets,
            .first = first,
            .n = left < max_rows ? left : max_rows,
        };
        bool fused = descent->fused && left <= max_rows;
        weft_pass_forward_team(descent->pass, &part);
        weft_pass_loss_team(descent->pass, &part, 1.0f / (float)descent->x->rows);
        weft_pass_backward_team(descent->pass, &part, descent->gradient, first > 0,
                                fused ? &descent->update : NULL);
    }
    if (!descent->fused) {
        weft_pass_update_team(descent->pass, descent->gradient, &descent->update);
    }
}

/* After the first step something else is run, as an evaluation would. */
static void descend_team(void *arg)
{
    const struct descent *descent = arg;
    static const uint32_t rows[] = {3, 1, 2};
    for (size_t step = 0; step < N_STEPS; step++) {
        step_team(descent);
        if (step == 0) {
            weft_pass_forward_team(descent->pass,
                                   &(struct weft_part){.x = descent->x, .rows = rows, .n = 3});
        }
    }
}

/* Allocations that packing takes, and those to have larger parts then. */
enum { N_TO_PACK = 13, N_TO_ENLARGE = 2 + 3 + 3 + 1 };

/* How a descent is done, which must not change what comes out. */
struct way {
    size_t n_threads;
    bool lists; /* of what is not zero, or none: as for samples that have no zeros */
    bool fused;
    bool kept;
    size_t fail_at; /* the allocation that fails while samples are kept; 0: none */
};

/* The whole block of parameters after the descent; weft_mem_free() it. */
static float *descended(const struct pixels *pixels, size_t n_samples, size_t width,
                        weft_activation f, const struct way *way, size_t *block_len)
{
    weft_context_options options = {.n_threads = way->n_threads};
    weft_tensor x = weft_tensor_view(&pixels->x, 0, 0, n_samples, N_PIXELS);
    weft_context *context = NULL;
    weft_net *net = pixel_net(width, f);
    struct weft_pass pass;
    float dense_row[N_PIXELS] = {0}; /* 0 is not the shift */
    weft_tensor dense = weft_tensor_borrow(WEFT_F32, dense_row, 1, N_PIXELS, N_PIXELS);
    weft_error err;
    *block_len = net->block_len;
    CU_ASSERT_FATAL(CHECK_OK(weft_context_new(&options, &context, &err), &err));
    context->flop_per_thread = 0; /* all threads, however small the work */
    CU_ASSERT_FATAL(CHECK_OK(weft_pass_init(&pass, WEFT_PASS_BACKWARD, context, net,
                                            way->lists ? &x : &dense, WEFT_PASS_ROWS, &err),
                             &err));
    bool used = way->lists && width > WEFT_NARROW;
    CHECK((pass.nonzeros.by_rows.terms != NULL) == used);
    CHECK((pass.nonzeros.by_cols.terms != NULL) == used);
    if (way->kept) {
        weft_mem_fail_at(way->fail_at);
        weft_pass_keep(&pass, &x);
        weft_mem_fail_at(0);
        bool many = used && n_samples > WEFT_PASS_ROWS;
        bool fails = way->fail_at > 0, fails_late = way->fail_at > N_TO_PACK;
        CHECK((pass.kept.packed.n_parts > 0) == (many && (!fails || fails_late)));
        CHECK_UINT(pass.max_rows, (many && !fails ? 2 : 1) * WEFT_PASS_ROWS);
    }
    float *velocity = weft_mem_zalloc(net->block_len, sizeof *velocity);
    float *gradient = weft_mem_zalloc(net->block_len, sizeof *gradient);
    const struct weft_rule_step step = {.rule = WEFT_RULE_MOMENTUM,
                                        .lr = 0.2f,
                                        .beta1 = 0.9f,
                                        .scale = 1,
                                        .limit = INFINITY,
                                        .keep = 1};
    struct descent descent = {
        .pass = &pass,
        .x = &x,
        .targets = &pixels->targets,
        .update = {.weights = step, .biases = step, .params = net->params, .m = velocity},
        .gradient = gradient,
        .fused = way->fused,
    };
    weft_team_run(context, descend_team, &descent);
    CHECK(pass.kept.in_x == (way->kept && n_samples <= WEFT_PASS_ROWS));
    weft_pass_release(&pass);
    weft_mem_free(velocity);
    weft_mem_free(gradient);
    float *params = net->params;
    net->params = NULL;
    weft_net_free(net);
    weft_context_free(context);
    return params;
}

static void check_way(const struct pixels *pixels, size_t n_samples, size_t width,
                      weft_activation f, const struct way *way, const float *wanted)
{
    size_t len;
    float *got = descended(pixels, n_samples, width, f, way, &len);
    if (!CHECK_BYTES(got, wanted, len * sizeof *got)) {
        printf(" (%zu samples, %zu threads%s%s%s)", n_samples, way->n_threads,
               way->lists ? ", lists" : "", way->fused ? ", fused" : "", way->kept ? ", kept" : "");
    }
    weft_mem_free(got);
}

/* What all ways have to come to: that of one thread without anything that saves work. */
static float *plainly_descended(const struct pixels *pixels, size_t n_samples, size_t width,
                                weft_activation f)
{
    size_t len, n_moved = 0;
    weft_net *start = pixel_net(width, f);
    float *params = descended(pixels, n_samples, width, f, &(struct way){.n_threads = 1}, &len);
    for (size_t at = 0; at < len; at++) {
        n_moved += params[at] != start->params[at];
        CHECK(isfinite(params[at]));
    }
    CHECK(n_moved > len / 2);
    weft_net_free(start);
    return params;
}

/* Lists of zeros, fused updates, keeping the samples and the number of threads change speed alone.
 */
static void same_bits_any_way(void)
{
    static const size_t widths[] = {100, 10}, threads[] = {1, 3, 2, 8};
    static const size_t n_samples[] = {N_SAMPLES, WEFT_PASS_ROWS - 3};
    size_t n_threads = HARNESS_EMULATED ? 2 : 4;
    struct pixels pixels;
    pixels_init(&pixels);
    for (size_t k = 0; k < 4; k++) {
        size_t width = widths[k % 2], n = n_samples[k / 2];
        weft_activation f = k % 2 == 0 ? WEFT_GELU : WEFT_TANH;
        float *wanted = plainly_descended(&pixels, n, width, f);
        for (size_t t = 0; t < n_threads; t++) {
            for (int way = 0; way < 8; way++) {
                check_way(&pixels, n, width, f,
                          &(struct way){.n_threads = threads[t],
                                        .lists = way & 1,
                                        .fused = way & 2,
                                        .kept = way & 4},
                          wanted);
            }
        }
        weft_mem_free(wanted);
    }
    weft_tensor_release(&pixels.x);
}

/* Samples that there is no memory to keep are gathered in each step as if nobody had asked. */
static void kept_without_memory(void)
{
    enum { WIDTH = 100 };
    struct pixels pixels;
    pixels_init(&pixels);
    float *wanted = plainly_descended(&pixels, N_SAMPLES, WIDTH, WEFT_GELU);
    for (size_t i = 1; i <= N_TO_PACK + N_TO_ENLARGE; i++) {
        check_way(&pixels, N_SAMPLES, WIDTH, WEFT_GELU,
                  &(struct way){.n_threads = 1, .lists = true, .kept = true, .fail_at = i}, wanted);
    }
    weft_mem_free(wanted);
    weft_tensor_release(&pixels.x);
}

/* Whether lists are made for a wide layer is judged by zeros after scaling, in either type. */
static void lists_where_half_is_zero(void)
{
    static const struct {
        size_t n_zeros; /* of 4 columns */
        float zero;     /* as it is in the data; the shift is 9 */
        bool lists;
    } cases[] = {{4, 9, true}, {2, 9, true}, {1, 9, false}, {4, 0, false}, {0, 9, false}};
    weft_net *net = net_of(0, WEFT_OUTPUT_SOFTMAX, WEFT_NARROW + 1);
    weft_context *context = NULL;
    weft_error err;
    float shift[4] = {9, 9, 9, 9}, scale[4] = {1, 2, 3, 4};
    CHECK_OK(weft_context_new(NULL, &context, &err), &err);
    for (size_t each = 0; each < 2; each++) {
        weft_scaling scaling = {WEFT_SCALE_STANDARD, each ? 4 : 1, shift, scale};
        CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            float floats[2][4];
            uint8_t bytes[2][4];
            for (size_t at = 0; at < 8; at++) {
                floats[at / 4][at % 4] = at % 4 < cases[c].n_zeros ? cases[c].zero : 7;
                bytes[at / 4][at % 4] = (uint8_t)floats[at / 4][at % 4];
            }
            weft_tensor x[] = {weft_tensor_borrow(WEFT_F32, floats, 2, 4, 4),
                               weft_tensor_borrow(WEFT_U8, bytes, 2, 4, 4)};
            for (size_t type = 0; type < 2; type++) {
                struct weft_pass pass;
                CHECK_OK(weft_pass_init(&pass, WEFT_PASS_FORWARD, context, net, &x[type], 2, &err),
                         &err);
                CHECK((pass.nonzeros.by_rows.terms != NULL) == cases[c].lists);
                CHECK(pass.nonzeros.by_cols.terms == NULL); /* nothing goes back */
                weft_pass_release(&pass);
            }
        }
    }
    weft_net_free(net);
    weft_context_free(context);
}

/* ---- what is stored with a network ---- */

static void scaling_is_copied_and_checked(void)
{
    weft_net *net = net_of(1, WEFT_OUTPUT_SOFTMAX, 3);
    weft_error err;
    float shift[4] = {1, 2, 3, 4}, scale[4] = {5, 6, 7, 8};
    weft_scaling scaling = {WEFT_SCALE_STANDARD, 4, shift, scale};
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    shift[0] = 99;
    CHECK(weft_net_scaling(net)->shift[0] == 1 && weft_net_scaling(net)->scale[3] == 8);
    CHECK_INT(weft_net_scaling(net)->kind, WEFT_SCALE_STANDARD);
    scaling.n = 3;
    CHECK_STATUS(weft_net_set_scaling(net, &scaling, &err), WEFT_ERR_MISMATCH, &err);
    scaling.n = 4;
    scale[2] = INFINITY;
    CHECK_STATUS(weft_net_set_scaling(net, &scaling, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "feature 2");
    CHECK_UINT(weft_net_scaling(net)->n, 4);
    weft_net_free(net);
}

static void class_names_are_copied(void)
{
    weft_net *net = net_of(1, WEFT_OUTPUT_SIGMOID, 1);
    weft_error err;
    char cat[] = "cat";
    const char *names[] = {"non-cat", cat, "dog"};
    CHECK_OK(weft_net_set_class_names(net, names, 2, &err), &err);
    cat[0] = 'b';
    CHECK_STR(weft_net_class_name(net, 1), "cat");
    CHECK_STATUS(weft_net_set_class_names(net, names, 3, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_STR(weft_net_class_names(net)[0], "non-cat");
    weft_net_free(net);
}

static void targets_are_checked(void)
{
    static const int32_t fine[] = {0, 2, 1}, low[] = {0, -1, 0}, high[] = {0, 1, 3};
    static const float values[] = {0, 1, 0.5f, 1, 0, 0}, wild[] = {0, 2, 0, 0, 0, 0};
    static const float broken[] = {0, 1, 0, NAN, 0, 0};
    const struct {
        weft_output output;
        size_t n_outputs;
        weft_targets targets;
        const char *message; /* NULL: fits */
    } cases[] = {
        {WEFT_OUTPUT_SOFTMAX, 3, {.kind = WEFT_LABELS_CLASSES, .classes = fine}, NULL},
        {WEFT_OUTPUT_SOFTMAX, 3, {.kind = WEFT_LABELS_CLASSES, .classes = low}, "sample 1"},
        {WEFT_OUTPUT_SOFTMAX, 3, {.kind = WEFT_LABELS_CLASSES, .classes = high}, "class 3"},
        {WEFT_OUTPUT_SIGMOID, 1, {.kind = WEFT_LABELS_CLASSES, .classes = fine}, "class 2"},
        {WEFT_OUTPUT_IDENTITY, 1, {.kind = WEFT_LABELS_CLASSES, .classes = fine}, "identity"},
        {WEFT_OUTPUT_SOFTMAX, 2, {WEFT_LABELS_VALUES, NULL, values, 2, NULL}, "wants classes"},
        {WEFT_OUTPUT_SIGMOID, 2, {WEFT_LABELS_VALUES, NULL, values, 2, NULL}, NULL},
        {WEFT_OUTPUT_SIGMOID, 2, {WEFT_LABELS_VALUES, NULL, wild, 2, NULL}, "wanted 0..1"},
        {WEFT_OUTPUT_IDENTITY, 2, {WEFT_LABELS_VALUES, NULL, wild, 2, NULL}, NULL},
        {WEFT_OUTPUT_IDENTITY, 2, {WEFT_LABELS_VALUES, NULL, broken, 2, NULL}, "sample 1"},
        {WEFT_OUTPUT_IDENTITY, 3, {WEFT_LABELS_VALUES, NULL, values, 2, NULL}, "2 values"},
        {WEFT_OUTPUT_IDENTITY, 3, {.kind = WEFT_LABELS_NONE}, "no labels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_net *net = net_of(0, cases[i].output, cases[i].n_outputs);
        weft_error err = {0};
        CHECK_STATUS(weft_net_check_targets(net, &cases[i].targets, 3, &err),
                     cases[i].message == NULL ? WEFT_OK : WEFT_ERR_MISMATCH, &err);
        if (cases[i].message != NULL) {
            CHECK_HAS(err.message, cases[i].message);
        }
        weft_net_free(net);
    }
}

static void names_round_trip(void)
{
    for (int i = 0; i < WEFT_N_ACTIVATIONS; i++) {
        weft_activation back = WEFT_N_ACTIVATIONS;
        CHECK(weft_activation_from_name(weft_activation_name((weft_activation)i), &back) ==
              WEFT_OK);
        CHECK_INT(back, i);
    }
    for (int i = 0; i < WEFT_N_OUTPUTS; i++) {
        weft_output back = WEFT_N_OUTPUTS;
        CHECK(weft_output_from_name(weft_output_name((weft_output)i), &back) == WEFT_OK);
        CHECK_INT(back, i);
    }
    for (int i = 0; i < WEFT_N_INITS; i++) {
        weft_init back = WEFT_N_INITS;
        CHECK(weft_init_from_name(weft_init_name((weft_init)i), &back) == WEFT_OK);
        CHECK_INT(back, i);
    }
    weft_activation f = WEFT_TANH;
    CHECK(weft_activation_from_name("Relu", &f) == WEFT_ERR_ARG && f == WEFT_TANH);
    weft_output output;
    CHECK(weft_output_from_name("", &output) == WEFT_ERR_ARG);
    weft_init init;
    CHECK(weft_init_from_name("he", &init) == WEFT_ERR_ARG);
}

/* Lets allocation 1, 2, ... of a whole life of a network fail, until a life needs none of them. */
static void out_of_memory(void)
{
    weft_context *context = NULL;
    weft_error err;
    CHECK_OK(weft_context_new(NULL, &context, &err), &err);
    weft_net_options options = options_of(2, WEFT_OUTPUT_SOFTMAX, 3);
    float x[8] = {0}, z[6], shift = 0, scale = 1, gradient[64];
    static const int32_t classes[2] = {0, 2};
    weft_tensor input = weft_tensor_borrow(WEFT_F32, x, 2, 4, 4);
    weft_tensor logits = weft_tensor_borrow(WEFT_F32, z, 2, 3, 3);
    weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = classes};
    weft_scaling scaling = {WEFT_SCALE_UNIT, 1, &shift, &scale};
    const char *names[] = {"a", "b", "c"};
    size_t n_failed = 0;
    for (size_t i = 1;; i++) {
        weft_net *net = NULL;
        double loss;
        weft_mem_fail_at(i);
        weft_status status = weft_net_new(&options, &net, &err);
        if (status == WEFT_OK) {
            status = weft_net_set_scaling(net, &scaling, &err);
        }
        if (status == WEFT_OK) {
            status = weft_net_set_class_names(net, names, 3, &err);
        }
        if (status == WEFT_OK) {
            status = weft_net_forward(context, net, &input, &logits, &err);
        }
        if (status == WEFT_OK) {
            status = weft_net_gradient(context, net, &input, &targets, &loss, gradient, &err);
        }
        weft_mem_fail_at(0);
        weft_net_free(net);
        if (status == WEFT_OK) {
            break;
        }
        CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
        n_failed++;
    }
    CHECK(n_failed > 20);
    weft_context_free(context);
}

static CU_TestInfo net_tests[] = {
    {"architecture", architecture},
    {"classes by output", classes_by_output},
    {"bad architectures", bad_architectures},
    {"parameters round trip", params_round_trip},
    {"forward by hand", forward_by_hand},
    {"scaling", scaling_is_copied_and_checked},
    {"class names", class_names_are_copied},
    {"targets", targets_are_checked},
    {"names", names_round_trip},
    {"out of memory", out_of_memory},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo init_tests[] = {
    {"moments", init_moments},
    {"a function of the seed", init_is_a_function_of_the_seed},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo pass_tests[] = {
    {"same bits any way", same_bits_any_way},
    {"kept without memory", kept_without_memory},
    {"lists where half is zero", lists_where_half_is_zero},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"net", NULL, NULL, NULL, NULL, net_tests},
    {"init", NULL, NULL, NULL, NULL, init_tests},
    {"pass", NULL, NULL, NULL, NULL, pass_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
