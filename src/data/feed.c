/* Feeds of data sets in memory: their samples stay where they are, and batches are lists of rows.
 */
#include "data/feed.h"

#include "base/fail.h"
#include "base/mem.h"
#include "data/shuffle_order.h"

weft_status weft_feed_init(struct weft_feed *feed, const weft_dataset *data,
                           const struct weft_feed_options *options, weft_error *err)
{
    *feed = (struct weft_feed){
        .data = data, .options = *options, .n_samples = weft_dataset_samples(data)};
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
    weft_mem_free(feed->order);
    *feed = (struct weft_feed){0};
}

void weft_feed_begin(struct weft_feed *feed, size_t epoch)
{
    const struct weft_feed_options *options = &feed->options;
    feed->epoch = epoch;
    if (feed->order != NULL) {
        weft_shuffle_order(options->shuffle, options->buffer, options->seed, epoch, feed->order,
                           feed->n_samples);
    }
}

struct weft_feed_rows weft_feed_rows(const struct weft_feed *feed, size_t at, size_t n)
{
    return (struct weft_feed_rows){
        .x = weft_dataset_x(feed->data),
        .targets = weft_dataset_targets(feed->data),
        .rows = feed->order == NULL ? NULL : feed->order + at,
        .first = at,
        .n = n,
    };
}
