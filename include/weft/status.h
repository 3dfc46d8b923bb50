/** How calls report failure: a status for programs, a message for people. */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#include <weft/api.h>

typedef enum weft_status {
    WEFT_OK = 0,
    WEFT_ERR_ARG,      /**< an argument or option is out of its range */
    WEFT_ERR_NOMEM,    /**< no memory */
    WEFT_ERR_IO,       /**< the operating system refused to open, read or write; see saved_errno */
    WEFT_ERR_FORMAT,   /**< the content of a file is broken or not of the format wanted */
    WEFT_ERR_MISMATCH, /**< two inputs that are each sound do not fit together */
    WEFT_ERR_UNSUPPORTED, /**< this build or this CPU cannot do it */
    WEFT_ERR_DIVERGED,    /**< training met a loss that is not finite */
    WEFT_ERR_STOPPED,     /**< a listener asked training to stop */
} weft_status;

/** Filled by a failing call, untouched by a successful one. Callers keep it on the stack;
 *  every function that takes one accepts NULL. The message says what, where, wanted and got, in one
 *  line without a final newline, in UTF-8, cut to fit. */
typedef struct weft_error {
    weft_status status;
    int saved_errno; /**< errno where the operating system was the cause, else 0 */
    char message[512];
} weft_error;

/** A short constant name, such as "no memory"; never NULL. */
WEFT_API const char *weft_status_name(weft_status status);

#endif
