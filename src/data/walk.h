/* Walks (weft/dataset.h) in the caller's memory: nothing is allocated where samples are in memory.
 */
#ifndef WEFT_DATA_WALK_H
#define WEFT_DATA_WALK_H

#include <stddef.h>

#include "data/streamed.h"

struct weft_walk {
    const weft_dataset *data;
    struct weft_stream_reader reader; /* of a streamed set */
    void *x;
    size_t capacity, at;
};

/* Release with weft_walk_release(), harmless on a zeroed walk. */
WEFT_CHECKED weft_status weft_walk_init(struct weft_walk *walk, const weft_dataset *data,
                                        weft_error *err);
void weft_walk_release(struct weft_walk *walk);

#endif
