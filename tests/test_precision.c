/* Mixed precision, through the public interface: what bfloat16 products promise on every kernel
 * set. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ops/team.h"

#include "harness.h"
#include "reference.h"
#include "synthetic.h"

static weft_context *context_of(weft_precision precision, size_t n_threads)
{
    weft_context_options options = {.n_threads = n_threads, .precision = precision};
    weft_context *context = NULL;
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_context_new(&options, &context, &err), &err));
    context->flop_per_thread = 0; /* all threads, however small the work */
    return context;
}

/* ---- choosing ---- */

static void names_and_choice(void)
{
    weft_precision precision = WEFT_N_PRECISIONS;
    CHECK_STR(weft_precision_name(WEFT_PRECISION_F32), "f32");
    CHECK_STR(weft_precision_name(WEFT_PRECISION_BF16), "bf16");
    CHECK_OK(weft_precision_from_name("bf16", &precision), NULL);
    CHECK_INT(precision, WEFT_PRECISION_BF16);
    CHECK_STATUS(weft_precision_from_name("fp16", &precision), WEFT_ERR_ARG, NULL);
    CHECK_INT(precision, WEFT_PRECISION_BF16);
    CHECK_INT(weft_context_options_default().precision, WEFT_PRECISION_F32);
    weft_context_options options = {.n_threads = 1, .precision = WEFT_N_PRECISIONS};
    weft_context *context = NULL;
    weft_error err;
    CHECK_STATUS(weft_context_new(&options, &context, &err), WEFT_ERR_ARG, &err);
    context = context_of(WEFT_PRECISION_BF16, 1);
    CHECK_INT(weft_context_precision(context), WEFT_PRECISION_BF16);
    weft_context_free(context);
}

/* Sets that differ by products of bfloat16 numbers alone are not taken for float32 unasked. */
static void best_set_for_each_precision(void)
{
    const char *asked = getenv("WEFT_ISA");
    if (asked != NULL && *asked != '\0') {
        return;
    }
    weft_context *single = context_of(WEFT_PRECISION_F32, 1);
    weft_context *mixed = context_of(WEFT_PRECISION_BF16, 1);
    CHECK(strcmp(weft_context_isa(single), "amx") != 0);
    CHECK(strcmp(weft_context_isa(single), "avx512bf16") != 0);
    size_t i = 0;
    while (!weft_isa_usable(i)) {
        i++;
    }
    CHECK_STR(weft_context_isa(mixed), weft_isa_name(i));
    weft_context_free(single);
    weft_context_free(mixed);
}

/* ---- one layer against double precision ---- */

/* x to 8 bits, to nearest, ties to even; x is normal. */
static double rounded(float x)
{
    int exponent;
    double fraction = frexp((double)x, &exponent);
    return ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8);
}

struct layer {
    size_t n_in, n_out, batch;
    float *x, *y, *params, *gradient; /* params: weight [n_out, n_in], bias */
};

static struct layer layer_new(size_t n_in, size_t n_out, size_t batch)
{
    struct layer layer = {n_in, n_out, batch, NULL, NULL, NULL, NULL};
    layer.x = reference_alloc(batch * n_in, sizeof(float));
    layer.y = reference_alloc(batch * n_out, sizeof(float));
    layer.params = reference_alloc((n_in + 1) * n_out, sizeof(float));
    layer.gradient = reference_alloc((n_in + 1) * n_out, sizeof(float));
    for (size_t i = 0; i < batch * n_in; i++) {
        layer.x[i] = (float)weft_rng_normal(21, 1, i);
    }
    for (size_t i = 0; i < batch * n_out; i++) {
        layer.y[i] = (float)weft_rng_normal(21, 2, i);
    }
    for (size_t i = 0; i < (n_in + 1) * n_out; i++) {
        layer.params[i] = (float)weft_rng_normal(21, 3, i);
    }
    return layer;
}

static void layer_release(struct layer *layer)
{
    free(layer->x);
    free(layer->y);
    free(layer->params);
    free(layer->gradient);
}

/* Output o of sample b from rounded factors, and how far sums of float32 may be off. */
static double logit(const struct layer *layer, size_t b, size_t o, double *bound)
{
    const float *weight = layer->params + o * layer->n_in;
    double sum = rounded(layer->params[layer->n_out * layer->n_in + o]), size = fabs(sum);
    for (size_t i = 0; i < layer->n_in; i++) {
        double term = rounded(weight[i]) * rounded(layer->x[b * layer->n_in + i]);
        sum += term;
        size += fabs(term);
    }
    *bound = (double)(layer->n_in + 3) * (double)FLT_EPSILON * size;
    return sum;
}

/* Entry (o, i) of the gradient of the mean of halved squares; z are the logits of the library. */
static double slope(const struct layer *layer, const float *z, size_t o, size_t i, double *bound)
{
    double sum = 0, size = 0;
    for (size_t b = 0; b < layer->batch; b++) {
        size_t at = b * layer->n_out + o;
        float dz = (z[at] - layer->y[at]) * (1.0f / (float)layer->batch);
        double x = i < layer->n_in ? rounded(layer->x[b * layer->n_in + i]) : 1;
        double term = rounded(dz) * x;
        sum += term;
        size += fabs(term);
    }
    *bound = (double)(layer->batch + 3) * (double)FLT_EPSILON * size;
    return sum;
}

static void check_layer(size_t n_in, size_t n_out, size_t batch)
{
    static const size_t none[] = {0};
    struct layer layer = layer_new(n_in, n_out, batch);
    weft_context *context = context_of(WEFT_PRECISION_BF16, 2);
    weft_net *net = synthetic_net(n_in, none, WEFT_RELU, n_out, WEFT_OUTPUT_IDENTITY, 1);
    weft_error err;
    weft_net_set_params(net, layer.params);
    float *z = reference_alloc(batch * n_out, sizeof *z);
    weft_tensor x = weft_tensor_borrow(WEFT_F32, layer.x, batch, n_in, n_in);
    weft_tensor logits = weft_tensor_borrow(WEFT_F32, z, batch, n_out, n_out);
    CHECK_OK(weft_net_forward(context, net, &x, &logits, &err), &err);
    weft_targets targets = {.kind = WEFT_LABELS_VALUES, .values = layer.y, .n_values = n_out};
    double loss, bound;
    CHECK_OK(weft_net_gradient(context, net, &x, &targets, &loss, layer.gradient, &err), &err);
    size_t n_wrong = 0;
    for (size_t o = 0; o < n_out; o++) {
        for (size_t b = 0; b < batch; b++) {
            double wanted = logit(&layer, b, o, &bound);
            n_wrong += !(fabs((double)z[b * n_out + o] - wanted) <= bound);
        }
        for (size_t i = 0; i <= n_in; i++) {
            float got = layer.gradient[i < n_in ? o * n_in + i : n_out * n_in + o];
            double wanted = slope(&layer, z, o, i, &bound);
            n_wrong += !(fabs((double)got - wanted) <= bound);
        }
    }
    if (!CHECK_UINT(n_wrong, 0)) {
        printf(" %zu inputs, %zu outputs, %zu samples", n_in, n_out, batch);
    }
    free(z);
    weft_net_free(net);
    weft_context_free(context);
    layer_release(&layer);
}

static void one_layer_from_rounded_factors(void)
{
    check_layer(1, 17, 1);
    check_layer(2, 17, 3);
    check_layer(31, 32, 31);
    check_layer(32, 33, 32);
    check_layer(63, 40, 33);
    check_layer(500, 65, 129);
    check_layer(801, 70, 256);
}

/* ---- deep networks ---- */

/* A problem whose widths fit no tile: the last layer narrow or wide. */
struct problem {
    weft_dataset *data;
    weft_net *net;
};

static struct problem problem_new(size_t n_outputs, weft_activation activation)
{
    static const size_t hidden[] = {50, 33, 17, 0};
    struct problem problem = {
        .data = synthetic_classes(WEFT_F32, 300, 37, n_outputs, 0.7, 5),
        .net = synthetic_net(37, hidden, activation, n_outputs, WEFT_OUTPUT_SOFTMAX, 9),
    };
    return problem;
}

static void problem_release(struct problem *problem)
{
    weft_dataset_free(problem->data);
    weft_net_free(problem->net);
}

static float *gradient_of(const struct problem *problem, weft_precision precision)
{
    weft_context *context = context_of(precision, 2);
    weft_tensor x = weft_dataset_x(problem->data);
    weft_targets targets = weft_dataset_targets(problem->data);
    float *gradient = reference_alloc(weft_net_n_params(problem->net), sizeof *gradient);
    double loss;
    weft_error err;
    CHECK_OK(weft_net_gradient(context, problem->net, &x, &targets, &loss, gradient, &err), &err);
    weft_context_free(context);
    return gradient;
}

/* The gradient is that of float32 but for errors of 2^-9 in each factor, three layers deep: its
 * direction is right to a few percent, and it is not that of float32. */
static void gradient_is_near_that_of_float32(void)
{
    static const weft_activation activations[] = {WEFT_TANH, WEFT_GELU, WEFT_SIGMOID};
    for (size_t k = 0; k < 6; k++) {
        struct problem problem = problem_new(k % 2 == 0 ? 3 : 20, activations[k / 2]);
        float *exact = gradient_of(&problem, WEFT_PRECISION_F32);
        float *mixed = gradient_of(&problem, WEFT_PRECISION_BF16);
        double difference = 0, size = 0;
        for (size_t i = 0; i < weft_net_n_params(problem.net); i++) {
            double d = (double)mixed[i] - (double)exact[i];
            difference += d * d;
            size += (double)exact[i] * (double)exact[i];
        }
        double relative = sqrt(difference / size);
        if (!CHECK(relative > 1e-4 && relative < 0.03)) {
            printf(" %s: differs by %g", weft_activation_name(activations[k / 2]), relative);
        }
        free(exact);
        free(mixed);
        problem_release(&problem);
    }
}

static void train(struct problem *problem, size_t n_threads, size_t epochs, size_t batch_size,
                  double momentum)
{
    weft_context *context = context_of(WEFT_PRECISION_BF16, n_threads);
    weft_train_options options = weft_train_options_default();
    weft_error err;
    options.epochs = epochs;
    options.batch_size = batch_size;
    options.lr = 0.1 * (1 - momentum);
    options.momentum = momentum;
    options.shuffle = false;
    options.schedule = WEFT_LR_CONSTANT;
    CHECK_OK(weft_train(context, problem->net, problem->data, &options, &err), &err);
    weft_context_free(context);
}

static void same_bits_on_any_threads(void)
{
    static const size_t threads[] = {1, 2, 3, 8}, batches[] = {7, 37, 0};
    for (size_t k = 0; k < sizeof batches / sizeof *batches; k++) {
        float *wanted = NULL;
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            struct problem problem = problem_new(k % 2 == 0 ? 3 : 20, WEFT_GELU);
            train(&problem, threads[t], batches[k] == 7 ? 1 : 3, batches[k], 0.9);
            float *params = synthetic_params(problem.net);
            size_t n = weft_net_n_params(problem.net);
            if (t == 0) {
                wanted = params;
            } else {
                CHECK_BYTES(params, wanted, n * sizeof *params);
                free(params);
            }
            problem_release(&problem);
        }
        free(wanted);
    }
}

/* Steps that follow each tile's gradient at once, and gradients taken whole with steps by hand. */
static void fused_and_separate_updates(void)
{
    enum { STEPS = 4 };
    struct problem fused = problem_new(20, WEFT_TANH), separate = problem_new(20, WEFT_TANH);
    size_t n = weft_net_n_params(fused.net);
    train(&fused, 2, STEPS, 0, 0);
    float *params = synthetic_params(separate.net);
    for (size_t step = 0; step < STEPS; step++) {
        float *gradient = gradient_of(&separate, WEFT_PRECISION_BF16);
        for (size_t i = 0; i < n; i++) {
            params[i] -= 0.1f * gradient[i];
        }
        weft_net_set_params(separate.net, params);
        free(gradient);
    }
    float *wanted = synthetic_params(fused.net);
    CHECK_BYTES(params, wanted, n * sizeof *params);
    free(wanted);
    free(params);
    problem_release(&fused);
    problem_release(&separate);
}

static void saved_and_loaded_in_between(void)
{
    char path[256];
    weft_error err;
    struct problem whole = problem_new(20, WEFT_SILU), halves = problem_new(20, WEFT_SILU);
    train(&whole, 2, 4, 37, 0);
    train(&halves, 2, 2, 37, 0);
    snprintf(path, sizeof path, "%s/half.safetensors", harness_temp_dir());
    CHECK_OK(weft_model_save(halves.net, path, &err), &err);
    weft_net_free(halves.net);
    halves.net = NULL;
    CU_ASSERT_FATAL(CHECK_OK(weft_model_load(path, NULL, &halves.net, &err), &err));
    train(&halves, 3, 2, 37, 0);
    float *got = synthetic_params(halves.net), *wanted = synthetic_params(whole.net);
    CHECK_BYTES(got, wanted, weft_net_n_params(whole.net) * sizeof *got);
    free(got);
    free(wanted);
    problem_release(&whole);
    problem_release(&halves);
}

/* Predictions do not depend on what other samples there are. */
static void same_bits_in_any_batch(void)
{
    struct problem problem = problem_new(20, WEFT_RELU);
    weft_context *context = context_of(WEFT_PRECISION_BF16, 2);
    weft_tensor x = weft_dataset_x(problem.data), all, one;
    weft_error err;
    CU_ASSERT_FATAL(weft_tensor_init(&all, WEFT_F32, x.rows, 20) == WEFT_OK);
    CU_ASSERT_FATAL(weft_tensor_init(&one, WEFT_F32, 1, 20) == WEFT_OK);
    CHECK_OK(weft_net_forward(context, problem.net, &x, &all, &err), &err);
    for (size_t i = 0; i < x.rows; i += 13) {
        weft_tensor sample = weft_tensor_view(&x, i, 0, 1, x.cols);
        CHECK_OK(weft_net_forward(context, problem.net, &sample, &one, &err), &err);
        CHECK_BYTES(one.data, (float *)all.data + i * all.ld, 20 * sizeof(float));
    }
    weft_tensor_release(&all);
    weft_tensor_release(&one);
    weft_context_free(context);
    problem_release(&problem);
}

static void separable_set_is_learnt(void)
{
    struct problem problem = problem_new(20, WEFT_RELU);
    weft_context *context = context_of(WEFT_PRECISION_BF16, 2);
    weft_evaluation found;
    weft_error err;
    train(&problem, 2, HARNESS_SLOW_BUILD ? 40 : 80, 20, 0.5);
    CHECK_OK(weft_evaluate(context, problem.net, problem.data, &found, &err), &err);
    CHECK(found.accuracy > 0.99);
    weft_evaluation_release(&found);
    weft_context_free(context);
    problem_release(&problem);
}

/* ---- memory ---- */

/* Every allocation of a step of training fails in turn. */
static void out_of_memory_is_told(void)
{
    struct problem problem = problem_new(20, WEFT_RELU);
    weft_tensor x = weft_dataset_x(problem.data);
    weft_targets targets = weft_dataset_targets(problem.data);
    weft_context *context = context_of(WEFT_PRECISION_BF16, 2);
    weft_status status = WEFT_ERR_NOMEM;
    size_t i = 1;
    for (; status == WEFT_ERR_NOMEM && i < 1000; i++) {
        double loss;
        weft_mem_fail_at(i);
        status = weft_net_gradient(context, problem.net, &x, &targets, &loss, NULL, NULL);
    }
    weft_mem_fail_at(0);
    CHECK_STATUS(status, WEFT_OK, NULL);
    CHECK(i > 20);
    weft_context_free(context);
    problem_release(&problem);
}

static size_t n_allocations_of(size_t epochs)
{
    struct problem problem = problem_new(20, WEFT_RELU);
    size_t before = weft_mem_count();
    train(&problem, 2, epochs, 37, 0.5);
    size_t n = weft_mem_count() - before;
    problem_release(&problem);
    return n;
}

static void steps_allocate_nothing(void)
{
    CHECK_UINT(n_allocations_of(3), n_allocations_of(1));
}

static CU_TestInfo choice_tests[] = {
    {"names and choice", names_and_choice},
    {"best set for each precision", best_set_for_each_precision},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo result_tests[] = {
    {"one layer from rounded factors", one_layer_from_rounded_factors},
    {"gradient is near that of float32", gradient_is_near_that_of_float32},
    {"same bits on any threads", same_bits_on_any_threads},
    {"fused and separate updates", fused_and_separate_updates},
    {"saved and loaded in between", saved_and_loaded_in_between},
    {"same bits in any batch", same_bits_in_any_batch},
    {"separable set is learnt", separable_set_is_learnt},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo memory_tests[] = {
    {"out of memory is told", out_of_memory_is_told},
    {"steps allocate nothing", steps_allocate_nothing},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"choice", NULL, NULL, NULL, NULL, choice_tests},
    {"bf16", NULL, NULL, NULL, NULL, result_tests},
    {"memory", NULL, NULL, NULL, NULL, memory_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
