/* Directories of PNG images: one folder for each class, or images alone. */
#ifndef WEFT_DATA_IMAGE_FOLDER_H
#define WEFT_DATA_IMAGE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/dataset.h>

/* The images of a directory, by folder and name in byte order. A zeroed struct may be released. */
struct weft_image_folder {
    char **paths;    /* [n] of files */
    size_t *classes; /* [n] which folder each one is in */
    size_t n, room;
    char *
        *folders; /* [n_folders] names of those with images; none where these are not in folders */
    size_t n_folders, folders_room;
};

/* Whether a directory has images in it, or in a folder of it. */
bool weft_image_folder_is(const char *path);

/* The directory of the images of a split: `path` itself, or "PATH/train" and "PATH/test" where both
 * are such directories. To be freed; NULL where there is no memory. */
char *weft_image_folder_of_split(const char *path, weft_split split);

/* Whether a directory is cut into those two. */
bool weft_image_folder_has_splits(const char *path);

/* Lists them. without_classes: images in no folder will do, and folders are of no matter.
 * WEFT_ERR_IO: a directory cannot be read. WEFT_ERR_FORMAT: no images, or some in no folder.
 * Release with weft_image_folder_release() also after a failure. */
WEFT_CHECKED weft_status weft_image_folder_list(struct weft_image_folder *folder, const char *path,
                                                bool without_classes, weft_error *err);

void weft_image_folder_release(struct weft_image_folder *folder);

#endif
