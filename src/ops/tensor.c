/* Matrices, views and tiles. */
#include <weft/tensor.h>

#include <assert.h>
#include <stdint.h>

#include "base/mem.h"
#include "ops/padding.h"

size_t weft_dtype_size(weft_dtype dtype)
{
    return dtype == WEFT_F32 ? sizeof(float) : 1;
}

/* A row of a multiple of 512 bytes would put every eighth row (of 64 sets of 64 bytes) into the
 * same sets of a first-level cache. */
size_t weft_padded_ld(weft_dtype dtype, size_t cols)
{
    size_t element = weft_dtype_size(dtype);
    size_t bytes;
    if (!weft_mul_fits(cols, element, &bytes) || bytes > SIZE_MAX - 2 * WEFT_CACHE_LINE) {
        return 0;
    }
    bytes = (bytes + WEFT_CACHE_LINE - 1) / WEFT_CACHE_LINE * WEFT_CACHE_LINE;
    if (bytes % 512 == 0) {
        bytes += WEFT_CACHE_LINE;
    }
    return bytes / element;
}

weft_status weft_tensor_init(weft_tensor *tensor, weft_dtype dtype, size_t rows, size_t cols)
{
    size_t element = weft_dtype_size(dtype);
    size_t ld = weft_padded_ld(dtype, cols);
    size_t count;
    if (ld == 0 || !weft_mul_fits(rows, ld, &count)) {
        return WEFT_ERR_NOMEM;
    }
    void *data = weft_mem_zalloc(count, element);
    if (data == NULL) {
        return WEFT_ERR_NOMEM;
    }
    *tensor = weft_tensor_borrow(dtype, data, rows, cols, ld);
    tensor->owned = data;
    return WEFT_OK;
}

void weft_tensor_release(weft_tensor *tensor)
{
    weft_mem_free(tensor->owned);
    *tensor = (weft_tensor){0};
}

weft_tensor weft_tensor_borrow(weft_dtype dtype, void *data, size_t rows, size_t cols, size_t ld)
{
    assert(ld >= cols);
    return (weft_tensor){.data = data, .rows = rows, .cols = cols, .ld = ld, .dtype = dtype};
}

weft_tensor weft_tensor_view(const weft_tensor *tensor, size_t row, size_t col, size_t rows,
                             size_t cols)
{
    assert(row <= tensor->rows && rows <= tensor->rows - row);
    assert(col <= tensor->cols && cols <= tensor->cols - col);
    size_t offset = (row * tensor->ld + col) * weft_dtype_size(tensor->dtype);
    return weft_tensor_borrow(tensor->dtype, (unsigned char *)tensor->data + offset, rows, cols,
                              tensor->ld);
}

weft_tiling weft_tiling_of(size_t rows, size_t cols, size_t tile_rows, size_t tile_cols)
{
    if (tile_rows == 0 || tile_rows > rows) {
        tile_rows = rows;
    }
    if (tile_cols == 0 || tile_cols > cols) {
        tile_cols = cols;
    }
    return (weft_tiling){
        .rows = rows,
        .cols = cols,
        .tile_rows = tile_rows,
        .tile_cols = tile_cols,
        .n_row_tiles = rows == 0 ? 0 : (rows - 1) / tile_rows + 1,
        .n_col_tiles = cols == 0 ? 0 : (cols - 1) / tile_cols + 1,
    };
}

size_t weft_tiling_count(const weft_tiling *tiling)
{
    return tiling->n_row_tiles * tiling->n_col_tiles;
}

weft_tensor weft_tensor_tile(const weft_tensor *tensor, const weft_tiling *tiling, size_t index)
{
    assert(tensor->rows == tiling->rows && tensor->cols == tiling->cols);
    assert(index < weft_tiling_count(tiling));
    size_t row = index / tiling->n_col_tiles * tiling->tile_rows;
    size_t col = index % tiling->n_col_tiles * tiling->tile_cols;
    size_t rows = tensor->rows - row < tiling->tile_rows ? tensor->rows - row : tiling->tile_rows;
    size_t cols = tensor->cols - col < tiling->tile_cols ? tensor->cols - col : tiling->tile_cols;
    return weft_tensor_view(tensor, row, col, rows, cols);
}
