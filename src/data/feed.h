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
    size_t n_epochs;      /* that there are, from 0 on */
    const float *weights; /* [samples] how much each counts, in place of the data's own; borrowed */
};

struct weft_feed_reader;
struct weft_feed_slot;

/* Not to be moved once it is made. */
struct weft_feed {
    const weft_dataset *data; /* borrowed */
    struct weft_feed_options options;
    size_t n_samples;
    uint32_t *order;                   /* of this epoch; NULL: that of the data */
    struct weft_feed_reader *reader;   /* of a streamed data set, or NULL */
    const struct weft_feed_slot *slot; /* of the reader: what is being computed */
    double seconds; /* for which those who compute had to wait: for orders and for samples */
};

/* A part of a batch: rows rows[0..n) of x and targets, or first..first + n where rows is NULL.
 * samples are their numbers in the data set; NULL: their rows are. Borrowed from feed and data. */
struct weft_feed_rows {
    weft_tensor x;
    weft_targets targets;
    const uint32_t *rows, *samples;
    size_t first, n;
};

/* Whether data can be had in that order: WEFT_ERR_ARG for a full shuffle of what can only be read
 * from the first to the last. */
WEFT_CHECKED weft_status weft_feed_check(const weft_dataset *data, weft_shuffle shuffle,
                                         weft_error *err);

/* data, which must pass that check, must outlive the feed. Release with weft_feed_release(),
 * harmless on a zeroed feed. */
WEFT_CHECKED weft_status weft_feed_init(struct weft_feed *feed, const weft_dataset *data,
                                        const struct weft_feed_options *options, weft_error *err);
void weft_feed_release(struct weft_feed *feed);

/* Begins an epoch: the first time any one, at the position `from` where a batch begins or at its
 * end; then the next ones, at 0. */
WEFT_CHECKED weft_status weft_feed_begin(struct weft_feed *feed, size_t epoch, size_t from,
                                         weft_error *err);

/* Whether weft_feed_advance() must be called before the part of a batch at this position is asked
 * for: a function of the position alone. Any number of threads may ask. */
bool weft_feed_waits(const struct weft_feed *feed, size_t at);

/* Waits for the samples at that position, by one thread, when all are done with what came before.
 * Errors: those of reading the file; no others come then. */
WEFT_CHECKED weft_status weft_feed_advance(struct weft_feed *feed, size_t at, weft_error *err);

/* The part of a batch of n samples from position `at` on; any number of threads may ask. */
struct weft_feed_rows weft_feed_rows(const struct weft_feed *feed, size_t at, size_t n);

/* Bytes that a feed takes, beside what the data set has in memory. */
size_t weft_feed_bytes(const weft_dataset *data, const struct weft_feed_options *options);

#endif
