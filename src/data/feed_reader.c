/* The thread behind the feed of a streamed data set.
 *
 * Epochs follow each other without a gap: while the last samples of one are handed out, the first
 * ones of the next are read, as the order of files does not change. For a shuffle buffer this means
 * that it never runs empty: each sample taken out makes room for one of the next epoch. */
#include "data/feed_reader.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"
#include "data/shuffle_order.h"
#include "data/streamed.h"

enum { N_SLOTS = 4 };

#define SLOT_BYTES ((size_t)1 << 20)

/* What a shuffle buffer holds of one epoch: position p of its order is entry p % size. */
struct window {
    uint32_t *rows;    /* [size] where in `held` the features are */
    uint32_t *samples; /* [size] */
};

struct weft_feed_reader {
    const weft_dataset *data;
    const struct weft_feed_options *options;
    size_t n_samples, row_bytes;
    size_t slot_rows;
    struct weft_feed_slot slots[N_SLOTS];

    /* The thread's own. */
    size_t first_epoch, from_at; /* samples of that epoch before this position are not wanted */
    struct weft_stream_reader from;
    uint32_t *order;          /* of the epoch, WEFT_SHUFFLE_FULL; else NULL */
    size_t size;              /* of the shuffle buffer, at most n_samples; 0: there is none */
    struct window windows[2]; /* of even and odd epochs */
    unsigned char *held;      /* [size, features] */

    /* Shared, under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t n_filled, n_given; /* slots since the start */
    bool stop, has_ended;
    weft_status status; /* of the thread, once it has ended */
    weft_error error;
    pthread_t thread;
    bool is_running; /* the caller's own */
};

/* Slots are some whole batches or, where those are large, pieces of one. */
static size_t rows_of_slot(const weft_dataset *data, const struct weft_feed_options *options)
{
    size_t row_bytes = data->extent.features * weft_dtype_size(data->x.dtype);
    size_t batch = options->batch_size;
    size_t rows = SLOT_BYTES / row_bytes;
    if (batch <= WEFT_FEED_PART || batch <= rows) {
        rows = batch < rows ? rows / batch * batch : batch;
    } else {
        rows = rows < WEFT_FEED_PART ? WEFT_FEED_PART : rows / WEFT_FEED_PART * WEFT_FEED_PART;
    }
    size_t most = (data->extent.samples - 1) / batch * batch + batch; /* whole batches */
    return rows < most ? rows : most;
}

static size_t size_of_buffer(const weft_dataset *data, const struct weft_feed_options *options)
{
    size_t n = data->extent.samples;
    return options->shuffle != WEFT_SHUFFLE_BUFFER ? 0 : options->buffer < n ? options->buffer : n;
}

size_t weft_feed_reader_bytes(const weft_dataset *data, const struct weft_feed_options *options)
{
    size_t row_bytes = data->extent.features * weft_dtype_size(data->x.dtype);
    size_t size = size_of_buffer(data, options);
    size_t order = options->shuffle == WEFT_SHUFFLE_FULL ? data->extent.samples : 4 * size;
    return (N_SLOTS * rows_of_slot(data, options) + size) * row_bytes + order * sizeof(uint32_t);
}

/* The position behind the slot that begins at `at`. */
static size_t end_of_slot(const struct weft_feed_reader *reader, size_t at)
{
    size_t batch = reader->options->batch_size, rows = reader->slot_rows;
    size_t end = at + rows;
    if (rows < batch) {
        size_t end_of_batch = at / batch * batch + batch;
        end = end < end_of_batch ? end : end_of_batch;
    }
    return end < reader->n_samples ? end : reader->n_samples;
}

bool weft_feed_reader_begins(const struct weft_feed_reader *reader, size_t at)
{
    size_t batch = reader->options->batch_size, rows = reader->slot_rows;
    return (rows < batch ? at % batch : at) % rows == 0;
}

static bool is_stopped(struct weft_feed_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    bool stop = reader->stop;
    pthread_mutex_unlock(&reader->mutex);
    return stop;
}

/* Waits for a slot that nobody uses; NULL where the reader is to end. */
static struct weft_feed_slot *wait_for_room(struct weft_feed_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    while (!reader->stop && reader->n_filled - reader->n_given == N_SLOTS - 1) {
        pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    struct weft_feed_slot *slot = reader->stop ? NULL : &reader->slots[reader->n_filled % N_SLOTS];
    pthread_mutex_unlock(&reader->mutex);
    return slot;
}

static void hand_over(struct weft_feed_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    reader->n_filled++;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
}

/* Reads sample number `sample` into the buffer. */
static weft_status take_in(struct weft_feed_reader *reader, size_t epoch, size_t sample,
                           uint32_t row)
{
    struct window *window = &reader->windows[epoch % 2];
    weft_status status = WEFT_OK;
    if (sample == 0 && epoch > reader->first_epoch) {
        status = weft_stream_reader_rewind(&reader->from, &reader->error);
    }
    window->rows[sample % reader->size] = row;
    window->samples[sample % reader->size] = (uint32_t)sample;
    return status == WEFT_OK
               ? weft_stream_reader_read(&reader->from, reader->held + row * reader->row_bytes, 1,
                                         &reader->error)
               : status;
}

/* The same for what comes into the buffer as position `at` leaves it. */
static weft_status take_in_behind(struct weft_feed_reader *reader, size_t epoch, size_t at,
                                  uint32_t row)
{
    size_t next = at + reader->size;
    if (next < reader->n_samples) {
        return take_in(reader, epoch, next, row);
    }
    return epoch + 1 < reader->options->n_epochs
               ? take_in(reader, epoch + 1, next - reader->n_samples, row)
               : WEFT_OK;
}

/* Position `at` of the epoch from the buffer into row i of a slot. */
static weft_status draw(struct weft_feed_reader *reader, size_t epoch, size_t at,
                        const struct weft_feed_slot *slot, size_t i)
{
    const struct window *window = &reader->windows[epoch % 2];
    size_t from =
        at + weft_shuffle_draw(reader->options->seed, epoch, at, reader->n_samples, reader->size);
    size_t here = at % reader->size, there = from % reader->size;
    uint32_t row = window->rows[there];
    slot->samples[i] = window->samples[there];
    memcpy((unsigned char *)slot->x + i * reader->row_bytes, reader->held + row * reader->row_bytes,
           reader->row_bytes);
    window->rows[there] = window->rows[here];
    window->samples[there] = window->samples[here];
    return take_in_behind(reader, epoch, at, row);
}

static weft_status fill_buffer(struct weft_feed_reader *reader)
{
    enum { LOOK_UP = 256 }; /* samples from one look at `stop` to the next */
    weft_status status = WEFT_OK;
    for (size_t i = 0; status == WEFT_OK && i < reader->size; i++) {
        if (i % LOOK_UP == 0 && is_stopped(reader)) {
            break;
        }
        status = take_in(reader, reader->first_epoch, i, (uint32_t)i);
    }
    return status;
}

static weft_status read_rows(struct weft_feed_reader *reader, size_t epoch,
                             const struct weft_feed_slot *slot)
{
    weft_status status = WEFT_OK;
    if (reader->size == 0 && reader->order == NULL) {
        for (size_t i = 0; i < slot->n; i++) {
            slot->samples[i] = (uint32_t)(slot->at + i);
        }
        if (slot->at == 0 && epoch > reader->first_epoch) {
            status = weft_stream_reader_rewind(&reader->from, &reader->error);
        }
        return status == WEFT_OK
                   ? weft_stream_reader_read(&reader->from, slot->x, slot->n, &reader->error)
                   : status;
    }
    for (size_t i = 0; status == WEFT_OK && i < slot->n; i++) {
        if (reader->size > 0) {
            status = draw(reader, epoch, slot->at + i, slot, i);
            continue;
        }
        slot->samples[i] = reader->order[slot->at + i];
        status = weft_stream_reader_fetch(&reader->from, slot->samples[i],
                                          (unsigned char *)slot->x + i * reader->row_bytes,
                                          &reader->error);
    }
    return status;
}

static void copy_labels(const weft_dataset *data, const float *weights,
                        const struct weft_feed_slot *slot)
{
    for (size_t i = 0; i < slot->n && slot->weights != NULL; i++) {
        slot->weights[i] = weights[slot->samples[i]];
    }
    for (size_t i = 0; i < slot->n && slot->classes != NULL; i++) {
        slot->classes[i] = data->classes[slot->samples[i]];
    }
    for (size_t i = 0; i < slot->n && slot->values != NULL; i++) {
        memcpy(slot->values + i * data->n_values, data->values + slot->samples[i] * data->n_values,
               data->n_values * sizeof *slot->values);
    }
}

/* Epoch by epoch, slot by slot. */
static weft_status produce(struct weft_feed_reader *reader)
{
    const struct weft_feed_options *options = reader->options;
    weft_status status = fill_buffer(reader);
    for (size_t epoch = reader->first_epoch; epoch < options->n_epochs; epoch++) {
        if (reader->order != NULL) {
            weft_shuffle_order(options->shuffle, options->buffer, options->seed, epoch,
                               reader->order, reader->n_samples);
        }
        for (size_t at = 0; at < reader->n_samples;) {
            struct weft_feed_slot *slot = status == WEFT_OK ? wait_for_room(reader) : NULL;
            if (slot == NULL) {
                return status;
            }
            slot->at = at;
            slot->n = end_of_slot(reader, at) - at;
            status = read_rows(reader, epoch, slot);
            bool wanted = epoch > reader->first_epoch || at + slot->n > reader->from_at;
            if (status == WEFT_OK && wanted) {
                copy_labels(reader->data, options->weights, slot);
                hand_over(reader);
            }
            at += slot->n;
        }
    }
    return status;
}

static void *run(void *arg)
{
    struct weft_feed_reader *reader = arg;
    weft_status status = produce(reader);
    pthread_mutex_lock(&reader->mutex);
    reader->status = status;
    reader->has_ended = true;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    return NULL;
}

static bool allocate_slot(struct weft_feed_reader *reader, size_t index)
{
    const weft_dataset *data = reader->data;
    struct weft_feed_slot *slot = &reader->slots[index];
    size_t rows = reader->slot_rows;
    bool made = true;
    slot->x = weft_mem_alloc(rows, reader->row_bytes);
    slot->samples = weft_mem_alloc(rows, sizeof *slot->samples);
    if (data->classes != NULL) {
        slot->classes = weft_mem_alloc(rows, sizeof *slot->classes);
        made = slot->classes != NULL;
    }
    if (data->values != NULL) {
        slot->values = weft_mem_alloc(rows, data->n_values * sizeof *slot->values);
        made = made && slot->values != NULL;
    }
    if (reader->options->weights != NULL) {
        slot->weights = weft_mem_alloc(rows, sizeof *slot->weights);
        made = made && slot->weights != NULL;
    }
    return made && slot->x != NULL && slot->samples != NULL;
}

static bool allocate_buffer(struct weft_feed_reader *reader)
{
    bool made = true;
    for (size_t i = 0; i < 2; i++) {
        struct window *window = &reader->windows[i];
        window->rows = weft_mem_alloc(reader->size, sizeof *window->rows);
        window->samples = weft_mem_alloc(reader->size, sizeof *window->samples);
        made = made && window->rows != NULL && window->samples != NULL;
    }
    reader->held = weft_mem_alloc(reader->size, reader->row_bytes);
    return made && reader->held != NULL;
}

static bool allocate(struct weft_feed_reader *reader)
{
    bool made = reader->size == 0 || allocate_buffer(reader);
    if (reader->options->shuffle == WEFT_SHUFFLE_FULL) {
        reader->order = weft_mem_alloc(reader->n_samples, sizeof *reader->order);
        made = made && reader->order != NULL;
    }
    for (size_t i = 0; i < N_SLOTS; i++) {
        made = made && allocate_slot(reader, i);
    }
    return made;
}

weft_status weft_feed_reader_new(const weft_dataset *data, const struct weft_feed_options *options,
                                 struct weft_feed_reader **out, weft_error *err)
{
    struct weft_feed_reader *reader = weft_mem_zalloc(1, sizeof *reader);
    if (reader == NULL) {
        return weft_fail_nomem(err, "a reader of batches");
    }
    reader->data = data;
    reader->options = options;
    reader->n_samples = data->extent.samples;
    reader->row_bytes = data->extent.features * weft_dtype_size(data->x.dtype);
    reader->slot_rows = rows_of_slot(data, options);
    reader->size = size_of_buffer(data, options);
    pthread_mutex_init(&reader->mutex, NULL);
    pthread_cond_init(&reader->changed, NULL);
    weft_status status = allocate(reader) ? weft_stream_reader_init(&reader->from, data, err)
                                          : weft_fail_nomem(err, "a shuffle buffer and batches");
    if (status != WEFT_OK) {
        weft_feed_reader_free(reader);
        return status;
    }
    *out = reader;
    return WEFT_OK;
}

weft_status weft_feed_reader_start(struct weft_feed_reader *reader, size_t epoch, size_t from,
                                   weft_error *err)
{
    if (reader->is_running) {
        return WEFT_OK;
    }
    sigset_t all, before;
    reader->first_epoch = epoch;
    reader->from_at = from;
    sigfillset(&all); /* signals are for the other threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&reader->thread, NULL, run, reader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    reader->is_running = failed == 0;
    return failed == 0 ? WEFT_OK : weft_fail_errno(err, failed, "cannot start a thread");
}

void weft_feed_reader_free(struct weft_feed_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->is_running) {
        pthread_mutex_lock(&reader->mutex);
        reader->stop = true;
        pthread_cond_signal(&reader->changed);
        pthread_mutex_unlock(&reader->mutex);
        pthread_join(reader->thread, NULL);
    }
    for (size_t i = 0; i < N_SLOTS; i++) {
        weft_mem_free(reader->slots[i].x);
        weft_mem_free(reader->slots[i].classes);
        weft_mem_free(reader->slots[i].values);
        weft_mem_free(reader->slots[i].weights);
        weft_mem_free(reader->slots[i].samples);
    }
    for (size_t i = 0; i < 2; i++) {
        weft_mem_free(reader->windows[i].rows);
        weft_mem_free(reader->windows[i].samples);
    }
    weft_mem_free(reader->held);
    weft_mem_free(reader->order);
    weft_stream_reader_release(&reader->from);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->mutex);
    weft_mem_free(reader);
}

weft_status weft_feed_reader_next(struct weft_feed_reader *reader,
                                  const struct weft_feed_slot **out, weft_error *err)
{
    weft_status status = WEFT_OK;
    pthread_mutex_lock(&reader->mutex);
    while (reader->n_filled == reader->n_given && !reader->has_ended) {
        pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    if (reader->n_filled > reader->n_given) {
        *out = &reader->slots[reader->n_given++ % N_SLOTS];
        pthread_cond_signal(&reader->changed); /* the one given before is free now */
    } else {
        assert(reader->status != WEFT_OK);
        status = weft_fail(err, reader->status, "%s", reader->error.message);
    }
    pthread_mutex_unlock(&reader->mutex);
    return status;
}
