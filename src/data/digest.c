/* What tells data sets apart. */
#include <string.h>

#include "data/dataset_impl.h"
#include "data/walk.h"

/* The finaliser of MurmurHash3 (Appleby, public domain) over each word and what came before it. */
static uint64_t mix(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * 0xff51afd7ed558ccdu;
    digest = (digest ^ digest >> 33) * 0xc4ceb9fe1a85ec53u;
    return digest ^ digest >> 33;
}

static uint64_t mix_bytes(uint64_t digest, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint64_t word;
    for (; n >= sizeof word; at += sizeof word, n -= sizeof word) {
        memcpy(&word, at, sizeof word);
        digest = mix(digest, word);
    }
    word = 0;
    for (size_t i = 0; i < n; i++) {
        word |= (uint64_t)at[i] << 8 * i;
    }
    return n > 0 ? mix(digest, word) : digest;
}

uint64_t weft_dataset_digest(const weft_dataset *data)
{
    size_t n = data->extent.samples, row = data->x.cols * weft_dtype_size(data->x.dtype);
    uint64_t digest = mix(mix(n, data->extent.features), data->x.dtype);
    for (size_t i = 0; i < data->extent.n_dims; i++) {
        digest = mix(digest, data->extent.dims[i]);
    }
    struct weft_walk walk;
    weft_tensor x = {0};
    weft_status status = weft_walk_init(&walk, data, NULL);
    for (size_t at = 0; status == WEFT_OK && at < n; at += x.rows) {
        status = weft_walk_next(&walk, &x, NULL);
        for (size_t i = 0; status == WEFT_OK && i < x.rows; i++) {
            digest = mix_bytes(digest, (const char *)x.data + i * row, row);
        }
    }
    weft_walk_release(&walk);
    digest = mix(mix(mix(digest, data->kind), data->n_values), data->n_classes);
    if (data->classes != NULL) {
        digest = mix_bytes(digest, data->classes, n * sizeof *data->classes);
    }
    if (data->weights != NULL) {
        digest = mix_bytes(digest, data->weights, n * sizeof *data->weights);
    }
    return data->values != NULL
               ? mix_bytes(digest, data->values, n * data->n_values * sizeof *data->values)
               : digest;
}
