/* A thread's share of a grid of tiles, cut into rectangles. */
#ifndef WEFT_OPS_RECTANGLE_H
#define WEFT_OPS_RECTANGLE_H

#include <stdbool.h>
#include <stddef.h>

/* Tiles outer_from .. outer_to by inner_from .. inner_to. */
struct weft_rectangle {
    size_t outer_from, outer_to, inner_from, inner_to;
};

/* Takes the next rectangle off the tiles [*from, to) of a grid with n_inner tiles a line, numbered
 * line by line: the rest of a line begun, up to max_outer whole lines, or a line's beginning. False
 * where none is left. */
static inline bool weft_next_rectangle(size_t *from, size_t to, size_t n_inner, size_t max_outer,
                                       struct weft_rectangle *out)
{
    if (*from >= to) {
        return false;
    }
    size_t outer = *from / n_inner, inner = *from % n_inner, left = to - *from;
    *out = (struct weft_rectangle){outer, outer + 1, inner, n_inner};
    if (inner > 0 || left < n_inner) {
        out->inner_to = n_inner - inner < left ? n_inner : inner + left;
    } else {
        size_t lines = left / n_inner;
        out->outer_to = outer + (lines < max_outer ? lines : max_outer);
    }
    *from += (out->outer_to - outer) * (out->inner_to - inner);
    return true;
}

#endif
