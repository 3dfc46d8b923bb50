/* Finds samples and labels by the names that people give them. */
#include "data/array_names.h"

#include <string.h>

static bool agrees(const char *given, const char *name)
{
    return given == NULL || strcmp(given, name) == 0;
}

enum weft_names_found weft_array_names_choose(const struct weft_array_names *pairs, size_t n_pairs,
                                              const weft_dataset_options *options,
                                              bool (*has)(const void *file, const char *name),
                                              const void *file, struct weft_array_names *out)
{
    const char *x_name = options->x_name, *y_name = options->y_name;
    bool want_y = options->labels != WEFT_LABELS_NONE;
    enum weft_names_found found = WEFT_NAMES_NONE;
    for (size_t i = 0; i < 2 * n_pairs; i++) {
        const struct weft_array_names *pair = &pairs[i % n_pairs];
        if (i < n_pairs && !(agrees(x_name, pair->x) && agrees(y_name, pair->y))) {
            continue;
        }
        const struct weft_array_names names = {.x = x_name == NULL ? pair->x : x_name,
                                               .y = y_name == NULL ? pair->y : y_name};
        bool has_x = has(file, names.x);
        if (has_x && (!want_y || has(file, names.y))) {
            *out = names;
            return WEFT_NAMES_BOTH;
        }
        found = has_x ? WEFT_NAMES_X_ALONE : found;
    }
    return found;
}
