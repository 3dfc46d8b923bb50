/** Networks on disk, as safetensors files that PyTorch reads as they are. */
#ifndef WEFT_MODEL_H
#define WEFT_MODEL_H

#include <stddef.h>

#include <weft/api.h>
#include <weft/net.h>
#include <weft/scaling.h>
#include <weft/status.h>

/** Writes `net` to `path`: tensors 0.weight [n_out, n_in], 0.bias, 2.weight, ... as in
 *  torch.nn.Sequential with the activation modules counted, and those of normalised layers between
 *  layer and activation: 1.weight (gamma), 1.bias (beta), of batch normalisation 1.running_mean and
 *  1.running_var, with an epsilon of 1e-5; activations, output, scaling, class
 *  names and weft's version in __metadata__. Equal networks give equal bytes. The file appears
 *  whole or not at all: temporary file, fsync, rename; on failure an older file of that name
 *  stays as it was.
 *  WEFT_ERR_ARG: a parameter is not finite, or a class name is not UTF-8. WEFT_ERR_IO: the file
 *  cannot be written. */
WEFT_API WEFT_CHECKED weft_status weft_model_save(const weft_net *net, const char *path,
                                                  weft_error *err);

/** What to assume of a file that other software wrote and that does not say it itself. */
typedef struct weft_model_hints {
    /** One for all hidden layers, or one for each; NULL: not given */
    const weft_activation *activations;
    size_t n_activations;
    const weft_output *output; /**< NULL: not given */
    /** NULL or of kind AUTO: not given. UNIT with n 0 means 1/255; STANDARD needs its numbers. */
    const weft_scaling *scaling;
} weft_model_hints;

/** Reads a network. Files written by weft need no hints; those given must then agree with the file
 *  (of a scaling, the kind). Other safetensors files need the hints for what their metadata lack;
 *  their layers are pairs NAME<i>.weight [n_out, n_in] and NAME<i>.bias [n_out] in ascending order
 *  of i, with the same NAME ("", "layers.", "fc", ...) for all; a missing bias means zeros. A
 *  weight [n_out] at i + 1 makes the layer at i a normalised one, by batches where a running_mean
 *  and running_var are beside it; num_batches_tracked is not read. F64, F16 and BF16 are converted
 *  to F32. WEFT_ERR_IO: the file cannot be read. WEFT_ERR_FORMAT: it is broken, or a weight is not
 *  finite. WEFT_ERR_MISMATCH: its tensors form no fully connected network, a hint is missing (the
 *  message names it as the program's option: --activation, --output, --scale), or a hint
 *  contradicts the file. hints may be NULL. Free with weft_net_free(). */
WEFT_API WEFT_CHECKED weft_status weft_model_load(const char *path, const weft_model_hints *hints,
                                                  weft_net **out, weft_error *err);

#endif
