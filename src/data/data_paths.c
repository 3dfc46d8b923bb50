/* Directories of IDX files, pairs of files, single files. The files of a directory go by name:
 * those of MNIST, KMNIST and Fashion-MNIST first, then names that end so, as those of EMNIST
 * ("emnist-letters-train-images-idx3-ubyte.gz") and QMNIST ("qmnist-test-labels-idx2-int.gz"). */
#include "data/data_paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"
#include "data/image_folder.h"

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || errno != ENOENT;
}

/* What is looked for in a directory. */
struct wanted {
    const char *directory;
    weft_split split;
    const char *what; /* "images", "labels" */
};

static const char *const split_name[] = {"train", "t10k"};

static int n_dims_of(const struct wanted *wanted)
{
    return strcmp(wanted->what, "images") == 0 ? 3 : 1;
}

static weft_status fail_no_file(const struct wanted *wanted, weft_error *err)
{
    const char *split = split_name[wanted->split], *what = wanted->what;
    int n_dims = n_dims_of(wanted);
    return weft_fail(
        err, WEFT_ERR_IO,
        "%s: a directory without %s-%s-idx%d-ubyte or %s-%s.idx%d-ubyte, plain or .gz, "
        "and without folders of PNG images",
        wanted->directory, split, what, n_dims, split, what, n_dims);
}

/* A name of MNIST's in the first spelling that exists, else NULL: `-` or `.` before idx, plain or
 * compressed. */
static weft_status find_plain_name(const struct wanted *wanted, char **out, weft_error *err)
{
    size_t size = strlen(wanted->directory) + 64;
    char *name = weft_mem_alloc(size, 1);
    if (name == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    for (int i = 0; i < 4; i++) {
        snprintf(name, size, "%s/%s-%s%cidx%d-ubyte%s", wanted->directory,
                 split_name[wanted->split], wanted->what, i < 2 ? '-' : '.', n_dims_of(wanted),
                 i % 2 == 0 ? "" : ".gz");
        if (exists(name)) {
            *out = name;
            return WEFT_OK;
        }
    }
    weft_mem_free(name);
    *out = NULL;
    return WEFT_OK;
}

/* Length of a name without ".gz". */
static size_t stem(const char *name)
{
    size_t len = strlen(name);
    return len > 3 && strcmp(name + len - 3, ".gz") == 0 ? len - 3 : len;
}

static bool ends_in(const char *name, size_t len, const char *ending)
{
    size_t n = strlen(ending);
    return len >= n && memcmp(name + len - n, ending, n) == 0 &&
           (len == n || name[len - n - 1] == '-');
}

/* "[...-]train-labels-idx2-int" and the like, where "test" may stand for "t10k". */
static bool fits(const struct wanted *wanted, const char *name)
{
    static const char *const splits[2][2] = {{"train", "train"}, {"t10k", "test"}};
    static const char *const kinds[2][2] = {{"idx3-ubyte", "idx3-ubyte"},
                                            {"idx1-ubyte", "idx2-int"}};
    size_t len = stem(name);
    for (int i = 0; i < 8; i++) {
        char ending[64];
        snprintf(ending, sizeof ending, "%s-%s%c%s", splits[wanted->split][i & 1], wanted->what,
                 (i & 2) != 0 ? '.' : '-', kinds[n_dims_of(wanted) == 1][i >> 2]);
        if (ends_in(name, len, ending)) {
            return true;
        }
    }
    return false;
}

/* Takes a name that fits; *found is the one before, or NULL. */
static weft_status take_name(const struct wanted *wanted, const char *name, char **found,
                             weft_error *err)
{
    if (*found != NULL && (stem(name) != stem(*found) || memcmp(name, *found, stem(name)) != 0)) {
        return weft_fail(err, WEFT_ERR_IO,
                         "%s: a directory of several sets, such as %s and %s: wanted one, or "
                         "IMAGES,LABELS",
                         wanted->directory, *found, name);
    }
    if (*found != NULL && strlen(*found) < strlen(name)) {
        return WEFT_OK; /* plain before compressed */
    }
    weft_mem_free(*found);
    *found = weft_mem_strdup(name);
    return *found == NULL ? weft_fail_nomem(err, "a file name") : WEFT_OK;
}

static weft_status look_through(const struct wanted *wanted, char **found, weft_error *err)
{
    DIR *directory = opendir(wanted->directory);
    if (directory == NULL) {
        return weft_fail_errno(err, errno, "%s", wanted->directory);
    }
    weft_status status = WEFT_OK;
    struct dirent *entry;
    while (status == WEFT_OK && (entry = readdir(directory)) != NULL) {
        if (fits(wanted, entry->d_name)) {
            status = take_name(wanted, entry->d_name, found, err);
        }
    }
    closedir(directory);
    return status;
}

/* The only file whose name ends in the right way, else NULL. */
static weft_status find_longer_name(const struct wanted *wanted, char **out, weft_error *err)
{
    char *found = NULL, *name = NULL;
    weft_status status = look_through(wanted, &found, err);
    if (status == WEFT_OK && found != NULL) {
        size_t size = strlen(wanted->directory) + strlen(found) + 2;
        name = weft_mem_alloc(size, 1);
        if (name == NULL) {
            status = weft_fail_nomem(err, "a file name");
        } else {
            snprintf(name, size, "%s/%s", wanted->directory, found);
        }
    }
    weft_mem_free(found);
    *out = name;
    return status;
}

/* NULL where there is none. */
static weft_status find_in_directory(const struct wanted *wanted, char **out, weft_error *err)
{
    weft_status status = find_plain_name(wanted, out, err);
    return status == WEFT_OK && *out == NULL ? find_longer_name(wanted, out, err) : status;
}

bool weft_dataset_has_split(const char *path, weft_split split)
{
    if (!is_directory(path)) {
        return false;
    }
    if (weft_image_folder_has_splits(path)) {
        return true;
    }
    const struct wanted images = {path, split, "images"}, labels = {path, split, "labels"};
    char *samples = NULL, *classes = NULL;
    bool has = find_in_directory(&images, &samples, NULL) == WEFT_OK && samples != NULL &&
               find_in_directory(&labels, &classes, NULL) == WEFT_OK && classes != NULL;
    weft_mem_free(samples);
    weft_mem_free(classes);
    return has;
}

static weft_status search(struct weft_data_paths *paths, const char *path, weft_split split,
                          bool want_labels, weft_error *err)
{
    const struct wanted images = {path, split, "images"}, labels = {path, split, "labels"};
    weft_status status = find_in_directory(&images, &paths->samples, err);
    if (status == WEFT_OK && want_labels) {
        status = find_in_directory(&labels, &paths->labels, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (paths->samples == NULL && paths->labels == NULL &&
        (weft_image_folder_is(path) || weft_image_folder_has_splits(path))) {
        paths->is_image_folder = true;
        paths->samples = weft_mem_strdup(path);
        return paths->samples == NULL ? weft_fail_nomem(err, "a file name") : WEFT_OK;
    }
    return paths->samples == NULL                 ? fail_no_file(&images, err)
           : want_labels && paths->labels == NULL ? fail_no_file(&labels, err)
                                                  : WEFT_OK;
}

/* The comma of "IMAGES,LABELS": the first with files on both sides, else on its left, else the
 * first of all, so that the error names the file that is missing. */
static size_t find_comma(char *path)
{
    size_t best = strcspn(path, ",");
    bool left_found = false;
    for (size_t at = best; path[at] == ','; at += 1 + strcspn(path + at + 1, ",")) {
        path[at] = '\0';
        bool left = exists(path), right = exists(path + at + 1);
        path[at] = ',';
        if (left && right) {
            return at;
        }
        if (left && !left_found) {
            left_found = true;
            best = at;
        }
    }
    return best;
}

static weft_status cut_in_two(struct weft_data_paths *paths, const char *path, bool want_labels,
                              weft_error *err)
{
    paths->samples = weft_mem_strdup(path);
    if (paths->samples == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    size_t comma = find_comma(paths->samples);
    paths->samples[comma] = '\0';
    if (want_labels) {
        paths->labels = weft_mem_strdup(paths->samples + comma + 1);
    }
    return want_labels && paths->labels == NULL ? weft_fail_nomem(err, "a file name") : WEFT_OK;
}

weft_status weft_data_paths_init(struct weft_data_paths *paths, const char *path,
                                 const weft_dataset_options *options, weft_error *err)
{
    *paths = (struct weft_data_paths){0};
    bool want_labels = options->labels != WEFT_LABELS_NONE;
    weft_status status = WEFT_OK;
    if (is_directory(path)) {
        status = search(paths, path, options->split, want_labels, err);
    } else if (!exists(path) && strchr(path, ',') != NULL) {
        status = cut_in_two(paths, path, want_labels, err);
    } else {
        paths->samples = weft_mem_strdup(path);
        status = paths->samples == NULL ? weft_fail_nomem(err, "a file name") : WEFT_OK;
    }
    if (status != WEFT_OK) {
        weft_data_paths_release(paths);
    }
    return status;
}

void weft_data_paths_release(struct weft_data_paths *paths)
{
    weft_mem_free(paths->samples);
    weft_mem_free(paths->labels);
    *paths = (struct weft_data_paths){0};
}
