/* From labels as they are in files to class ids or values: the one place where that is decided,
 * whatever the format. */
#ifndef WEFT_DATA_LABELS_H
#define WEFT_DATA_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/dataset_impl.h"

/* More distinct labels than this are not taken for classes unless the caller says so. */
#define WEFT_LABELS_AUTO_MAX 1000

/* A distinct label. Numbers are equal by value ("7", "07" and "7.0"), texts by their bytes. */
struct weft_label {
    double value;   /* of a number */
    char *text;     /* its first spelling; NULL for a whole number */
    uint64_t place; /* of the first sample that has it */
    uint32_t id;    /* in order of appearance */
    bool is_number;
};

/* The distinct labels of samples, numbered as they come. A zeroed struct may be released. */
struct weft_labels {
    const char *path, *unit; /* for messages: "PATH: UNIT 12: ..." */
    weft_label_kind wanted;  /* AUTO or CLASSES */
    bool is_fixed;           /* the classes are known; no others may come */
    struct weft_label *distinct;
    size_t n_distinct, distinct_capacity;
    uint32_t *slots; /* hash table: index of a label + 1, or 0 */
    size_t n_slots;  /* a power of two */
};

/* names: the classes in the order of their ids, or NULL where they are to be found. `path` and
 * `unit` are borrowed. */
WEFT_CHECKED weft_status weft_labels_init(struct weft_labels *labels, const char *path,
                                          const char *unit, weft_label_kind wanted,
                                          const char *const *names, size_t n_names,
                                          weft_error *err);

void weft_labels_release(struct weft_labels *labels);

/* Finds the id of a label, found at `place` (a line, a sample number), which is entered where it is
 * new. */
WEFT_CHECKED weft_status weft_labels_add_text(struct weft_labels *labels, const char *text,
                                              size_t len, uint64_t place, double *id,
                                              weft_error *err);

/* The same for a label that is no text; it must be a whole number. */
WEFT_CHECKED weft_status weft_labels_add_number(struct weft_labels *labels, double value,
                                                uint64_t place, double *id, weft_error *err);

/* What the options come to: known classes make AUTO mean CLASSES. */
weft_label_kind weft_labels_wanted(const weft_dataset_options *options);

/* Whether a text is among the labels seen so far. */
bool weft_labels_know(const struct weft_labels *labels, const char *text);

/* Where a text is among the distinct labels. */
bool weft_labels_find(const struct weft_labels *labels, const char *text, size_t len,
                      size_t *index);

/* The label of that index for a message. */
struct weft_quoted weft_labels_quote(const struct weft_labels *labels, size_t index);

/* Gives every distinct label its text and brings them into order: numbers ascending, texts by their
 * bytes, numbers among texts as texts. Nothing can be looked up or added from then on. */
WEFT_CHECKED weft_status weft_labels_sort(struct weft_labels *labels, weft_error *err);

/* Gives the data set its classes or values; ids are those of its samples. */
WEFT_CHECKED weft_status weft_labels_finish(struct weft_labels *labels, const double *ids,
                                            weft_dataset *data, weft_error *err);

/* All of it for labels that are an array of numbers [samples, n_each]. `listed` are names that the
 * file gives to the numbers 0 .. n_listed - 1, or NULL; they are not used where labels lie outside
 * that range. */
struct weft_number_labels {
    const char *path;
    double *numbers; /* overwritten */
    size_t n_each;
    const char *const *listed;
    size_t n_listed;
};
WEFT_CHECKED weft_status weft_labels_from_numbers(const struct weft_number_labels *source,
                                                  const weft_dataset_options *options,
                                                  weft_dataset *data, weft_error *err);

#endif
