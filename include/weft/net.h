/** Fully connected networks: y = f_L(... f_1(x W_1^T + b_1) ...). */
#ifndef WEFT_NET_H
#define WEFT_NET_H

#include <stddef.h>
#include <stdint.h>

#include <weft/api.h>
#include <weft/context.h>
#include <weft/dataset.h>
#include <weft/scaling.h>
#include <weft/status.h>
#include <weft/tensor.h>

/** A network with its parameters, the scaling of its inputs and the names of its classes. Reading
 * is safe from any number of threads; changing it is not safe while anything else uses it. */
typedef struct weft_net weft_net;

/** Activations of hidden layers; each is PyTorch's module of that name at its defaults. */
typedef enum weft_activation {
    WEFT_IDENTITY,   /**< z */
    WEFT_RELU,       /**< max(z, 0) */
    WEFT_LEAKY_RELU, /**< z, or 0.01 z below 0 (Maas et al. 2013) */
    WEFT_TANH,       /**< tanh z */
    WEFT_SIGMOID,    /**< 1 / (1 + exp(-z)) */
    WEFT_GELU,       /**< z/2 (1 + erf(z / sqrt 2)) (Hendrycks & Gimpel 2016, exact form) */
    WEFT_SILU,       /**< z / (1 + exp(-z)) (Elfwing et al. 2017) */
    WEFT_ELU,        /**< z, or exp(z) - 1 below 0 (Clevert et al. 2015) */
    WEFT_SELU,       /**< 1.0507.. (z, or 1.6732.. (exp(z) - 1) below 0) (Klambauer et al. 2017) */
    WEFT_N_ACTIVATIONS
} weft_activation;

/** What the last layer's logits z mean, and the loss that goes with it. For B samples and C
 * outputs, with p the prediction and y the target, dloss/dz = (p - y) / B in all three cases. */
typedef enum weft_output {
    WEFT_OUTPUT_SOFTMAX,  /**< p = softmax(z); loss = -1/B sum_b log p[b, y_b]
                               (Bishop 2006, eq. 4.108) */
    WEFT_OUTPUT_SIGMOID,  /**< p = 1 / (1 + exp(-z)); loss = -1/B sum_bj y log p + (1-y) log(1-p)
                               (Bishop 2006, eq. 4.90) */
    WEFT_OUTPUT_IDENTITY, /**< p = z; loss = 1/(2B) sum_bj (p - y)^2
                               (Bishop 2006, eq. 5.14, as a mean over the samples) */
    WEFT_N_OUTPUTS
} weft_output;

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

/** Names for people and files: "relu", "leaky_relu", "softmax", "he_normal", ... The `_from_name`
 *  calls return WEFT_ERR_ARG for a name they do not know. */
WEFT_API const char *weft_activation_name(weft_activation activation);
WEFT_API WEFT_CHECKED weft_status weft_activation_from_name(const char *name, weft_activation *out);
WEFT_API const char *weft_output_name(weft_output output);
WEFT_API WEFT_CHECKED weft_status weft_output_from_name(const char *name, weft_output *out);
WEFT_API const char *weft_init_name(weft_init init);
WEFT_API WEFT_CHECKED weft_status weft_init_from_name(const char *name, weft_init *out);

/** The architecture of a network. */
typedef struct weft_net_options {
    size_t n_inputs, n_outputs;
    size_t n_hidden;                    /**< hidden layers; 0 makes a linear model */
    const size_t *hidden;               /**< [n_hidden] their widths */
    const weft_activation *activations; /**< [n_hidden] */
    weft_output output;
} weft_net_options;

/** A network with all parameters 0, inputs unscaled, classes named "0", "1", ...
 *  WEFT_ERR_ARG: a size of 0, softmax with one output, more than 1000 hidden layers, more
 * parameters than 2^40. Free with weft_net_free(). */
WEFT_API WEFT_CHECKED weft_status weft_net_new(const weft_net_options *options, weft_net **out,
                                               weft_error *err);
WEFT_API void weft_net_free(weft_net *net);

/** Draws all weights anew and sets the biases to 0: a function of (init, std, seed, shape) alone.
 *  std is read by WEFT_INIT_SMALL_NORMAL only and must then be finite and > 0. */
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
WEFT_API weft_output weft_net_output(const weft_net *net);

/** All parameters in one row: for each layer the weight [n_out, n_in] row by row, then the bias
 *  [n_out]. `params` has weft_net_n_params() entries. */
WEFT_API size_t weft_net_n_params(const weft_net *net);
WEFT_API void weft_net_get_params(const weft_net *net, float *params);
WEFT_API void weft_net_set_params(weft_net *net, const float *params);

/** Copies a scaling; its n must be 0, 1 or the number of inputs, every scale finite. */
WEFT_API WEFT_CHECKED weft_status weft_net_set_scaling(weft_net *net, const weft_scaling *scaling,
                                                       weft_error *err);
WEFT_API const weft_scaling *weft_net_scaling(const weft_net *net);

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

/** Whether targets fit the network's output: classes for softmax and a single sigmoid, values
 *  (n_values = outputs; 0..1 for sigmoid) else; every class id in range. WEFT_ERR_MISMATCH says why
 * not. */
WEFT_API WEFT_CHECKED weft_status weft_net_check_targets(const weft_net *net,
                                                         const weft_targets *targets,
                                                         size_t n_samples, weft_error *err);

/** Logits of raw samples: scales x [B, n_inputs] (f32 or u8), runs all layers, writes
 *  logits [B, n_outputs] f32. The same bits for every thread count and batch size.
 *  WEFT_ERR_MISMATCH: shapes. */
WEFT_API WEFT_CHECKED weft_status weft_net_forward(weft_context *context, const weft_net *net,
                                                   const weft_tensor *x, weft_tensor *logits,
                                                   weft_error *err);

/** In place, from logits to predictions p of `output`: probabilities, or the values themselves. */
WEFT_API void weft_output_apply(weft_output output, weft_tensor *logits);

/** Loss over B raw samples and its gradient with respect to all parameters, laid out as in
 *  weft_net_get_params(), by backpropagation (Rumelhart, Hinton & Williams 1986).
 *  gradient may be NULL. WEFT_ERR_MISMATCH: shapes or targets. The same bits for every thread
 * count. */
WEFT_API WEFT_CHECKED weft_status weft_net_gradient(weft_context *context, const weft_net *net,
                                                    const weft_tensor *x,
                                                    const weft_targets *targets, double *loss,
                                                    float *gradient, weft_error *err);

#endif
