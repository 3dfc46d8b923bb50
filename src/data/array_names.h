/* Which of the named arrays of a file are samples and labels. */
#ifndef WEFT_DATA_ARRAY_NAMES_H
#define WEFT_DATA_ARRAY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/dataset.h>

/* Names that go together. */
struct weft_array_names {
    const char *x, *y;
};

enum weft_names_found { WEFT_NAMES_NONE, WEFT_NAMES_X_ALONE, WEFT_NAMES_BOTH };

/* Fills the names that the options leave open: by a pair that has the names given, if there is one
 * in the file, else by any name of any pair. Without labels wanted those do not matter.
 * X_ALONE: samples were found, but no labels to go with them. */
enum weft_names_found weft_array_names_choose(const struct weft_array_names *pairs, size_t n_pairs,
                                              const weft_dataset_options *options,
                                              bool (*has)(const void *file, const char *name),
                                              const void *file, struct weft_array_names *out);

#endif
