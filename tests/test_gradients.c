/* Gradients and losses against a second implementation (reference.c): random networks of every
 * activation, output, depth and input type; central differences in double precision along random
 * directions; closed forms of the output layer; logits far out.
 *
 * A direction d passes where |g.d - fd| <= 1e-3 max(|g.d|, |fd|, 1e-3 |g| |d|), and where the
 * signs agree if |fd| is above that floor. h is small enough for an error of O(h^2) far below the
 * bound; directions along which a unit of relu, leaky_relu or selu changes sign between w - h d
 * and w + h d are redrawn, as the difference says nothing there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "harness.h"
#include "reference.h"
#include "synthetic.h"

#include <weft/weft.h>

#define N_NETWORKS 432
#define N_DIRECTIONS 6 /* of which the last two lie in one layer's weights and biases */
#define MAX_REDRAWS 200
#define MAX_OUTPUTS 16
#define TOLERANCE 1e-3
#define FLOOR 1e-3

enum { STREAM_SHAPE = 1, STREAM_X, STREAM_Y, STREAM_BIAS, STREAM_DIRECTION };

/* One random network with its batch. */
struct problem {
    uint64_t seed;
    weft_net *net;
    struct reference ref;
    weft_tensor x;
    weft_targets targets;
    int32_t *classes;
    float *values, *weights;
    size_t batch, n_params;
    double *inputs; /* [batch, n_inputs] scaled */
    double *params; /* [n_params] */
    double x_rms;
};

/* What the whole run has seen. */
struct tally {
    size_t networks, directions, redraws, redrawn_networks;
    double worst; /* error as a share of the bound: 1 is the limit */
    double worst_loss;
    size_t activations[WEFT_N_ACTIVATIONS], outputs[WEFT_N_OUTPUTS], depths[8], batches[34];
};

static double uniform(uint64_t seed, uint64_t stream, uint64_t i)
{
    return weft_rng_uniform(seed, stream, i);
}

static size_t between(uint64_t seed, uint64_t i, size_t lo, size_t hi)
{
    return lo + (size_t)(uniform(seed, STREAM_SHAPE, i) * (double)(hi - lo + 1));
}

/* Mostly narrow, at times beyond the block sizes of the matrix kernels. */
static size_t random_width(uint64_t seed, uint64_t i)
{
    return between(seed, 2 * i, 0, 19) == 0 ? between(seed, 2 * i + 1, 64, 300)
                                            : between(seed, 2 * i + 1, 1, 40);
}

/* Depth, output, input type, scaling and batch size each walk their range as `index` grows; their
 * periods (6, 4, 2 and so on, shifted at each turn) make the pairs meet. */
static void make_net(struct problem *p, size_t index)
{
    size_t depth = index % 6 + 1, turn = index / 6; /* depth: hidden layers */
    size_t hidden[6];
    weft_activation activations[6];
    for (size_t l = 0; l < depth; l++) {
        hidden[l] = random_width(p->seed, 10 + l);
        activations[l] = l == 0 ? (weft_activation)(turn % WEFT_N_ACTIVATIONS)
                                : (weft_activation)between(p->seed, 100 + l, 0, 8);
    }
    weft_output output = (weft_output)((turn + index) % WEFT_N_OUTPUTS);
    size_t n_outputs = between(p->seed, 3, output == WEFT_OUTPUT_SOFTMAX ? 2 : 1, 12);
    if (output == WEFT_OUTPUT_SIGMOID && turn % 2 == 0) {
        n_outputs = 1;
    }
    weft_net_options options = {.n_inputs = random_width(p->seed, 20),
                                .n_outputs = n_outputs,
                                .n_hidden = turn % 12 == 11 ? 0 : depth,
                                .hidden = hidden,
                                .activations = activations,
                                .output = output};
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_net_new(&options, &p->net, &err), &err));
    weft_init init = (weft_init)between(p->seed, 4, 0, WEFT_N_INITS - 1);
    CHECK_OK(weft_net_init(p->net, init, 0.1f, p->seed, &err), &err);
    p->ref = reference_of(p->net);
    p->n_params = weft_net_n_params(p->net);
}

static void make_inputs(struct problem *p, size_t index)
{
    p->batch = index % 33 + 1;
    weft_dtype dtype = index / 2 % 2 == 0 ? WEFT_F32 : WEFT_U8;
    CU_ASSERT_FATAL(weft_tensor_init(&p->x, dtype, p->batch, p->ref.width[0]) == WEFT_OK);
    for (size_t i = 0; i < p->batch; i++) {
        for (size_t j = 0; j < p->x.cols; j++) {
            uint64_t at = i * p->x.cols + j;
            if (dtype == WEFT_U8) {
                ((uint8_t *)p->x.data)[i * p->x.ld + j] =
                    (uint8_t)(256 * uniform(p->seed, STREAM_X, at));
            } else {
                ((float *)p->x.data)[i * p->x.ld + j] =
                    (float)(1 + 2 * weft_rng_normal(p->seed, STREAM_X, at));
            }
        }
    }
}

static void make_targets(struct problem *p)
{
    size_t c = p->ref.width[p->ref.n_layers];
    bool single_sigmoid = p->ref.output == WEFT_OUTPUT_SIGMOID && c == 1;
    p->classes = reference_alloc(p->batch, sizeof *p->classes);
    p->values = reference_alloc(p->batch * c, sizeof *p->values);
    for (size_t b = 0; b < p->batch; b++) {
        double u = uniform(p->seed, STREAM_Y, b);
        p->classes[b] = (int32_t)(u * (double)(single_sigmoid ? 2 : c));
    }
    for (size_t k = 0; k < p->batch * c; k++) {
        double u = uniform(p->seed, STREAM_Y, 1000 + k);
        /* Labels that are 0, 1 or between for sigmoid; any number for identity. */
        p->values[k] = p->ref.output == WEFT_OUTPUT_SIGMOID ? (float)fmin(fmax(2 * u - 0.5, 0), 1)
                                                            : (float)(4 * u - 2);
    }
    /* Every other network has weights, from 0 to 3. */
    p->weights = reference_alloc(p->batch, sizeof *p->weights);
    for (size_t b = 0; b < p->batch; b++) {
        double u = uniform(p->seed, STREAM_Y, 100000 + b);
        p->weights[b] = b > 0 && u < 0.1 ? 0 : (float)(3 * u + 0.01);
    }
    if (p->ref.output == WEFT_OUTPUT_SOFTMAX || single_sigmoid) {
        p->targets = (weft_targets){.kind = WEFT_LABELS_CLASSES, .classes = p->classes};
    } else {
        p->targets = (weft_targets){.kind = WEFT_LABELS_VALUES, .values = p->values, .n_values = c};
    }
    p->targets.weights = between(p->seed, 5, 0, 1) == 0 ? p->weights : NULL;
}

static void make_scaling(struct problem *p, size_t index)
{
    static const weft_scale_kind kinds[] = {WEFT_SCALE_NONE, WEFT_SCALE_UNIT, WEFT_SCALE_STANDARD};
    weft_targets none = {.kind = WEFT_LABELS_NONE};
    weft_dataset *data = NULL;
    weft_scaling scaling = {0};
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_dataset_from_memory(&p->x, &none, NULL, 0, &data, &err), &err));
    CHECK_OK(weft_scaling_fit(data, kinds[index / 4 % 3], &scaling, &err), &err);
    CHECK_OK(weft_net_set_scaling(p->net, &scaling, &err), &err);
    weft_scaling_release(&scaling);
    weft_dataset_free(data);
    p->inputs = reference_inputs(weft_net_scaling(p->net), &p->x);
    double squares = 0;
    for (size_t k = 0; k < p->batch * p->x.cols; k++) {
        squares += p->inputs[k] * p->inputs[k];
    }
    p->x_rms = sqrt(squares / (double)(p->batch * p->x.cols));
}

/* Biases get random values too; where inputs are large, the first layer is made smaller by as
 * much, so that the units stay out of saturation, where every gradient is 0. */
static void make_params(struct problem *p)
{
    float *params = reference_alloc(p->n_params, sizeof *params);
    weft_net_get_params(p->net, params);
    size_t at = 0;
    for (size_t l = 0; l < p->ref.n_layers; l++) {
        size_t n_weights = p->ref.width[l] * p->ref.width[l + 1];
        for (size_t k = 0; k < n_weights; k++) {
            params[at + k] /= l == 0 ? (float)fmax(1, p->x_rms) : 1.0f;
        }
        at += n_weights;
        for (size_t o = 0; o < p->ref.width[l + 1]; o++, at++) {
            params[at] = (float)(0.3 * weft_rng_normal(p->seed, STREAM_BIAS, at));
        }
    }
    weft_net_set_params(p->net, params);
    memset(params, 0, p->n_params * sizeof *params);
    weft_net_get_params(p->net, params);
    p->params = reference_alloc(p->n_params, sizeof *p->params);
    for (size_t k = 0; k < p->n_params; k++) {
        p->params[k] = (double)params[k];
    }
    free(params);
}

static void problem_init(struct problem *p, size_t index, uint64_t seed)
{
    *p = (struct problem){.seed = seed};
    make_net(p, index);
    make_inputs(p, index);
    make_targets(p);
    make_scaling(p, index);
    make_params(p);
}

static void problem_release(struct problem *p)
{
    weft_net_free(p->net);
    weft_tensor_release(&p->x);
    free(p->classes);
    free(p->values);
    free(p->weights);
    free(p->inputs);
    free(p->params);
}

static double norm(const double *v, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += v[k] * v[k];
    }
    return sqrt(sum);
}

/* A direction of length 1; the last two of the N_DIRECTIONS leave all but one layer's weights or
 * biases alone, so that a small part of the gradient cannot hide behind a large one. */
static void draw_direction(const struct problem *p, uint64_t number, double *d)
{
    uint64_t kind = number % N_DIRECTIONS;
    size_t only = between(p->seed, 1000 + number, 0, p->ref.n_layers - 1), at = 0;
    for (size_t l = 0; l < p->ref.n_layers; l++) {
        size_t n_weights = p->ref.width[l] * p->ref.width[l + 1];
        for (size_t k = 0; k < n_weights + p->ref.width[l + 1]; k++, at++) {
            bool wanted = kind < N_DIRECTIONS - 2 ||
                          (l == only && (k < n_weights) == (kind == N_DIRECTIONS - 2));
            uint64_t counter = number * p->n_params + at;
            d[at] = wanted ? weft_rng_normal(p->seed, STREAM_DIRECTION, counter) : 0;
        }
    }
    double length = norm(d, p->n_params);
    for (size_t k = 0; k < p->n_params; k++) {
        d[k] /= length;
    }
}

/* Whether any unit with a kink has pre-activations of two signs (or a 0) in the three. */
static bool crosses_kink(const struct problem *p, const double *za, const double *zb,
                         const double *zc)
{
    size_t n_units = reference_n_units(&p->ref);
    for (size_t b = 0; b < p->batch; b++) {
        size_t at = b * n_units;
        for (size_t l = 0; l + 1 < p->ref.n_layers; l++) {
            bool kink = reference_has_kink(p->ref.activation[l]);
            for (size_t o = 0; o < p->ref.width[l + 1]; o++, at++) {
                bool positive = za[at] > 0 && zb[at] > 0 && zc[at] > 0;
                bool negative = za[at] < 0 && zb[at] < 0 && zc[at] < 0;
                if (kink && !positive && !negative) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Central difference along d; false where the direction crosses a kink. */
static bool difference(const struct problem *p, const double *z0, const double *d, double h,
                       double *fd)
{
    size_t n_z = p->batch * reference_n_units(&p->ref);
    double *moved = reference_alloc(p->n_params, sizeof *moved);
    double *z = reference_alloc(2 * n_z, sizeof *z);
    double loss[2];
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < p->n_params; k++) {
            moved[k] = p->params[k] + (side == 0 ? -h : h) * d[k];
        }
        loss[side] = reference_loss(&p->ref, moved, p->inputs, &p->targets, p->batch,
                                    z + (size_t)side * n_z);
    }
    *fd = (loss[1] - loss[0]) / (2 * h);
    bool smooth = !crosses_kink(p, z, z0, z + n_z);
    free(moved);
    free(z);
    return smooth;
}

/* Checks one derivative; returns the error as a share of what is allowed. */
static double check_direction(const struct problem *p, size_t index, size_t number,
                              const double *gradient, const double *d, double fd)
{
    double gd = 0, g_squares = 0;
    for (size_t k = 0; k < p->n_params; k++) {
        gd += gradient[k] * d[k];
        g_squares += d[k] == 0 ? 0 : gradient[k] * gradient[k];
    }
    double floor = FLOOR * sqrt(g_squares); /* |d| = 1 */
    double bound = TOLERANCE * fmax(fmax(fabs(gd), fabs(fd)), floor);
    double error = fabs(gd - fd);
    bool sign_ok = fabs(fd) <= floor || (gd > 0) == (fd > 0);
    if (!(error <= bound) || !sign_ok) {
        printf("\n  network %zu (seed %llu, %zu layers, %s, batch %zu), direction %zu: g.d %.9g, "
               "difference %.9g, error %.3g, bound %.3g",
               index, (unsigned long long)p->seed, p->ref.n_layers, weft_output_name(p->ref.output),
               p->batch, number, gd, fd, error, bound);
    }
    CHECK(error <= bound);
    CHECK(sign_ok);
    return bound > 0 ? error / bound : 0;
}

/* The loss and gradient of the library, in double; the same bits from another thread count. */
static void library_gradient(const struct problem *p, weft_context *one, weft_context *many,
                             double *loss, double *gradient)
{
    weft_error err;
    float *g = reference_alloc(2 * p->n_params, sizeof *g);
    double loss_many = 0;
    for (size_t k = 0; k < 2 * p->n_params; k++) {
        g[k] = NAN; /* what is not written shows */
    }
    CHECK_OK(weft_net_gradient(one, p->net, &p->x, &p->targets, loss, g, &err), &err);
    CHECK_OK(weft_net_gradient(many, p->net, &p->x, &p->targets, &loss_many, g + p->n_params, &err),
             &err);
    CHECK_BYTES(g, g + p->n_params, p->n_params * sizeof *g);
    CHECK_BYTES(loss, &loss_many, sizeof loss_many);
    for (size_t k = 0; k < p->n_params; k++) {
        gradient[k] = (double)g[k];
    }
    free(g);
}

static void check_loss(const struct problem *p, double got, double wanted, struct tally *tally)
{
    CHECK_NEAR(got, wanted, 1e-5 * fabs(wanted));
    tally->worst_loss = fmax(tally->worst_loss, fabs(got - wanted) / fabs(wanted));
    if (!(fabs(got - wanted) <= 1e-5 * fabs(wanted))) {
        printf("\n  seed %llu, %zu layers, %s", (unsigned long long)p->seed, p->ref.n_layers,
               weft_output_name(p->ref.output));
    }
}

/* All directions of one network; false where it sits so near a kink that none can be found. */
static bool check_network(struct problem *p, size_t index, weft_context *one, weft_context *many,
                          struct tally *tally)
{
    size_t n_units = reference_n_units(&p->ref);
    double *z = reference_alloc(p->batch * n_units, sizeof *z);
    double *gradient = reference_alloc(2 * p->n_params, sizeof *gradient);
    double *d = gradient + p->n_params;
    double loss = 0;
    double wanted = reference_loss(&p->ref, p->params, p->inputs, &p->targets, p->batch, z);
    library_gradient(p, one, many, &loss, gradient);

    double h = 1e-4 / fmax(1, p->x_rms / 10);
    size_t done = 0;
    for (uint64_t draw = 0; done < N_DIRECTIONS && draw < MAX_REDRAWS; draw++) {
        double fd;
        draw_direction(p, draw * N_DIRECTIONS + done, d);
        if (!difference(p, z, d, h, &fd)) {
            tally->redraws++;
            continue;
        }
        double share = check_direction(p, index, done, gradient, d, fd);
        tally->worst = fmax(tally->worst, share);
        done++;
    }
    if (done == N_DIRECTIONS) {
        tally->directions += done;
        check_loss(p, loss, wanted, tally);
    }
    free(z);
    free(gradient);
    return done == N_DIRECTIONS;
}

static void count(struct tally *tally, const struct problem *p)
{
    tally->networks++;
    tally->outputs[p->ref.output]++;
    tally->depths[p->ref.n_layers]++;
    tally->batches[p->batch]++;
    for (size_t l = 0; l + 1 < p->ref.n_layers; l++) {
        tally->activations[p->ref.activation[l]]++;
    }
}

/* A test that lost its variety would pass in silence. */
static void check_variety(const struct tally *tally)
{
    for (size_t k = 0; k < WEFT_N_ACTIVATIONS; k++) {
        CHECK(tally->activations[k] >= 30);
    }
    for (size_t k = 0; k < WEFT_N_OUTPUTS; k++) {
        CHECK(tally->outputs[k] >= 100);
    }
    for (size_t depth = 1; depth <= 7; depth++) {
        CHECK(tally->depths[depth] >= 20);
    }
    for (size_t b = 1; b <= 33; b++) {
        CHECK(tally->batches[b] >= 5);
    }
    CHECK(tally->redraws > 0); /* h is large enough to meet kinks */
    CHECK_UINT(tally->networks, N_NETWORKS);
    CHECK_UINT(tally->directions, N_NETWORKS * N_DIRECTIONS);
}

static void random_networks(void)
{
    struct tally tally = {0};
    weft_context *one = synthetic_context(1),
                 *many[] = {synthetic_context(2), synthetic_context(3), synthetic_context(4)};
    for (size_t index = 0; index < N_NETWORKS; index++) {
        bool done = false;
        for (uint64_t attempt = 0; !done && attempt < 20; attempt++) {
            struct problem p;
            problem_init(&p, index, 1000 * (attempt + 1) + index);
            done = check_network(&p, index, one, many[index % 3], &tally);
            if (done) {
                count(&tally, &p);
            } else {
                tally.redrawn_networks++;
            }
            problem_release(&p);
        }
        CHECK(done);
    }
    check_variety(&tally);
    printf("\n  %s: %zu networks (%zu redrawn), %zu directions (%zu redrawn at kinks), worst error "
           "%.3g of the bound, worst loss error %.2g ",
           weft_context_isa(one), tally.networks, tally.redrawn_networks, tally.directions,
           tally.redraws, tally.worst, tally.worst_loss);
    weft_context_free(one);
    for (size_t k = 0; k < 3; k++) {
        weft_context_free(many[k]);
    }
}

/* The judge is judged: the reference's own backpropagation against its differences, far tighter,
 * which catches a slip in either before it is blamed on the library. */
static void reference_agrees_with_itself(void)
{
    for (size_t index = 0; index < 108; index++) {
        struct problem p;
        problem_init(&p, index, 50000 + index);
        double *gradient = reference_alloc(2 * p.n_params, sizeof *gradient);
        double *d = gradient + p.n_params;
        double *z = reference_alloc(p.batch * reference_n_units(&p.ref), sizeof *z);
        reference_loss(&p.ref, p.params, p.inputs, &p.targets, p.batch, z);
        reference_gradient(&p.ref, p.params, p.inputs, &p.targets, p.batch, gradient);
        double fd, gd = 0;
        draw_direction(&p, 0, d);
        if (difference(&p, z, d, 1e-6 / fmax(1, p.x_rms / 10), &fd)) {
            for (size_t k = 0; k < p.n_params; k++) {
                gd += gradient[k] * d[k];
            }
            CHECK_NEAR(gd, fd, 1e-6 * norm(gradient, p.n_params));
        }
        free(gradient);
        free(z);
        problem_release(&p);
    }
}

/* A network without hidden layers and with inputs of one-hot rows: logits are what we choose. */
static weft_net *net_of_logits(weft_output output, const float *z, size_t n, size_t c,
                               weft_tensor *x)
{
    weft_net_options options = {.n_inputs = n, .n_outputs = c, .output = output};
    weft_net *net = NULL;
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_net_new(&options, &net, &err), &err));
    float *params = reference_alloc(weft_net_n_params(net), sizeof *params);
    for (size_t b = 0; b < n; b++) {
        for (size_t j = 0; j < c; j++) {
            params[j * n + b] = z[b * c + j];
        }
    }
    weft_net_set_params(net, params);
    free(params);
    CU_ASSERT_FATAL(weft_tensor_init(x, WEFT_F32, n, n) == WEFT_OK);
    for (size_t b = 0; b < n; b++) {
        ((float *)x->data)[b * x->ld + b] = 1;
    }
    return net;
}

/* With one-hot inputs, dloss/dW[j, b] = (p - y)[b, j] / n and dloss/dbias[j] their sum over b. */
static void check_closed_gradient(weft_context *context, const weft_net *net, const weft_tensor *x,
                                  const weft_targets *targets)
{
    static const weft_scaling none;
    struct reference ref = reference_of(net);
    size_t n = x->rows, n_params = weft_net_n_params(net);
    float *gradient = synthetic_params(net);
    double *wanted = reference_alloc(2 * n_params, sizeof *wanted), *w = wanted + n_params;
    double *inputs = reference_inputs(&none, x), loss = 0, largest = 0;
    weft_error err;
    for (size_t k = 0; k < n_params; k++) {
        w[k] = (double)gradient[k];
    }
    CHECK_OK(weft_net_gradient(context, net, x, targets, &loss, gradient, &err), &err);
    double wanted_loss = reference_loss(&ref, w, inputs, targets, n, NULL);
    CHECK(isfinite(loss));
    CHECK_NEAR(loss, wanted_loss, 1e-5 * fabs(wanted_loss));
    reference_gradient(&ref, w, inputs, targets, n, wanted);
    for (size_t k = 0; k < n_params; k++) {
        largest = fmax(largest, fabs(wanted[k]));
    }
    for (size_t k = 0; k < n_params; k++) {
        CHECK_NEAR((double)gradient[k], wanted[k], 1e-5 * fabs(wanted[k]) + 1e-6 * largest);
    }
    free(gradient);
    free(wanted);
    free(inputs);
}

/* Predictions from one row of logits. */
static void check_closed_prediction(weft_output output, const float *z, const float *p, size_t c)
{
    double zd[MAX_OUTPUTS], wanted[MAX_OUTPUTS], sum = 0;
    for (size_t j = 0; j < c; j++) {
        zd[j] = (double)z[j];
    }
    reference_predict(output, zd, c, wanted);
    for (size_t j = 0; j < c; j++) {
        CHECK_NEAR((double)p[j], wanted[j], 1e-5 * fabs(wanted[j]) + 1e-30);
        sum += (double)p[j];
    }
    if (output == WEFT_OUTPUT_SOFTMAX) {
        CHECK_NEAR(sum, 1, 1e-6);
    }
}

/* Loss, gradient and predictions for logits z [n, c] against the closed forms. */
static void check_closed_form(weft_output output, const float *z, size_t n, size_t c,
                              const weft_targets *targets)
{
    weft_tensor x = {0}, logits = {0};
    weft_context *context = synthetic_context(2);
    weft_net *net = net_of_logits(output, z, n, c, &x);
    weft_error err;
    check_closed_gradient(context, net, &x, targets);
    CHECK(weft_tensor_init(&logits, WEFT_F32, n, c) == WEFT_OK);
    CHECK_OK(weft_net_forward(context, net, &x, &logits, &err), &err);
    for (size_t b = 0; b < n; b++) {
        CHECK_FLOATS_NEAR((float *)logits.data + b * logits.ld, z + b * c, c, 0, 0);
    }
    weft_output_apply(output, &logits);
    for (size_t b = 0; b < n; b++) {
        check_closed_prediction(output, z + b * c, (float *)logits.data + b * logits.ld, c);
    }
    weft_tensor_release(&x);
    weft_tensor_release(&logits);
    weft_net_free(net);
    weft_context_free(context);
}

/* Logits of every size up to 1e4, both signs, as whole and broken numbers. */
static void closed_forms(void)
{
    enum { N = 24 };
    static const double sizes[] = {0, 1e-6, 0.5, 1, 3, 20, 80, 90, 105, 500, 1e4};
    float z[N * MAX_OUTPUTS], values[N * MAX_OUTPUTS];
    int32_t classes[N];
    for (size_t c = 1; c <= MAX_OUTPUTS; c += 5) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (size_t k = 0; k < N * c; k++) {
                double u = 2 * uniform(s, 77, k) - 1;
                z[k] = (float)(k % 3 == 0 ? copysign(sizes[s], u) : sizes[s] * u);
                values[k] = (float)(k % 4 == 0 ? 0 : k % 4 == 1 ? 1 : (u + 1) / 2);
            }
            for (size_t b = 0; b < N; b++) {
                classes[b] = (int32_t)(b % (c == 1 ? 2 : c));
            }
            weft_targets of_class = {.kind = WEFT_LABELS_CLASSES, .classes = classes};
            weft_targets of_values = {.kind = WEFT_LABELS_VALUES, .values = values, .n_values = c};
            if (c > 1) {
                check_closed_form(WEFT_OUTPUT_SOFTMAX, z, N, c, &of_class);
            }
            check_closed_form(WEFT_OUTPUT_SIGMOID, z, N, c, c == 1 ? &of_class : &of_values);
            check_closed_form(WEFT_OUTPUT_IDENTITY, z, N, c, &of_values);
        }
    }
}

/* One sample, all right or all wrong, at logits of 1e4: exact losses that need no reference. */
static void extreme_logits(void)
{
    weft_context *context = synthetic_context(1);
    static const struct {
        weft_output output;
        float z[2];
        int32_t class;
        double loss;
    } cases[] = {
        {WEFT_OUTPUT_SOFTMAX, {10000, -10000}, 0, 0},
        {WEFT_OUTPUT_SOFTMAX, {10000, -10000}, 1, 2e4},
        {WEFT_OUTPUT_SOFTMAX, {-10000, -10000}, 0, 0.69314718055994531},
        {WEFT_OUTPUT_SIGMOID, {10000}, 1, 0},
        {WEFT_OUTPUT_SIGMOID, {10000}, 0, 1e4},
        {WEFT_OUTPUT_SIGMOID, {-10000}, 0, 0},
        {WEFT_OUTPUT_SIGMOID, {-10000}, 1, 1e4},
        {WEFT_OUTPUT_SIGMOID, {0}, 1, 0.69314718055994531},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        size_t c = cases[k].output == WEFT_OUTPUT_SOFTMAX ? 2 : 1;
        weft_tensor x = {0};
        weft_net *net = net_of_logits(cases[k].output, cases[k].z, 1, c, &x);
        weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = &cases[k].class};
        float gradient[4];
        double loss = (double)NAN;
        weft_error err;
        CHECK_OK(weft_net_gradient(context, net, &x, &targets, &loss, gradient, &err), &err);
        CHECK_NEAR(loss, cases[k].loss, 1e-6 * cases[k].loss);
        for (size_t j = 0; j < 2 * c; j++) {
            CHECK(fabsf(gradient[j]) <= 1); /* finite */
        }
        weft_tensor_release(&x);
        weft_net_free(net);
    }
    weft_context_free(context);
}

/* The targets of n samples from row `from` on. */
static weft_targets targets_from(const weft_targets *all, size_t from)
{
    weft_targets part = *all;
    part.classes = all->classes == NULL ? NULL : all->classes + from;
    part.values = all->values == NULL ? NULL : all->values + from * all->n_values;
    part.weights = all->weights == NULL ? NULL : all->weights + from;
    return part;
}

/* A batch of n rows: p's first row once, its second row n - 1 times. Release x, and free() classes
 * and values. */
static weft_targets repeated(const struct problem *p, size_t n, weft_tensor *x, int32_t **classes,
                             float **values)
{
    size_t c = p->ref.width[p->ref.n_layers], size = weft_dtype_size(p->x.dtype);
    *classes = reference_alloc(n, sizeof **classes);
    *values = reference_alloc(n * c, sizeof **values);
    CU_ASSERT_FATAL(p->batch >= 2 && weft_tensor_init(x, p->x.dtype, n, p->x.cols) == WEFT_OK);
    for (size_t b = 0; b < n; b++) {
        size_t from = b == 0 ? 0 : 1;
        memcpy((char *)x->data + b * x->ld * size, (char *)p->x.data + from * p->x.ld * size,
               x->cols * size);
        (*classes)[b] = p->classes[from];
        memcpy(*values + b * c, p->values + from * c, c * sizeof **values);
    }
    weft_targets targets = p->targets;
    targets.classes = targets.classes == NULL ? NULL : *classes;
    targets.values = targets.values == NULL ? NULL : *values;
    targets.weights = NULL;
    return targets;
}

static void check_mean(const struct problem *p, size_t n)
{
    weft_context *context = synthetic_context(3);
    size_t n_params = p->n_params;
    float *g = reference_alloc(3 * n_params, sizeof *g); /* of row 0, of row 1, of the batch */
    double loss[3];
    weft_error err;
    for (size_t row = 0; row < 2; row++) {
        weft_tensor x = weft_tensor_view(&p->x, row, 0, 1, p->x.cols);
        weft_targets targets = targets_from(&p->targets, row);
        targets.weights = NULL;
        CHECK_OK(
            weft_net_gradient(context, p->net, &x, &targets, &loss[row], g + row * n_params, &err),
            &err);
    }
    weft_tensor x = {0};
    int32_t *classes;
    float *values;
    weft_targets targets = repeated(p, n, &x, &classes, &values);
    CHECK_OK(weft_net_gradient(context, p->net, &x, &targets, &loss[2], g + 2 * n_params, &err),
             &err);
    double share = 1 / (double)n, squares = 0, errors = 0;
    for (size_t k = 0; k < n_params; k++) {
        double wanted = share * (double)g[k] + (1 - share) * (double)g[n_params + k];
        double error = (double)g[2 * n_params + k] - wanted;
        squares += wanted * wanted;
        errors += error * error;
    }
    CHECK_NEAR(sqrt(errors), 0, 1e-5 * sqrt(squares));
    CHECK_NEAR(loss[2], share * loss[0] + (1 - share) * loss[1], 1e-5 * loss[2]);
    free(g);
    free(classes);
    free(values);
    weft_tensor_release(&x);
    weft_context_free(context);
}

/* The gradient of a batch is the mean of its samples' gradients: no reference is needed for a
 * missing 1/B or a sample counted twice to show, also past any chunk of samples. */
static void batch_is_mean_of_samples(void)
{
    static const size_t sizes[] = {2, 3, 32, 34, 65, 128, 130, 256, 257, 512, 514, 1026};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct problem p;
        problem_init(&p, 1 + 6 * s, 900 + s);
        check_mean(&p, sizes[s]);
        problem_release(&p);
    }
}

static CU_TestInfo gradient_tests[] = {
    {"reference agrees with itself", reference_agrees_with_itself},
    {"random networks", random_networks},
    {"batch is mean of samples", batch_is_mean_of_samples},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo loss_tests[] = {
    {"closed forms", closed_forms},
    {"extreme logits", extreme_logits},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"gradient", NULL, NULL, NULL, NULL, gradient_tests},
    {"loss", NULL, NULL, NULL, NULL, loss_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
