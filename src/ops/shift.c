/* See shift.h. Lines of an image are scaled where they come to lie. */
#include "ops/shift.h"

#include <assert.h>
#include <stdbool.h>

#include "base/rng.h"
#include "kernels/kernels.h"
#include "ops/team.h"
#include "ops/tiles.h"

/* A row of the result, and the scaling of its elements. */
struct target {
    const struct weft_kernel_set *kernels;
    float *to;
    const float *shift, *scale;
    bool each;
};

/* n elements from `at` on: of the sample's numbers from `from` on. */
static void place(const struct target *target, size_t at, size_t n, const weft_tensor *x,
                  size_t row, size_t from)
{
    size_t first = row * x->ld + from, of = target->each ? at : 0;
    if (x->dtype == WEFT_U8) {
        target->kernels->scale_u8(n, (const uint8_t *)x->data + first, target->shift + of,
                                  target->scale + of, target->each, target->to + at);
    } else {
        target->kernels->scale_f32(n, (const float *)x->data + first, target->shift + of,
                                   target->scale + of, target->each, target->to + at);
    }
}

/* n elements from `at` on: of zeros. */
static void fill(const struct target *target, size_t at, size_t n)
{
    static const float zeros[64] = {0};
    size_t end = at + n;
    for (size_t part; at < end; at += part) {
        size_t of = target->each ? at : 0;
        part = weft_smaller(sizeof zeros / sizeof *zeros, end - at);
        target->kernels->scale_f32(part, zeros, target->shift + of, target->scale + of,
                                   target->each, target->to + at);
    }
}

/* Uniform in -most .. most. The bias is below n / 2^32. */
static ptrdiff_t offset_of(uint32_t bits, size_t most)
{
    return (ptrdiff_t)((uint64_t)bits * (2 * most + 1) >> 32) - (ptrdiff_t)most;
}

static void place_image(const struct target *target, const struct weft_shift *move,
                        const weft_tensor *x, size_t row, size_t sample)
{
    uint64_t bits = weft_rng_u64(move->seed, weft_rng_stream(WEFT_RNG_MOVE, move->epoch), sample);
    ptrdiff_t dx = offset_of((uint32_t)bits, move->most);
    ptrdiff_t dy = offset_of((uint32_t)(bits >> 32), move->most);
    size_t line = move->width * move->depth;
    size_t in = (dx > 0 ? (size_t)dx : 0) * move->depth;   /* zeros at the left */
    size_t out = (dx < 0 ? (size_t)-dx : 0) * move->depth; /* what leaves there */
    for (size_t y = 0; y < move->height; y++) {
        ptrdiff_t from = (ptrdiff_t)y - dy;
        size_t at = y * line;
        if (from < 0 || (size_t)from >= move->height) {
            fill(target, at, line);
            continue;
        }
        fill(target, at, in);
        place(target, at + in, line - in - out, x, row, (size_t)from * line + out);
        fill(target, at + line - out, out);
    }
}

void weft_gather_shifted_team(weft_context *context, const struct weft_shift *move,
                              const weft_tensor *x, const uint32_t *rows, size_t first,
                              const uint32_t *samples, size_t n_scale, const float *shift,
                              const float *scale, const weft_tensor *out)
{
    static const float zero = 0, one = 1;
    assert(x->cols == out->cols && move->height * move->width * move->depth == x->cols);
    assert(move->most < move->height && move->most < move->width);
#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < out->rows; i++) {
        const struct target target = {
            .kernels = context->kernels,
            .to = (float *)out->data + i * out->ld,
            .shift = n_scale > 0 ? shift : &zero,
            .scale = n_scale > 0 ? scale : &one,
            .each = n_scale > 1,
        };
        size_t row = rows != NULL ? rows[i] : first + i;
        place_image(&target, move, x, row, samples != NULL ? samples[i] : row);
    }
    weft_team_barrier(context);
}
