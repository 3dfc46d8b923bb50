/** Optimisers: the rules by which training moves parameters. */
#ifndef WEFT_OPTIMIZER_H
#define WEFT_OPTIMIZER_H

#include <weft/api.h>
#include <weft/status.h>

/** What becomes of a parameter w with the gradient g in step t = 1, 2, ... State starts at 0. Each
 *  is PyTorch's optimiser of that name, with the options of weft_train_options. */
typedef enum weft_optimizer {
    /** w -= lr g; with momentum v = momentum v + g, w -= lr v (Polyak 1964) */
    WEFT_SGD,
    /** v = momentum v + g, w -= lr (g + momentum v) (Nesterov 1983; Sutskever et al. 2013) */
    WEFT_NESTEROV,
    /** v = beta2 v + (1 - beta2) g^2,
     *  w -= lr g / (sqrt(v) + epsilon) (Tieleman & Hinton 2012, lecture 6.5) */
    WEFT_RMSPROP,
    /** m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
     *  w -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
     *  (Kingma & Ba 2015, alg. 1) */
    WEFT_ADAM,
    /** Adam, with w -= lr weight_decay w before it in place of a term of the gradient (Loshchilov
     *  & Hutter 2019, alg. 2) */
    WEFT_ADAMW,
    WEFT_N_OPTIMIZERS
} weft_optimizer;

/** The name for people and files: "sgd", "nesterov", "rmsprop", "adam", "adamw". */
WEFT_API const char *weft_optimizer_name(weft_optimizer optimizer);

/** WEFT_ERR_ARG: no optimiser has that name. */
WEFT_API WEFT_CHECKED weft_status weft_optimizer_from_name(const char *name, weft_optimizer *out);

#endif
