/** Fully connected networks: y = f_L(... f_1(x W_1^T + b_1) ...). */
#ifndef WEFT_NET_H
#define WEFT_NET_H

#include <stddef.h>
#include <stdint.h>

#include <weft/activation.h>
#include <weft/api.h>
#include <weft/context.h>
#include <weft/dataset.h>
#include <weft/norm.h>
#include <weft/output.h>
#include <weft/scaling.h>
#include <weft/status.h>
#include <weft/tensor.h>

/** A network with its parameters, the scaling of its inputs and the names of its classes. Reading
 *  is safe from any number of threads; changing it is not safe while anything else uses it. */
typedef struct weft_net weft_net;

/** How weights start; biases start at 0. n_in and n_out are the layer's fan-in and fan-out.
 *  Normal kinds have the standard deviation given, uniform kinds the range +-sqrt(3) times it. */
typedef enum weft_init {
    WEFT_INIT_AUTO, /**< by activation: He for the relu family, gelu, silu, elu; LeCun for selu;
                       else Xavier */
    WEFT_INIT_HE_NORMAL,      /**< sqrt(2 / n_in) (He et al. 2015, eq. 10) */
    WEFT_INIT_HE_UNIFORM,     /**< the same, uniform */
    WEFT_INIT_XAVIER_NORMAL,  /**< sqrt(2 / (n_in + n_out)) (Glorot & Bengio 2010, eq. 12) */
    WEFT_INIT_XAVIER_UNIFORM, /**< the same, uniform (eq. 16) */
    WEFT_INIT_LECUN_NORMAL,   /**< sqrt(1 / n_in) (LeCun et al. 1998, eq. 16) */
    WEFT_INIT_LECUN_UNIFORM,  /**< the same, uniform */
    WEFT_INIT_SMALL_NORMAL,   /**< the standard deviation given with it */
    WEFT_N_INITS
} weft_init;

/** The name for people and files: "he_normal", ... */
WEFT_API const char *weft_init_name(weft_init init);

/** WEFT_ERR_ARG: no initialisation has that name. */
WEFT_API WEFT_CHECKED weft_status weft_init_from_name(const char *name, weft_init *out);

/** The architecture of a network. */
typedef struct weft_net_options {
    size_t n_inputs, n_outputs;
    size_t n_hidden;                    /**< hidden layers; 0 makes a linear model */
    const size_t *hidden;               /**< [n_hidden] their widths */
    const weft_activation *activations; /**< [n_hidden] */
    weft_output output;
    const weft_norm *norms; /**< [n_hidden], or NULL: none is normalised */
} weft_net_options;

/** A network with all parameters 0 but the gammas of normalised layers, which are 1, running means
 *  0 and running variances 1, inputs unscaled, classes named "0", "1", ... WEFT_ERR_ARG: a size of
 *  0, an activation, output or normalisation that is none, softmax with one output, more than 1000
 *  hidden layers, more than 2^40 parameters (counted with the padding of each row of outputs to
 *  whole cache lines). Free with weft_net_free(). */
WEFT_API WEFT_CHECKED weft_status weft_net_new(const weft_net_options *options, weft_net **out,
                                               weft_error *err);
WEFT_API void weft_net_free(weft_net *net);

/** Draws all weights anew, sets the biases to 0 and what belongs to normalisation as weft_net_new()
 *  does: a function of (init, std, seed, shape) alone.
 *  std is read by WEFT_INIT_SMALL_NORMAL only and must then be finite and > 0.
 *  WEFT_ERR_ARG: std, or an init that is none; the weights are then as they were. */
WEFT_API WEFT_CHECKED weft_status weft_net_init(weft_net *net, weft_init init, float std,
                                                uint64_t seed, weft_error *err);

/** Layers with weights: n_hidden + 1. */
WEFT_API size_t weft_net_n_layers(const weft_net *net);
WEFT_API size_t weft_net_n_inputs(const weft_net *net);
WEFT_API size_t weft_net_n_outputs(const weft_net *net);
/** Outputs of layer `layer` < weft_net_n_layers(). */
WEFT_API size_t weft_net_width(const weft_net *net, size_t layer);
/** Activation of hidden layer `layer` < weft_net_n_layers() - 1. */
WEFT_API weft_activation weft_net_activation(const weft_net *net, size_t layer);
/** Normalisation of hidden layer `layer` < weft_net_n_layers() - 1. */
WEFT_API weft_norm weft_net_norm(const weft_net *net, size_t layer);
WEFT_API weft_output weft_net_output(const weft_net *net);

/** All parameters in one row: for each layer the weight [n_out, n_in] row by row, then the bias
 *  [n_out], then of normalised layers gamma [n_out] and beta [n_out]. `params` has
 *  weft_net_n_params() entries. */
WEFT_API size_t weft_net_n_params(const weft_net *net);
WEFT_API void weft_net_get_params(const weft_net *net, float *params);
WEFT_API void weft_net_set_params(weft_net *net, const float *params);

/** What batch normalisation predicts with, in one row: for each layer that has it the running mean
 *  [n_out], then the running variance [n_out], which set wants at least 0. Not parameters: training
 *  updates them, no gradient does. */
WEFT_API size_t weft_net_n_statistics(const weft_net *net);
WEFT_API void weft_net_get_statistics(const weft_net *net, float *statistics);
WEFT_API void weft_net_set_statistics(weft_net *net, const float *statistics);

/** A network without batch normalisation that predicts the same up to rounding, as it is folded
 *  into the weights: W' = s W, b' = s (b - mean) + beta with s = gamma / sqrt(var + 1e-5). Other
 *  layers, scaling, names and columns are copied. Free with weft_net_free(). */
WEFT_API WEFT_CHECKED weft_status weft_net_fold(const weft_net *net, weft_net **out,
                                                weft_error *err);

/** Copies a scaling. WEFT_ERR_MISMATCH: its n is not 0, 1 or the number of inputs.
 *  WEFT_ERR_ARG: a number in it is not finite. */
WEFT_API WEFT_CHECKED weft_status weft_net_set_scaling(weft_net *net, const weft_scaling *scaling,
                                                       weft_error *err);
WEFT_API const weft_scaling *weft_net_scaling(const weft_net *net);

/** Copies what is known of the columns of the table that the network was trained on.
 *  WEFT_ERR_MISMATCH: they do not make as many features as the network has inputs. */
WEFT_API WEFT_CHECKED weft_status weft_net_set_columns(weft_net *net, const weft_columns *columns,
                                                       weft_error *err);
/** NULL where nothing is known of them: then all are numbers, and none may be missing. Borrowed;
 *  for weft_dataset_options. */
WEFT_API const weft_columns *weft_net_columns(const weft_net *net);

/** How many classes predictions choose from: the outputs of softmax, 2 for a single sigmoid; 0 for
 *  identity and for several sigmoids, where each output is a label or a value of its own. */
WEFT_API size_t weft_net_n_classes(const weft_net *net);

/** The class names, or the names of the outputs where weft_net_n_classes() is 0; n must be
 *  their number. Names are copied. */
WEFT_API WEFT_CHECKED weft_status weft_net_set_class_names(weft_net *net, const char *const *names,
                                                           size_t n, weft_error *err);
WEFT_API size_t weft_net_n_class_names(const weft_net *net);
WEFT_API const char *weft_net_class_name(const weft_net *net, size_t index);
/** The same as an array for weft_dataset_options; borrowed. */
WEFT_API const char *const *weft_net_class_names(const weft_net *net);

/** Whether targets fit the network's output: class ids in range for softmax and a single sigmoid,
 *  values (n_values = outputs; 0..1 for sigmoid) for any sigmoids and identity.
 *  WEFT_ERR_MISMATCH says why not. */
WEFT_API WEFT_CHECKED weft_status weft_net_check_targets(const weft_net *net,
                                                         const weft_targets *targets,
                                                         size_t n_samples, weft_error *err);

/** Logits of raw samples, batch normalisation by its running statistics: scales x [B, n_inputs]
 *  (f32 or u8), runs all layers, writes logits [B, n_outputs] f32. The same bits for every thread
 *  count and batch size. WEFT_ERR_MISMATCH: shapes, or no samples. */
WEFT_API WEFT_CHECKED weft_status weft_net_forward(weft_context *context, const weft_net *net,
                                                   const weft_tensor *x, weft_tensor *logits,
                                                   weft_error *err);

/** Loss over B raw samples, 1/B sum_b w_b loss_b with the weights w_b of the targets, and its
 *  gradient with respect to all parameters, laid out as in weft_net_get_params(), by
 *  backpropagation (Rumelhart, Hinton & Williams 1986).
 *  gradient may be NULL. WEFT_ERR_MISMATCH: shapes, no samples, or targets. Batch normalisation
 *  uses the statistics of these samples, as a step of training does, and running ones stay as they
 *  are; WEFT_ERR_ARG: more samples than weft_train() allows for it. The same bits for every thread
 *  count. */
WEFT_API WEFT_CHECKED weft_status weft_net_gradient(weft_context *context, const weft_net *net,
                                                    const weft_tensor *x,
                                                    const weft_targets *targets, double *loss,
                                                    float *gradient, weft_error *err);

#endif
