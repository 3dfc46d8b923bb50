/* The samples of a data set in the order of each epoch, batch by batch: what stands between those
 * who compute and where samples come from.
 *
 * Positions count the samples of an epoch from 0. Batches begin at multiples of the batch size, and
 * are asked for in order (by a resumed run not from the first one on), in parts that begin at
 * multiples of WEFT_FEED_PART in their batch. */
#ifndef WEFT_DATA_FEED_H
#define WEFT_DATA_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/dataset.h>
#include <weft/shuffle.h>
#include <weft/targets.h>
#include <weft/tensor.h>

enum { WEFT_FEED_PART = 256 };

struct weft_feed_options {
    size_t batch_size; /* 1 .. samples */
    weft_shuffle shuffle;
    size_t buffer; /* > 0, for WEFT_SHUFFLE_BUFFER */
    uint64_t seed;
};

struct weft_feed {
    const weft_dataset *data; /* borrowed */
    struct weft_feed_options options;
    size_t n_samples;
    size_t epoch;
    uint32_t *order; /* of this epoch; NULL: that of the data */
};

/* A part of a batch: rows rows[0..n) of x and targets, or first..first + n where rows is NULL.
 * samples are their numbers in the data set; NULL: their rows are. Borrowed from feed and data. */
struct weft_feed_rows {
    weft_tensor x;
    weft_targets targets;
    const uint32_t *rows, *samples;
    size_t first, n;
};

/* data must outlive the feed. Release with weft_feed_release(), harmless on a zeroed feed. */
WEFT_CHECKED weft_status weft_feed_init(struct weft_feed *feed, const weft_dataset *data,
                                        const struct weft_feed_options *options, weft_error *err);
void weft_feed_release(struct weft_feed *feed);

/* Makes the order of an epoch. */
void weft_feed_begin(struct weft_feed *feed, size_t epoch);

/* The n samples from position `at` on; any number of threads may ask. */
struct weft_feed_rows weft_feed_rows(const struct weft_feed *feed, size_t at, size_t n);

#endif
