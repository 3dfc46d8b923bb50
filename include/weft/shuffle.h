/** In which order an epoch takes the samples of a data set. */
#ifndef WEFT_SHUFFLE_H
#define WEFT_SHUFFLE_H

#include <weft/api.h>
#include <weft/status.h>

/** An order is a function of (method, size of the buffer, seed, epoch, number of samples) alone:
 *  never of threads, of timing or of where the samples are kept. */
typedef enum weft_shuffle {
    WEFT_SHUFFLE_NONE, /**< as they come */
    WEFT_SHUFFLE_FULL, /**< any order as likely as any other (Durstenfeld 1964) */
    /** A buffer is filled with the first samples; each sample taken is drawn from it, all in it
     *  being equally likely, and the next one that comes takes its place. A sample is taken at most
     *  one buffer before its place in the file, but may stay behind for long. */
    WEFT_SHUFFLE_BUFFER,
    WEFT_N_SHUFFLES
} weft_shuffle;

/** "none", "full", "buffer". */
WEFT_API const char *weft_shuffle_name(weft_shuffle shuffle);
/** WEFT_ERR_ARG: no method has that name. */
WEFT_API WEFT_CHECKED weft_status weft_shuffle_from_name(const char *name, weft_shuffle *out);

#endif
