/** Matrices in memory: row-major, 64-byte aligned, each row padded to whole cache lines; views and
 *  tiles of them. A vector is a matrix of one row. */
#ifndef WEFT_TENSOR_H
#define WEFT_TENSOR_H

#include <stddef.h>

#include <weft/api.h>
#include <weft/status.h>

typedef enum weft_dtype {
    WEFT_F32, /**< IEEE binary32 */
    WEFT_U8,  /**< 0..255, as pixels come */
} weft_dtype;

/** Bytes of one element. */
WEFT_API size_t weft_dtype_size(weft_dtype dtype);

/** A matrix or a view of one. Element (i, j) is at data + (i * ld + j) * element size; ld >= cols.
 *  A view borrows its memory from the tensor it was cut from and must not outlive it. */
typedef struct weft_tensor {
    void *data;
    size_t rows, cols;
    size_t ld; /**< elements from one row to the next */
    weft_dtype dtype;
    void *owned; /**< what weft_tensor_release() frees; NULL in a view */
} weft_tensor;

/** Allocates rows x cols zeros; the padding is zero too. ld is cols rounded up to whole 64-byte
 *  lines, plus one line where the row length would be a multiple of 512 bytes, so that the rows of
 *  a tile do not compete for the same cache sets. WEFT_ERR_NOMEM also where the size does not fit
 *  size_t. Release with weft_tensor_release(). */
WEFT_API WEFT_CHECKED weft_status weft_tensor_init(weft_tensor *tensor, weft_dtype dtype,
                                                   size_t rows, size_t cols);

/** Frees what the tensor owns and makes it empty; harmless on a zeroed tensor and on a view. */
WEFT_API void weft_tensor_release(weft_tensor *tensor);

/** A tensor over the caller's memory, which stays the caller's. ld >= cols. */
WEFT_API weft_tensor weft_tensor_borrow(weft_dtype dtype, void *data, size_t rows, size_t cols,
                                        size_t ld);

/** The rows x cols part whose first element is (row, col); the part must lie inside. */
WEFT_API weft_tensor weft_tensor_view(const weft_tensor *tensor, size_t row, size_t col,
                                      size_t rows, size_t cols);

/** How a matrix falls into tiles of at most tile_rows x tile_cols, numbered row by row from 0; the
 *  last ones of a row or column may be smaller. */
typedef struct weft_tiling {
    size_t rows, cols;
    size_t tile_rows, tile_cols;
    size_t n_row_tiles, n_col_tiles;
} weft_tiling;

/** The tiling of a rows x cols matrix; tile sizes of 0 mean the whole extent. */
WEFT_API weft_tiling weft_tiling_of(size_t rows, size_t cols, size_t tile_rows, size_t tile_cols);

/** n_row_tiles * n_col_tiles: what a parallel loop runs over. */
WEFT_API size_t weft_tiling_count(const weft_tiling *tiling);

/** Tile `index` of `tensor`, whose shape must be that of the tiling. */
WEFT_API weft_tensor weft_tensor_tile(const weft_tensor *tensor, const weft_tiling *tiling,
                                      size_t index);

#endif
