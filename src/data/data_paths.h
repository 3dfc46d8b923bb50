/* From what a user calls data to the files that it means. */
#ifndef WEFT_DATA_DATA_PATHS_H
#define WEFT_DATA_DATA_PATHS_H

#include <stdbool.h>

#include <weft/dataset.h>

/* One file, or two; each is NULL or to be freed. */
struct weft_data_paths {
    char *samples, *labels;
    bool is_image_folder; /* samples is a directory of images */
};

/* Finds them; they may still not exist, but for those of a directory. Labels are left out where
 * they are not wanted. Release with weft_data_paths_release(). */
WEFT_CHECKED weft_status weft_data_paths_init(struct weft_data_paths *paths, const char *path,
                                              const weft_dataset_options *options, weft_error *err);

void weft_data_paths_release(struct weft_data_paths *paths);

#endif
