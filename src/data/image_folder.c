/* Lists directories of images. A name that ends in .png is one, whatever is in the file; names that
 * begin with a point are passed over. */
#include "data/image_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static char *join(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = weft_mem_alloc(size, 1);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", directory, name);
    }
    return path;
}

static bool is_image_name(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcasecmp(name + len - 4, ".png") == 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, in byte order. */
struct names {
    char **at;
    size_t n, room;
};

static void release_names(struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        weft_mem_free(names->at[i]);
    }
    weft_mem_free(names->at);
}

static weft_status add_text(char ***texts, size_t *n, size_t *room, char *text, weft_error *err)
{
    void *grown = *texts;
    bool made = text != NULL && weft_array_reserve(&grown, *n, 1, room, sizeof **texts);
    *texts = grown;
    if (!made) {
        weft_mem_free(text);
        return weft_fail_nomem(err, "the names of images");
    }
    (*texts)[(*n)++] = text;
    return WEFT_OK;
}

static weft_status list_names(const char *path, struct names *names, weft_error *err)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return weft_fail_errno(err, errno, "%s", path);
    }
    weft_status status = WEFT_OK;
    struct dirent *entry;
    while (status == WEFT_OK && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.') {
            status =
                add_text(&names->at, &names->n, &names->room, weft_mem_strdup(entry->d_name), err);
        }
    }
    closedir(directory);
    if (status == WEFT_OK && names->n > 0) {
        qsort(names->at, names->n, sizeof *names->at, by_bytes);
    }
    return status;
}

/* Opens a directory by its name in another one (or AT_FDCWD); NULL where there is none. */
static DIR *open_inside(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && directory == NULL) {
        close(fd);
    }
    return directory;
}

/* Whether a directory has images, in itself or `depth` folders down. Takes no memory of ours, so
 * that the answer does not depend on it. */
static bool has_images(int parent, const char *name, int depth)
{
    DIR *directory = open_inside(parent, name);
    bool found = false;
    struct dirent *entry;
    while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
        found = entry->d_name[0] != '.' &&
                (is_image_name(entry->d_name) ||
                 (depth > 0 && has_images(dirfd(directory), entry->d_name, depth - 1)));
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return found;
}

bool weft_image_folder_is(const char *path)
{
    return has_images(AT_FDCWD, path, 1);
}

bool weft_image_folder_has_splits(const char *path)
{
    DIR *directory = open_inside(AT_FDCWD, path);
    bool both = directory != NULL && has_images(dirfd(directory), "train", 1) &&
                has_images(dirfd(directory), "test", 1);
    if (directory != NULL) {
        closedir(directory);
    }
    return both;
}

char *weft_image_folder_of_split(const char *path, weft_split split)
{
    return weft_image_folder_has_splits(path)
               ? join(path, split == WEFT_SPLIT_TRAIN ? "train" : "test")
               : weft_mem_strdup(path);
}

static weft_status add_image(struct weft_image_folder *folder, char *path, size_t class,
                             weft_error *err)
{
    size_t room = folder->room;
    void *classes = folder->classes;
    bool made = weft_array_reserve(&classes, folder->n, 1, &room, sizeof *folder->classes);
    folder->classes = classes;
    if (!made) {
        weft_mem_free(path);
        return weft_fail_nomem(err, "the names of images");
    }
    folder->classes[folder->n] = class;
    return add_text(&folder->paths, &folder->n, &folder->room, path, err);
}

/* The images in one folder. */
static weft_status list_class(struct weft_image_folder *folder, const char *path, const char *name,
                              weft_error *err)
{
    struct names names = {0};
    size_t before = folder->n;
    weft_status status = list_names(path, &names, err);
    for (size_t i = 0; i < names.n && status == WEFT_OK; i++) {
        if (is_image_name(names.at[i])) {
            status = add_image(folder, join(path, names.at[i]), folder->n_folders, err);
        }
    }
    release_names(&names);
    if (status != WEFT_OK || folder->n == before) {
        return status;
    }
    return add_text(&folder->folders, &folder->n_folders, &folder->folders_room,
                    weft_mem_strdup(name), err);
}

static weft_status list_entry(struct weft_image_folder *folder, const char *path, const char *name,
                              bool without_classes, weft_error *err)
{
    char *inside = join(path, name);
    if (inside == NULL) {
        return weft_fail_nomem(err, "the names of images");
    }
    weft_status status = WEFT_OK;
    if (is_directory(inside)) {
        status = list_class(folder, inside, name, err);
    } else if (is_image_name(name) && without_classes) {
        return add_image(folder, inside, 0, err);
    } else if (is_image_name(name)) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: an image in no folder, wanted one folder for each class", inside);
    }
    weft_mem_free(inside);
    return status;
}

weft_status weft_image_folder_list(struct weft_image_folder *folder, const char *path,
                                   bool without_classes, weft_error *err)
{
    *folder = (struct weft_image_folder){0};
    struct names names = {0};
    weft_status status = list_names(path, &names, err);
    for (size_t i = 0; i < names.n && status == WEFT_OK; i++) {
        status = list_entry(folder, path, names.at[i], without_classes, err);
    }
    release_names(&names);
    if (status == WEFT_OK && folder->n == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no PNG images in it", path);
    }
    return status;
}

void weft_image_folder_release(struct weft_image_folder *folder)
{
    for (size_t i = 0; i < folder->n; i++) {
        weft_mem_free(folder->paths[i]);
    }
    for (size_t i = 0; i < folder->n_folders; i++) {
        weft_mem_free(folder->folders[i]);
    }
    weft_mem_free(folder->paths);
    weft_mem_free(folder->classes);
    weft_mem_free(folder->folders);
    *folder = (struct weft_image_folder){0};
}
