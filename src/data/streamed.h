/* Data sets whose features stay in their file: what is known of it, and reading it again. */
#ifndef WEFT_DATA_STREAMED_H
#define WEFT_DATA_STREAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/dataset.h>

#include "data/source.h"

/* Where features are read from: shared by the parts that a data set is cut into. */
struct weft_stream;

/* What a source that was read through turned out to be; `dtype` is that of the data set. Path and
 * options, with the texts they point to, are copied. */
WEFT_CHECKED weft_status weft_stream_new(const char *path, const weft_dataset_options *options,
                                         const struct weft_source *source, size_t n_samples,
                                         weft_dtype dtype, struct weft_stream **out,
                                         weft_error *err);

/* One more owner. */
struct weft_stream *weft_stream_share(struct weft_stream *stream);
void weft_stream_release(struct weft_stream *stream);

bool weft_stream_can_seek(const struct weft_stream *stream);

/* A data set without labels whose features are those of a stream, which it takes, also where it
 * fails. numbers: which samples of the file they are, ascending, taken likewise; NULL: all. */
WEFT_CHECKED weft_status weft_dataset_new_streamed(const struct weft_extent *extent,
                                                   const char *format, struct weft_stream *stream,
                                                   uint32_t *numbers, weft_dataset **out,
                                                   weft_error *err);

/* Reads the first samples, to be had from weft_dataset_sample(). */
WEFT_CHECKED weft_status weft_stream_sample(weft_dataset *data, weft_error *err);

/* Bytes of features and labels in memory. */
size_t weft_dataset_bytes(const weft_dataset *data);

/* Up to 256 samples of a data set that tell what the others are like, borrowed. */
weft_tensor weft_dataset_sample(const weft_dataset *data);

/* Reads the samples of a streamed data set. One thread may use it. */
struct weft_stream_reader {
    const weft_dataset *data; /* borrowed */
    struct weft_source *source;
    struct weft_block block; /* what was read last */
    size_t block_at;         /* number in the file of its first sample */
    size_t at;               /* sample of the data set that is next */
    bool is_narrowed;        /* the source gives float32 for what are bytes */
};

/* Release with weft_stream_reader_release(), harmless on a zeroed reader. */
WEFT_CHECKED weft_status weft_stream_reader_init(struct weft_stream_reader *reader,
                                                 const weft_dataset *data, weft_error *err);
void weft_stream_reader_release(struct weft_stream_reader *reader);

/* Back to the first sample; also after an error. */
WEFT_CHECKED weft_status weft_stream_reader_rewind(struct weft_stream_reader *reader,
                                                   weft_error *err);

/* The next n samples, which must exist, into x [n, features]. WEFT_ERR_FORMAT: the file has become
 * shorter. */
WEFT_CHECKED weft_status weft_stream_reader_read(struct weft_stream_reader *reader, void *x,
                                                 size_t n, weft_error *err);

/* Any one sample, of a stream that can be sent there. */
WEFT_CHECKED weft_status weft_stream_reader_fetch(struct weft_stream_reader *reader, size_t sample,
                                                  void *x, weft_error *err);

#endif
