/* Feeds. Samples in memory stay where they are, and batches are lists of rows; streamed ones come
 * through a ring of batches that a thread fills (feed_reader.h). */
#include "data/feed.h"

#include <assert.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "data/feed_reader.h"
#include "data/shuffle_order.h"

weft_status weft_feed_check(const weft_dataset *data, weft_shuffle shuffle, weft_error *err)
{
    return shuffle != WEFT_SHUFFLE_FULL || weft_dataset_can_seek(data)
               ? WEFT_OK
               : weft_fail(
                     err, WEFT_ERR_ARG,
                     "a full shuffle: wanted samples in memory, or in a file that can be read "
                     "at any place; got ones that are read in order");
}

weft_status weft_feed_init(struct weft_feed *feed, const weft_dataset *data,
                           const struct weft_feed_options *options, weft_error *err)
{
    *feed = (struct weft_feed){
        .data = data, .options = *options, .n_samples = weft_dataset_samples(data)};
    assert(weft_feed_check(data, options->shuffle, NULL) == WEFT_OK);
    if (weft_dataset_is_streamed(data)) {
        return weft_feed_reader_new(data, &feed->options, &feed->reader, err);
    }
    if (options->shuffle != WEFT_SHUFFLE_NONE) {
        feed->order = weft_mem_alloc(feed->n_samples, sizeof *feed->order);
        if (feed->order == NULL) {
            return weft_fail_nomem(err, "the order of the samples");
        }
    }
    return WEFT_OK;
}

void weft_feed_release(struct weft_feed *feed)
{
    weft_feed_reader_free(feed->reader);
    weft_mem_free(feed->order);
    *feed = (struct weft_feed){0};
}

size_t weft_feed_bytes(const weft_dataset *data, const struct weft_feed_options *options)
{
    if (weft_dataset_is_streamed(data)) {
        return weft_feed_reader_bytes(data, options);
    }
    return options->shuffle == WEFT_SHUFFLE_NONE ? 0
                                                 : weft_dataset_samples(data) * sizeof(uint32_t);
}

/* Where `from` lies inside of a slot, that is fetched here. */
static weft_status begin_reading(struct weft_feed *feed, size_t epoch, size_t from, weft_error *err)
{
    weft_status status = weft_feed_reader_start(feed->reader, epoch, from, err);
    bool inside = from < feed->n_samples && !weft_feed_reader_begins(feed->reader, from);
    return status == WEFT_OK && inside ? weft_feed_reader_next(feed->reader, &feed->slot, err)
                                       : status;
}

weft_status weft_feed_begin(struct weft_feed *feed, size_t epoch, size_t from, weft_error *err)
{
    const struct weft_feed_options *options = &feed->options;
    if (feed->reader != NULL) {
        return begin_reading(feed, epoch, from, err);
    }
    if (feed->order != NULL) {
        double start = weft_clock_seconds();
        weft_shuffle_order(options->shuffle, options->buffer, options->seed, epoch, feed->order,
                           feed->n_samples);
        feed->seconds += weft_clock_seconds() - start;
    }
    return WEFT_OK;
}

bool weft_feed_waits(const struct weft_feed *feed, size_t at)
{
    return feed->reader != NULL && weft_feed_reader_begins(feed->reader, at);
}

weft_status weft_feed_advance(struct weft_feed *feed, size_t at, weft_error *err)
{
    double start = weft_clock_seconds();
    weft_status status = weft_feed_reader_next(feed->reader, &feed->slot, err);
    feed->seconds += weft_clock_seconds() - start;
    assert(status != WEFT_OK || feed->slot->at == at);
    (void)at;
    return status;
}

struct weft_feed_rows weft_feed_rows(const struct weft_feed *feed, size_t at, size_t n)
{
    weft_tensor x = weft_dataset_x(feed->data);
    weft_targets targets = weft_dataset_targets(feed->data);
    targets.weights = feed->options.weights;
    const struct weft_feed_slot *slot = feed->slot;
    if (slot == NULL) {
        return (struct weft_feed_rows){
            .x = x,
            .targets = targets,
            .rows = feed->order == NULL ? NULL : feed->order + at,
            .first = at,
            .n = n,
        };
    }
    size_t first = at - slot->at;
    assert(at >= slot->at && first + n <= slot->n);
    targets.classes = slot->classes;
    targets.values = slot->values;
    targets.weights = slot->weights;
    return (struct weft_feed_rows){
        .x = weft_tensor_borrow(x.dtype, slot->x, slot->n, x.cols, x.cols),
        .targets = targets,
        .samples = slot->samples + first,
        .first = first,
        .n = n,
    };
}
