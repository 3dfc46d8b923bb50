/* Losses from logits, and the closed-form gradients that go with them. */
#include "ops/output.h"

#include <assert.h>
#include <math.h>

#include "base/explog.h"
#include "kernels/kernels.h"
#include "ops/team.h"

size_t weft_loss_n_blocks(size_t rows)
{
    return (rows + WEFT_LOSS_BLOCK - 1) / WEFT_LOSS_BLOCK;
}

int32_t weft_choose_class(const float *row, size_t n, float threshold)
{
    if (n == 1) {
        return row[0] >= threshold;
    }
    size_t best = 0;
    for (size_t j = 1; j < n; j++) {
        if (row[j] > row[best]) {
            best = j;
        }
    }
    return (int32_t)best;
}

/* dz = (p - q) weight; returns -sum_j q_j log p_j, where q = (1 - smoothing) onehot(y) +
 * smoothing / n. */
static double softmax_row(const struct weft_kernel_set *kernels, const float *z, size_t n,
                          int32_t y, float smoothing, float weight, float *dz)
{
    double wanted = (double)z[y]; /* sum_j q_j z_j */
    if (smoothing > 0) {
        double all = 0;
        for (size_t j = 0; j < n; j++) {
            all += (double)z[j];
        }
        wanted = (1 - (double)smoothing) * wanted + (double)smoothing / (double)n * all;
    }
    float max, rest = smoothing / (float)n;
    double sum = kernels->softmax(n, z, dz, &max);
    dz[y] -= 1.0f - smoothing;
    for (size_t j = 0; j < n; j++) {
        dz[j] = (dz[j] - rest) * weight;
    }
    return weft_log(sum) + ((double)max - wanted);
}

/* -y log p - (1 - y) log(1 - p) with p = 1 / (1 + exp(-z)) */
static double sigmoid_loss(double z, double y)
{
    return (z > 0 ? z : 0) - z * y + weft_log1p(weft_exp_nonpositive(-fabs(z)));
}

/* y has one entry for each of the n outputs; smoothing brings it nearer to 1/2. */
static double sigmoid_row(const struct weft_kernel_set *kernels, const float *z, size_t n,
                          const float *y, float smoothing, float weight, float *dz)
{
    double loss = 0;
    float keep = 1.0f - smoothing, half = smoothing / 2;
    for (size_t j = 0; j < n; j++) {
        loss += sigmoid_loss((double)z[j], (double)(keep * y[j] + half));
    }
    kernels->sigmoid(n, z, dz);
    for (size_t j = 0; j < n; j++) {
        dz[j] = (dz[j] - (keep * y[j] + half)) * weight;
    }
    return loss;
}

static double identity_row(const float *z, size_t n, const float *y, float weight, float *dz)
{
    double loss = 0;
    for (size_t j = 0; j < n; j++) {
        float residual = z[j] - y[j];
        loss += 0.5 * (double)residual * (double)residual;
        dz[j] = residual * weight;
    }
    return loss;
}

static size_t labels_right(const float *z, size_t n, const float *y)
{
    size_t right = 0;
    for (size_t j = 0; j < n; j++) {
        right += (z[j] >= 0.0f) == (y[j] >= 0.5f);
    }
    return right;
}

/* Adds the loss of one row; dz may be z, so what is asked of z is asked first. */
static void add_row(const struct weft_kernel_set *kernels, weft_output output, const float *z,
                    size_t n, const weft_targets *targets, size_t sample, float smoothing,
                    float weight, float *dz, struct weft_loss_sum *sum)
{
    double loss, counts = 1;
    if (targets->weights != NULL) {
        counts = (double)targets->weights[sample];
        weight *= targets->weights[sample];
    }
    if (targets->kind == WEFT_LABELS_CLASSES) {
        int32_t y = targets->classes[sample];
        float y_value = (float)y;
        sum->n_right += weft_choose_class(z, n, 0.0f) == y;
        loss = output == WEFT_OUTPUT_SOFTMAX
                   ? softmax_row(kernels, z, n, y, smoothing, weight, dz)
                   : sigmoid_row(kernels, z, n, &y_value, smoothing, weight, dz);
        sum->loss += counts * loss;
        return;
    }
    const float *y = targets->values + sample * targets->n_values;
    if (output == WEFT_OUTPUT_SIGMOID) {
        sum->n_right += labels_right(z, n, y);
        loss = sigmoid_row(kernels, z, n, y, smoothing, weight, dz);
    } else {
        loss = identity_row(z, n, y, weight, dz);
    }
    sum->loss += counts * loss;
}

/* Asks for the targets of a block, which in random order come from memory. Always inlined: gcc 12
 * takes a call of what only prefetches for one without effect, and leaves it out. */
static inline __attribute__((always_inline)) void prefetch(const weft_targets *targets,
                                                           const uint32_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const void *target = targets->kind == WEFT_LABELS_CLASSES
                                 ? (const void *)(targets->classes + rows[i])
                                 : targets->values + rows[i] * targets->n_values;
        __builtin_prefetch(target);
    }
}

void weft_loss_team(weft_context *context, weft_output output, const weft_tensor *z,
                    const weft_targets *targets, const uint32_t *rows, size_t first,
                    float smoothing, float weight, const weft_tensor *dz,
                    struct weft_loss_sum *sums)
{
    const struct weft_kernel_set *kernels = context->kernels;
    assert(z->rows == dz->rows && z->cols == dz->cols);
    weft_tiling tiling = weft_tiling_of(z->rows, z->cols, WEFT_LOSS_BLOCK, 0);
    size_t n_blocks = weft_tiling_count(&tiling);
#pragma omp for schedule(static) nowait
    for (size_t block = 0; block < n_blocks; block++) {
        weft_tensor tile = weft_tensor_tile(z, &tiling, block);
        struct weft_loss_sum sum = {0};
        if (rows != NULL) {
            prefetch(targets, rows + block * WEFT_LOSS_BLOCK, tile.rows);
        }
        for (size_t i = 0; i < tile.rows; i++) {
            size_t row = block * WEFT_LOSS_BLOCK + i;
            add_row(kernels, output, (const float *)tile.data + i * tile.ld, tile.cols, targets,
                    rows != NULL ? rows[row] : first + row, smoothing, weight,
                    (float *)dz->data + row * dz->ld, &sum);
        }
        sums[block] = sum;
    }
    weft_team_barrier(context);
}

struct weft_loss_sum weft_loss_total(const struct weft_loss_sum *sums, size_t n_blocks)
{
    struct weft_loss_sum total = {0};
    for (size_t block = 0; block < n_blocks; block++) {
        total.loss += sums[block].loss;
        total.n_right += sums[block].n_right;
    }
    return total;
}

void weft_output_apply(weft_output output, weft_tensor *logits)
{
    assert(logits->dtype == WEFT_F32 && logits->cols > 0);
    /* There is no context; every set gives the same bits. */
    const struct weft_kernel_set *kernels = weft_kernel_set_at(weft_kernel_set_count() - 1);
    for (size_t i = 0; i < logits->rows && output != WEFT_OUTPUT_IDENTITY; i++) {
        float *row = (float *)logits->data + i * logits->ld;
        float max;
        if (output == WEFT_OUTPUT_SOFTMAX) {
            (void)kernels->softmax(logits->cols, row, row, &max);
        } else {
            kernels->sigmoid(logits->cols, row, row);
        }
    }
}
