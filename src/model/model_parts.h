/* The parts of reading a model: which tensors are its layers, and what its metadata and the
 * caller's hints say about them. */
#ifndef WEFT_MODEL_MODEL_PARTS_H
#define WEFT_MODEL_MODEL_PARTS_H

#include <stddef.h>

#include <weft/model.h>
#include <weft/net.h>
#include <weft/scaling.h>
#include <weft/status.h>

#include "model/model_file.h"
#include "model/safetensors.h"

/* Entries of __metadata__. */
#define WEFT_KEY_FORMAT "weft.format" /* of this metadata: "1" */
#define WEFT_KEY_VERSION "weft.version"
#define WEFT_KEY_ACTIVATIONS "weft.activations" /* "relu,tanh": one for each hidden layer */
#define WEFT_KEY_OUTPUT "weft.output"           /* "softmax" */
#define WEFT_KEY_SCALE "weft.scale"             /* "unit" */
#define WEFT_KEY_SHIFT "weft.input_shift"       /* "[0.5,1]": a list of JSON; both or neither */
#define WEFT_KEY_FACTOR "weft.input_scale"
#define WEFT_KEY_CLASS_NAMES "weft.class_names" /* "[\"cat\",\"non-cat\"]" */

/* {"missing":"mean","categories":[[],["a","b"]],"fill":[0.5,0.25,0.75]}: a list for each column,
 * empty for numbers; fill of "mean" alone. There where the table was not of numbers alone. */
#define WEFT_KEY_COLUMNS "weft.columns"
#define WEFT_MODEL_FORMAT "1"
#define WEFT_MODEL_MAX_LAYERS 1001 /* as weft_net_new() */

/* A layer of a file, borrowed from it: weight [n_out, n_in], bias [n_out] or NULL for zeros. Then
 * of its normalisation gamma [n_out], NULL where there is none, beta [n_out] or NULL for zeros, and
 * running mean and variance [n_out] of batch normalisation, else NULL. */
struct weft_model_layer {
    const struct weft_st_tensor *weight, *bias;
    const struct weft_st_tensor *gamma, *beta, *mean, *var;
};

/* Finds the layers of a file: pairs NAME<i>.weight, NAME<i>.bias with one NAME for all, such as
 * "0.weight", "layers.2.weight" or "fc1.weight", in ascending order of i; shapes that chain. A
 * weight of one dimension is that of a normalisation, which follows its layer at i + 1.
 * Free *out with weft_mem_free(). WEFT_ERR_MISMATCH: the tensors are something else. */
WEFT_CHECKED weft_status weft_model_find_layers(const struct weft_st_file *file,
                                                struct weft_model_layer **out, size_t *n_layers,
                                                weft_error *err);

/* What a network needs to know beside its tensors. */
struct weft_model_meta {
    weft_activation *activations; /* [n_hidden] */
    weft_output output;
    weft_scaling scaling;
};

/* Takes it from the metadata or, where they lack it, from the hints (NULL: none). Release with
 * weft_model_meta_release(). WEFT_ERR_FORMAT: metadata nobody can have meant. WEFT_ERR_MISMATCH:
 * neither says it, or both do and differ. */
WEFT_CHECKED weft_status weft_model_meta_init(struct weft_model_meta *meta,
                                              const struct weft_st_file *file, size_t n_hidden,
                                              size_t n_inputs, const weft_model_hints *hints,
                                              weft_error *err);

void weft_model_meta_release(struct weft_model_meta *meta);

/* Gives the network the class names of the metadata, if there are any. */
WEFT_CHECKED weft_status weft_model_name_classes(weft_net *net, const struct weft_st_file *file,
                                                 weft_error *err);

/* Tells the network the columns of the metadata, if there are any. */
WEFT_CHECKED weft_status weft_model_read_columns(weft_net *net, const struct weft_st_file *file,
                                                 weft_error *err);

/* What writers of models share. */

/* The columns as the text of WEFT_KEY_COLUMNS, of a network that has them; NULL where there is no
 * memory. Free with weft_mem_free(). */
char *weft_model_columns_text(const weft_net *net);

/* The class names as a list of JSON, ["cat","non-cat"], or NULL where there is no memory. Free with
 * weft_mem_free(). */
char *weft_model_class_names_text(const weft_net *net);

/* WEFT_ERR_ARG where no reader would take the network back: params (all of them) has a number that
 * is not finite, or a class name is not UTF-8. */
WEFT_CHECKED weft_status weft_model_check_sound(const weft_net *net, const char *path,
                                                const float *params, weft_error *err);

/* A tensor of a network's file: which part of which layer, as layers.h numbers them. */
struct weft_model_tensor {
    size_t layer;
    unsigned kind; /* enum weft_block_kind */
    size_t n_dims, dims[2], count;
    char name[40]; /* "0.weight", "1.running_mean" */
};

/* Lists the tensors of a network, layer by layer, numbered as in torch.nn.Sequential with modules
 * for normalisations and activations between the layers. tensors: room for all of them,
 * or NULL. Returns how many. */
size_t weft_model_list_tensors(const weft_net *net, struct weft_model_tensor *tensors);

/* A layer in the row of all parameters: weight [n_out, n_in], bias [n_out], gamma and beta [n_out]
 * or NULL. */
struct weft_layer_view {
    size_t n_in, n_out;
    const float *weight, *bias, *gamma, *beta, *end; /* end: where the next layer begins */
};

/* The layer whose parameters begin at `params`. */
struct weft_layer_view weft_model_view_layer(const weft_net *net, const float *params,
                                             size_t layer);

#endif
