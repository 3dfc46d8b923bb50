/* Reads batches of a streamed data set ahead of those who compute: a thread of its own fills a
 * small ring with them, and sleeps while it is full. It never spins. */
#ifndef WEFT_DATA_FEED_READER_H
#define WEFT_DATA_FEED_READER_H

#include <stddef.h>
#include <stdint.h>

#include <weft/dataset.h>

#include "data/feed.h"

struct weft_feed_reader;

/* Samples that follow each other in an epoch; borrowed. */
struct weft_feed_slot {
    size_t at, n; /* positions at .. at + n - 1 of the epoch */
    void *x;      /* [n, features] */
    int32_t *classes;
    float *values, *weights;
    uint32_t *samples; /* [n] their numbers in the data set */
};

/* data and options must outlive the reader. */
WEFT_CHECKED weft_status weft_feed_reader_new(const weft_dataset *data,
                                              const struct weft_feed_options *options,
                                              struct weft_feed_reader **out, weft_error *err);

/* Ends the thread, whatever it is doing. */
void weft_feed_reader_free(struct weft_feed_reader *reader);

/* Begins with this epoch, with the slot that has the position `from`, if that is not its end; those
 * that follow come by themselves. */
WEFT_CHECKED weft_status weft_feed_reader_start(struct weft_feed_reader *reader, size_t epoch,
                                                size_t from, weft_error *err);

/* Whether a slot begins at this position, where a part of a batch begins. */
bool weft_feed_reader_begins(const struct weft_feed_reader *reader, size_t at);

/* Gives back the slot that was had before, and waits for the next one. */
WEFT_CHECKED weft_status weft_feed_reader_next(struct weft_feed_reader *reader,
                                               const struct weft_feed_slot **out, weft_error *err);

/* Bytes that a reader takes, beside labels. */
size_t weft_feed_reader_bytes(const weft_dataset *data, const struct weft_feed_options *options);

#endif
