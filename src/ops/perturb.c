/* See perturb.h. */
#include "ops/perturb.h"

#include <assert.h>

#include "base/rng.h"
#include "kernels/kernels.h"
#include "ops/team.h"

/* Inputs are layer 0 of the streams, the outputs of hidden layer l are l + 1. */
static struct weft_draw draw_of(const struct weft_perturb *perturb, enum weft_rng_use use,
                                size_t layer, const struct weft_row_names *names, size_t i)
{
    size_t sample = names->samples != NULL ? names->samples[i]
                    : names->rows != NULL  ? names->rows[i]
                                           : names->first + i;
    uint64_t stream = weft_rng_stream(use, (uint64_t)layer << 32 | (perturb->epoch & 0xFFFFFFFFu));
    return (struct weft_draw){
        .key = {(uint32_t)perturb->seed, (uint32_t)(perturb->seed >> 32)},
        .counter = {(uint32_t)sample, (uint32_t)stream, (uint32_t)(stream >> 32)},
    };
}

/* 16-bit numbers below this are dropped. */
static uint32_t threshold_of(double share)
{
    uint32_t threshold = (uint32_t)(share * 65536 + 0.5);
    return share <= 0 ? 0 : threshold < 1 ? 1 : threshold > 65535 ? 65535 : threshold;
}

bool weft_perturb_inputs(const struct weft_perturb *perturb)
{
    return perturb->input_noise > 0 || perturb->input_dropout > 0;
}

float weft_dropout_scale(double share)
{
    return (float)(65536.0 / (65536 - threshold_of(share)));
}

/* In pieces, so that the mask needs no more than this of the stack. */
static void drop_inputs(const struct weft_kernel_set *kernels, struct weft_draw draw, double share,
                        size_t n, float *x)
{
    uint8_t keep[1024]; /* a multiple of the 128 elements that belong to 16 counters */
    float scale = weft_dropout_scale(share);
    uint32_t threshold = threshold_of(share), block = 0;
    for (size_t at = 0; at < n; at += sizeof keep, block += sizeof keep / 8) {
        size_t here = n - at < sizeof keep ? n - at : sizeof keep;
        draw.block = block;
        kernels->draw_keep(&draw, threshold, here, keep);
        kernels->mask(1, here, keep, 0, scale, x + at, 0, x + at, 0);
    }
}

void weft_perturb_team(weft_context *context, const struct weft_perturb *perturb,
                       const struct weft_row_names *names, const weft_tensor *x)
{
    const struct weft_kernel_set *kernels = context->kernels;
#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < x->rows; i++) {
        float *row = (float *)x->data + i * x->ld;
        if (perturb->input_noise > 0) {
            struct weft_draw draw = draw_of(perturb, WEFT_RNG_NOISE, 0, names, i);
            kernels->add_noise(&draw, (float)perturb->input_noise, x->cols, row);
        }
        if (perturb->input_dropout > 0) {
            drop_inputs(kernels, draw_of(perturb, WEFT_RNG_DROP, 0, names, i),
                        perturb->input_dropout, x->cols, row);
        }
    }
    weft_team_barrier(context);
}

void weft_dropout_draw_nowait(weft_context *context, const struct weft_perturb *perturb,
                              size_t layer, const struct weft_row_names *names,
                              const weft_tensor *keep)
{
    assert(keep->dtype == WEFT_U8);
    uint32_t threshold = threshold_of(perturb->dropout);
#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < keep->rows; i++) {
        struct weft_draw draw = draw_of(perturb, WEFT_RNG_DROP, layer + 1, names, i);
        context->kernels->draw_keep(&draw, threshold, keep->cols,
                                    (uint8_t *)keep->data + i * keep->ld);
    }
}
