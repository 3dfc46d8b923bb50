/** Networks on disk, as safetensors files that PyTorch reads as they are. */
#ifndef WEFT_MODEL_H
#define WEFT_MODEL_H

#include <stddef.h>

#include <weft/api.h>
#include <weft/net.h>
#include <weft/scaling.h>
#include <weft/status.h>

/** Writes `net` to `path`: tensors 0.weight [n_out, n_in], 0.bias, 2.weight, ... as in
 * torch.nn.Sequential with the activation modules counted; architecture, activations, output,
 * scaling, class names and weft's version in
 *  __metadata__. Equal networks give equal bytes. The file appears whole or not at all: temporary
 *  file, fsync, rename; on failure an older file of that name stays as it was. */
WEFT_API WEFT_CHECKED weft_status weft_model_save(const weft_net *net, const char *path,
                                                  weft_error *err);

/** What to assume of a file that other software wrote and that does not say it itself. */
typedef struct weft_model_hints {
    const weft_activation
        *activations; /**< one for all hidden layers, or one for each; NULL: not given */
    size_t n_activations;
    const weft_output *output;   /**< NULL: not given */
    const weft_scaling *scaling; /**< NULL: not given */
} weft_model_hints;

/** Reads a network. Files written by weft need no hints (those given must then agree with the
 * file); files without weft's metadata need all three. WEFT_ERR_IO, WEFT_ERR_FORMAT: the file is
 * missing or broken. WEFT_ERR_MISMATCH: its tensors form no fully connected network, a hint is
 * missing, or a hint contradicts the file. hints may be NULL. Free with weft_net_free(). */
WEFT_API WEFT_CHECKED weft_status weft_model_load(const char *path, const weft_model_hints *hints,
                                                  weft_net **out, weft_error *err);

#endif
