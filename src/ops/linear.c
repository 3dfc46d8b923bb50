/* The layout of a layer's parameters, see linear.h. */
#include "ops/linear.h"

#include "base/mem.h"
#include "kernels/kernels.h"
#include "ops/padding.h"

struct weft_linear weft_linear_of(size_t n_in, size_t n_out)
{
    struct weft_linear linear = {.n_in = n_in, .n_out = n_out};
    size_t lines; /* of ld floats each */
    if (n_out <= WEFT_NARROW) {
        linear.ld = weft_padded_ld(WEFT_F32, n_in + 1);
        lines = n_out;
    } else {
        linear.ld = WEFT_PANEL;
        size_t n_panels = (n_out - 1) / WEFT_PANEL + 1;
        if (!weft_mul_fits(n_panels, n_in + 1, &lines)) {
            lines = 0;
        }
    }
    if (n_in == SIZE_MAX || !weft_mul_fits(lines, linear.ld, &linear.len)) {
        linear.len = 0;
    }
    return linear;
}

size_t weft_linear_at(const struct weft_linear *linear, size_t i, size_t o)
{
    if (linear->n_out <= WEFT_NARROW) {
        return o * linear->ld + i;
    }
    return (o / WEFT_PANEL * (linear->n_in + 1) + i) * WEFT_PANEL + o % WEFT_PANEL;
}

bool weft_linear_uses_nonzeros(const struct weft_linear *linear)
{
    return linear->n_out > WEFT_NARROW;
}

weft_status weft_linear_input_init(weft_tensor *x, size_t rows, size_t cols)
{
    if (cols == SIZE_MAX) {
        return WEFT_ERR_NOMEM;
    }
    weft_status status = weft_tensor_init(x, WEFT_F32, rows, cols + 1);
    if (status != WEFT_OK) {
        return status;
    }
    x->cols = cols;
    for (size_t i = 0; i < rows; i++) {
        ((float *)x->data)[i * x->ld + cols] = 1;
    }
    return WEFT_OK;
}

bool weft_linear_saves_input(weft_activation f)
{
    return weft_activation_needs_input(f);
}
