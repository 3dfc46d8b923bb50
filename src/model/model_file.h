/* Files of a network with more in them than the network: blocks of the layout of its parameters,
 * such as what an optimiser remembers. Every reader of models reads the network in them. */
#ifndef WEFT_MODEL_MODEL_FILE_H
#define WEFT_MODEL_MODEL_FILE_H

#include <stddef.h>

#include <weft/net.h>
#include <weft/status.h>

#include "model/safetensors.h"

/* Names of tensors that are of no layer begin with this. */
#define WEFT_STATE_PREFIX "weft."

/* A block: tensors <prefix>0.weight [n_out, n_in], <prefix>0.bias, ... as those of the network,
 * in the same order whatever kernels or threads there are. */
struct weft_model_block {
    const char *prefix; /* begins with WEFT_STATE_PREFIX */
    const float *values;
};

/* Writes the file with a checksum; `more` goes into the metadata. WEFT_ERR_DIVERGED: a number is
 * not finite. */
WEFT_CHECKED weft_status weft_model_write(const weft_net *net, const char *path,
                                          const struct weft_st_pair *more, size_t n_more,
                                          const struct weft_model_block *blocks, size_t n_blocks,
                                          weft_error *err);

/* The network of an open file. Free with weft_net_free(). */
WEFT_CHECKED weft_status weft_model_read(struct weft_st_file *file, weft_net **out,
                                         weft_error *err);

/* Reads a block of the network's layout into block[block_len], zeroed by the caller.
 * WEFT_ERR_FORMAT: a tensor is missing, has another shape, or a number is not finite. */
WEFT_CHECKED weft_status weft_model_read_block(struct weft_st_file *file, const weft_net *net,
                                               const char *prefix, float *block, weft_error *err);

#endif
