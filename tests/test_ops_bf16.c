/* Floor 3: the bfloat16 copies of layers. That products of them are right is shown floor by floor:
 * the kernels in test_bf16.c, the training in test_precision.c. Here: a list of what is not zero
 * changes no bit, and copies are the same whoever makes them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ops/linear.h"
#include "ops/linear_bf16.h"
#include "ops/team.h"

#include "harness.h"

enum { N_ROUNDS = HARNESS_EMULATED ? 8 : HARNESS_SLOW_BUILD ? 12 : 40 };

static weft_context *context_of(uint64_t round)
{
    static const size_t thread_counts[] = {1, 2, 3, 8};
    weft_context_options options = weft_context_options_default();
    options.n_threads = thread_counts[round % 4];
    options.precision = WEFT_PRECISION_BF16;
    weft_context *context = NULL;
    weft_error err;
    CHECK_OK(weft_context_new(&options, &context, &err), &err);
    CU_ASSERT_FATAL(context != NULL);
    return context;
}

static size_t size_at(uint64_t stream, uint64_t round, size_t most)
{
    return 1 + (size_t)(weft_rng_u64(21, stream, round) % most);
}

/* Random numbers, so many of them zeros, and a column of ones behind. */
static weft_tensor random_input(size_t rows, size_t cols, double zeros, uint64_t stream)
{
    weft_tensor x = {0};
    CU_ASSERT_FATAL(weft_linear_input_init(&x, rows, cols) == WEFT_OK);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < cols; j++) {
            uint64_t at = i * cols + j;
            bool zero = weft_rng_uniform(22, stream, at) < zeros;
            ((float *)x.data)[i * x.ld + j] =
                zero ? (at % 3 == 0 ? -0.0f : 0.0f) : (float)weft_rng_normal(23, stream, at);
        }
    }
    return x;
}

static float *random_floats(size_t n, uint64_t stream)
{
    float *block = weft_mem_zalloc(n, sizeof *block);
    CU_ASSERT_FATAL(block != NULL);
    for (size_t i = 0; i < n; i++) {
        block[i] = (float)weft_rng_normal(24, stream, i);
    }
    return block;
}

/* A layer with its parameters and copies; all of them are wanted. */
struct side {
    struct weft_linear linear;
    float *params;
    struct weft_linear_bf16 copies;
};

static struct side side_of(const weft_context *context, size_t n_in, size_t n_out, size_t rows,
                           bool zeros)
{
    struct weft_bf16_uses uses = {.weight_gradient = true, .input_gradient = true, .zeros = zeros};
    struct side side = {.linear = weft_linear_of(n_in, n_out)};
    side.params = random_floats(side.linear.len, 1);
    CU_ASSERT_FATAL(weft_linear_bf16_init(&side.copies, context, &side.linear, rows, uses) ==
                    WEFT_OK);
    return side;
}

static void side_release(struct side *side)
{
    weft_mem_free(side->params);
    weft_linear_bf16_release(&side->copies);
}

static const struct weft_linear_bf16 *copies_of(const struct side *side)
{
    return side->copies.w_pairs != NULL ? &side->copies : NULL;
}

/* ---- lists ---- */

struct product_run {
    weft_context *context;
    const struct side *side;
    const weft_tensor *x, *dz;
    weft_tensor *y;
    float *gradient;
};

static void product_team(void *arg)
{
    const struct product_run *run = arg;
    const struct side *side = run->side;
    weft_linear_bf16_weights_team(run->context, &side->linear, side->params, &side->copies);
    weft_linear_bf16_input_team(run->context, run->x, &side->copies);
    weft_linear_bf16_gradient_team(run->context, run->dz, &side->copies);
    weft_linear_forward_team(run->context, &(struct weft_forward_job){
                                               .linear = &side->linear,
                                               .params = side->params,
                                               .x = *run->x,
                                               .y = *run->y,
                                               .f = WEFT_IDENTITY,
                                               .bf16 = &side->copies,
                                           });
    weft_linear_weight_gradient_nowait(run->context, &(struct weft_weight_gradient_job){
                                                         .linear = &side->linear,
                                                         .x = *run->x,
                                                         .dz = *run->dz,
                                                         .gradient = run->gradient,
                                                         .bf16 = &side->copies,
                                                     });
}

/* n_in beyond two runs of terms in some rounds. */
static void lists_change_no_bit(void)
{
    static const size_t n_outs[] = {17, 32, 33, 100, 64};
    for (uint64_t round = 0; round < N_ROUNDS; round++) {
        weft_context *context = context_of(round);
        size_t n_in = size_at(1, round, round % 4 == 0 ? 900 : 120), n_out = n_outs[round % 5];
        size_t batch = size_at(2, round, 100);
        double zeros = round % 3 == 0 ? 0.98 : 0.7;
        weft_tensor x = random_input(batch, n_in, zeros, round), y[2];
        weft_tensor dz = random_input(batch, n_out, 0, round + 1000);
        float *gradient[2];
        for (int lists = 0; lists < 2; lists++) {
            struct side side = side_of(context, n_in, n_out, batch + 3, lists != 0);
            CHECK((side.copies.by_cols.terms != NULL) == (lists != 0));
            y[lists] = random_input(batch, n_out, 0, round + 2000);
            gradient[lists] = random_floats(side.linear.len, 3);
            weft_team_run(
                context, product_team,
                &(struct product_run){context, &side, &x, &dz, &y[lists], gradient[lists]});
            side_release(&side);
        }
        size_t len = weft_linear_of(n_in, n_out).len;
        bool right = CHECK_BYTES(y[1].data, y[0].data, batch * y[0].ld * sizeof(float));
        right = CHECK_BYTES(gradient[1], gradient[0], len * sizeof(float)) && right;
        if (!right) {
            printf(" %zu x %zu, batch %zu", n_in, n_out, batch);
        }
        for (int lists = 0; lists < 2; lists++) {
            weft_tensor_release(&y[lists]);
            weft_mem_free(gradient[lists]);
        }
        weft_tensor_release(&x);
        weft_tensor_release(&dz);
        weft_context_free(context);
    }
}

/* ---- who makes them ---- */

/* Two layers, one on top of the other, with two sets of copies: those that the products of the
 * neighbour leave, and those made of what it returns. */
struct neighbours {
    weft_context *context;
    struct side low[2], high[2];
    weft_tensor x, y, dz, dy;
    float *turned;
};

static void neighbours_team(void *arg)
{
    const struct neighbours *n = arg;
    const struct side *low = &n->low[0], *high = &n->high[0];
    if (copies_of(low) != NULL) {
        weft_linear_bf16_weights_team(n->context, &low->linear, low->params, &low->copies);
        weft_linear_bf16_input_team(n->context, &n->x, &low->copies);
    }
    if (copies_of(high) != NULL) {
        weft_linear_bf16_weights_team(n->context, &high->linear, high->params, &high->copies);
        weft_linear_bf16_gradient_team(n->context, &n->dz, &high->copies);
    }
    weft_linear_forward_team(n->context, &(struct weft_forward_job){
                                             .linear = &low->linear,
                                             .params = low->params,
                                             .x = n->x,
                                             .y = n->y,
                                             .f = WEFT_RELU,
                                             .bf16 = copies_of(low),
                                             .y_copies = copies_of(high),
                                         });
    weft_linear_input_gradient_team(n->context, &(struct weft_input_gradient_job){
                                                    .linear = &high->linear,
                                                    .params = high->params,
                                                    .dz = n->dz,
                                                    .dx = n->dy,
                                                    .saved = n->y,
                                                    .f = WEFT_RELU,
                                                    .turned = n->turned,
                                                    .bf16 = copies_of(high),
                                                    .dx_copies = copies_of(low),
                                                });
    if (copies_of(high) != NULL) {
        weft_linear_bf16_input_team(n->context, &n->y, &n->high[1].copies);
    }
    if (copies_of(low) != NULL) {
        weft_linear_bf16_gradient_team(n->context, &n->dy, &n->low[1].copies);
    }
}

/* The copies of a batch, which begin as zeros. */
static bool same_input(const struct side *a, const struct side *b, size_t rows)
{
    const struct weft_linear_bf16 *x = &a->copies, *y = &b->copies;
    return CHECK_BYTES(x->x_rows, y->x_rows, rows * x->x_ld * sizeof(uint16_t)) &&
           CHECK_BYTES(x->x_turned, y->x_turned,
                       (a->linear.n_in + 1) * x->turned_ld * sizeof(uint16_t));
}

static bool same_gradient(const struct side *a, const struct side *b, size_t rows)
{
    const struct weft_linear_bf16 *x = &a->copies, *y = &b->copies;
    size_t turned = (rows + 31) / 32 * ((a->linear.n_out + 1) / 2) * 64;
    return CHECK_BYTES(x->dz_pairs, y->dz_pairs, (rows + 1) / 2 * x->dz_ld * sizeof(uint16_t)) &&
           CHECK_BYTES(x->dz_turned, y->dz_turned, turned * sizeof(uint16_t));
}

static void made_by_neighbours(void)
{
    static const size_t sizes[][2] = {{70, 40}, {33, 10}, {10, 50}, {64, 64}, {17, 3}, {135, 31}};
    for (uint64_t round = 0; round < N_ROUNDS; round++) {
        weft_context *context = context_of(round);
        size_t n_in = size_at(3, round, 90), batch = size_at(4, round, 130);
        size_t n_mid = sizes[round % 6][0], n_out = sizes[round % 6][1];
        struct neighbours n = {.context = context};
        for (int i = 0; i < 2; i++) {
            n.low[i] = side_of(context, n_in, n_mid, batch, false);
            n.high[i] = side_of(context, n_mid, n_out, batch, false);
        }
        n.x = random_input(batch, n_in, 0, round);
        n.y = random_input(batch, n_mid, 0, round);
        n.dz = random_input(batch, n_out, 0, round + 1);
        n.dy = random_input(batch, n_mid, 0, round);
        n.turned = random_floats(weft_linear_turned_len(&n.high[0].linear, batch), 4);
        weft_team_run(context, neighbours_team, &n);
        bool right = copies_of(&n.high[0]) == NULL || same_input(&n.high[0], &n.high[1], batch);
        right =
            (copies_of(&n.low[0]) == NULL || same_gradient(&n.low[0], &n.low[1], batch)) && right;
        if (!right) {
            printf(" %zu-%zu-%zu, batch %zu", n_in, n_mid, n_out, batch);
        }
        for (int i = 0; i < 2; i++) {
            side_release(&n.low[i]);
            side_release(&n.high[i]);
        }
        weft_tensor_release(&n.x);
        weft_tensor_release(&n.y);
        weft_tensor_release(&n.dz);
        weft_tensor_release(&n.dy);
        weft_mem_free(n.turned);
        weft_context_free(context);
    }
}

static CU_TestInfo copies_tests[] = {
    {"lists change no bit", lists_change_no_bit},
    {"the same whoever makes them", made_by_neighbours},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"bfloat16 copies", NULL, NULL, NULL, NULL, copies_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
