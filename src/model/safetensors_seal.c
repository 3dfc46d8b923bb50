/* The checksum of safetensors files that carry one, see safetensors.h. Equal files have equal
 * checksums whatever the order in which a JSON library keeps their metadata. */
#include "model/safetensors.h"

#include <inttypes.h>
#include <string.h>

#include "base/fail.h"

#include <zlib.h>

/* Lengths of zlib are of 32 bits; pieces are not that long. */
static uint32_t add(uint32_t crc, const void *bytes, size_t n)
{
    return (uint32_t)crc32(crc, bytes, (uInt)n);
}

void weft_st_seal_tensor(struct weft_st_seal *seal, const char *name, const size_t *dims,
                         size_t n_dims)
{
    seal->data = add(seal->data, name, strlen(name) + 1);
    for (size_t i = 0; i < n_dims; i++) {
        unsigned char bytes[8];
        for (size_t b = 0; b < 8; b++) {
            bytes[b] = (unsigned char)((uint64_t)dims[i] >> (8 * b));
        }
        seal->data = add(seal->data, bytes, sizeof bytes);
    }
}

void weft_st_seal_data(struct weft_st_seal *seal, const unsigned char *data, size_t n)
{
    seal->data = add(seal->data, data, n);
}

void weft_st_seal_pair(struct weft_st_seal *seal, const char *key, const char *value)
{
    uint32_t crc = add(0, key, strlen(key) + 1);
    seal->metadata += add(crc, value, strlen(value) + 1);
}

void weft_st_seal_text(const struct weft_st_seal *seal, char text[WEFT_ST_SEAL_SIZE])
{
    snprintf(text, WEFT_ST_SEAL_SIZE, "%08" PRIx32 "%08" PRIx32, seal->data, seal->metadata);
}
