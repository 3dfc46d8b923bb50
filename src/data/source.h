/* Samples with their labels, read block by block from files of any format and any size.
 *
 * A source is opened from a path, describes what it gives, and reads the next samples into memory
 * of the caller: features as bytes where the file has bytes, else as float32, labels beside them as
 * numbers. It can be rewound, and where the format allows it sent to any sample. Its own memory
 * does not grow with the file, but for the distinct labels of text.
 *
 * A format is one file that fills in a struct weft_format, and one row of the table in source.c. It
 * is recognised by its first bytes. Compression is a layer below (gzstream.h) and not its concern.
 */
#ifndef WEFT_DATA_SOURCE_H
#define WEFT_DATA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/dataset.h>

#include "data/dataset_impl.h"
#include "data/gzstream.h"
#include "data/labels.h"

/* Memory for samples, the caller's. */
struct weft_block {
    void *x;         /* [capacity, features] of the source's dtype */
    double *y;       /* [capacity, n_labels], not looked at where there are none */
    float *weights;  /* [capacity] of a source that has weights; NULL: not wanted */
    size_t capacity; /* > 0 */
    size_t n;        /* samples read; fewer than capacity only at the end */
};

struct weft_source;

/* What a format does; each may assume what weft_source_...() below promises. */
struct weft_source_methods {
    weft_status (*read)(struct weft_source *source, struct weft_block *block, weft_error *err);
    weft_status (*seek)(struct weft_source *source, uint64_t sample, weft_error *err);
    /* Labels of all samples into y, without their features; NULL where they are not apart. */
    weft_status (*labels)(struct weft_source *source, double *y, weft_error *err);
    void (*close)(struct weft_source *source);
};

/* What all sources have in common; the struct of a format begins with it. */
struct weft_source {
    const struct weft_source_methods *methods;
    const char *format;          /* for people: "IDX, gzip" */
    const char *x_path, *y_path; /* for messages: where features and labels come from */
    struct weft_extent extent;   /* samples is 0 where only reading to the end tells */
    weft_dtype dtype;            /* of features */
    bool is_text;                /* dtype is float32 for want of a type: bytes may be bytes */
    bool can_seek;               /* to any sample, without reading those before it */
    size_t n_labels;             /* numbers for each sample; 0: there are none, or not wanted */
    bool are_values;             /* labels are values whatever they look like */
    bool has_weights;            /* how much each sample counts stands beside its labels */
    struct weft_labels *words;   /* not NULL: labels are ids of the distinct ones in here */
    const weft_columns *columns; /* NULL: all are numbers, and none may be missing */
    uint64_t n_missing;          /* values filled in since the first sample */
    uint64_t n_dropped;          /* rows left out for want of one */
    uint64_t most_samples;       /* more cannot be in a file of its size; 0: nobody knows */
    const char *const *listed; /* names that the file gives to labels 0 .. n_listed - 1, or NULL */
    size_t n_listed;
};

/* The files of a source, open. */
struct weft_source_files {
    struct weft_gzstream *samples;
    struct weft_gzstream *labels; /* NULL where one file holds both, or labels are not wanted */
};

struct weft_format {
    /* Whether a file that starts so is one. */
    bool (*knows)(const unsigned char *bytes, size_t n);
    bool is_text;
    bool is_pair; /* samples and labels may be in two files */
    /* Takes the files, and closes them where it fails, too. */
    weft_status (*open)(const struct weft_source_files *files, const weft_dataset_options *options,
                        struct weft_source **out, weft_error *err);
};

/* Opens what a path means to weft_dataset_load(), whose errors it has. The options and what they
 * point to must outlive the source. Close with weft_source_close(). */
WEFT_CHECKED weft_status weft_source_open(const char *path, const weft_dataset_options *options,
                                          struct weft_source **out, weft_error *err);

/* Reads the next samples; 0 of them at the end and from then on. What stands behind the last sample
 * (check sums, too much data) is looked at before the last sample is handed over. A failed source
 * can only be closed or rewound. */
WEFT_CHECKED weft_status weft_source_read(struct weft_source *source, struct weft_block *block,
                                          weft_error *err);

/* Goes back to the first sample. Distinct labels keep their ids. */
WEFT_CHECKED weft_status weft_source_rewind(struct weft_source *source, weft_error *err);

/* Goes to a sample, which must exist, of a source that can. */
WEFT_CHECKED weft_status weft_source_seek(struct weft_source *source, uint64_t sample,
                                          weft_error *err);

/* Reads all labels and nothing else of a source that was just opened and has methods->labels;
 * afterwards it can only be closed or rewound. */
WEFT_CHECKED weft_status weft_source_labels(struct weft_source *source, double *y, weft_error *err);

void weft_source_close(struct weft_source *source);

/* Makes a data set of all of a source that has just been opened from `path`: in memory, or where
 * that takes more than the options allow, streamed. */
WEFT_CHECKED weft_status weft_source_drain(struct weft_source *source, const char *path,
                                           const weft_dataset_options *options, weft_dataset **out,
                                           weft_error *err);

void weft_source_files_close(const struct weft_source_files *files);

#endif
