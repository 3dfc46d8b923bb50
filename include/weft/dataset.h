/** Data sets in memory: samples with their labels, read from files on disk. */
#ifndef WEFT_DATASET_H
#define WEFT_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/api.h>
#include <weft/columns.h>
#include <weft/status.h>
#include <weft/targets.h>
#include <weft/tensor.h>

/** Immutable once made; any number of threads may read it. */
typedef struct weft_dataset weft_dataset;

typedef enum weft_split {
    WEFT_SPLIT_TRAIN, /**< train-images..., train-labels... */
    WEFT_SPLIT_TEST,  /**< t10k-images..., t10k-labels... */
} weft_split;

typedef struct weft_dataset_options {
    /** What is wanted; AUTO by default. AUTO refuses more than 1000 distinct labels as classes,
     *  CLASSES takes any number of them. */
    weft_label_kind labels;
    weft_split split; /**< which files of a directory, which names of an HDF5 file come first */
    /** CSV: the label columns, by name or by index from 0 (negative: from the end; whole numbers
     *  are always indices), separated by commas; several of them make VALUES, in the order given.
     *  NULL: the first column that is not ignored. */
    const char *label;
    /** CSV: columns that are neither features nor labels, given as in `label`; NULL: none. */
    const char *ignore;
    /** CSV: the column that says how much each sample counts, given as in `label`: numbers from 0
     *  on, not all 0; it is neither feature nor label. NULL: none. */
    const char *weight;
    /** How many features a model takes, or 0. CSV, only looked at where labels is NONE: a file with
     *  exactly n_inputs > 0 columns has no label column; of any other file the label columns are
     *  left out. LIBSVM: a file whose largest index is below that lacks the last features. */
    size_t n_inputs;
    /** HDF5: data set of the features; NULL: guessed (train_set_x, test_set_x, x, X). NumPy's .npz:
     *  array of the features; NULL: guessed (x_train, x_test, X, x, images, data, arr_0, ...). */
    const char *x_name;
    const char *y_name; /**< the same for the labels; NULL: guessed likewise */
    /** The classes a model already knows, in the order of their ids; labels that are not among them
     *  are an error. Numbers are equal by value ("7" and "07"), texts by their bytes. NULL: the
     *  distinct labels found, numbers ascending, texts in byte order. Of no matter where labels is
     *  VALUES. */
    const char *const *class_names;
    size_t n_class_names;
    /** PNG: the size and the channels (1 grey, 3 RGB) that images are brought to; 0: what n_inputs
     *  leaves (a square image), else those of the first image, which all others must then have,
     *  grey where it is. Width and height go together; at most 4096 each. */
    size_t image_width, image_height, image_channels;
    bool invert;          /**< PNG: 255 - x, for dark ink on light paper */
    weft_missing missing; /**< CSV: what becomes of cells without a value; ERROR by default */
    /** CSV: columns of categories, given as in `label`; NULL: none. Each becomes one feature for
     *  each of the distinct cells found in all of the file, numbers ascending, texts in byte order;
     *  more than 1000 of them are refused. */
    const char *categorical;
    /** What a model knows of the columns, in place of `missing` and `categorical`; NULL: nothing. A
     *  table of weft_columns.n columns is read so, and a category that is not among them is an
     *  error; one of weft_columns.n_features columns is taken for one whose categories are
     *  features already. */
    const weft_columns *columns;
    /** Features that take more bytes than this are not kept in memory: see
     *  weft_dataset_is_streamed(). 0: they are, whatever they take. */
    size_t most_bytes;
} weft_dataset_options;

WEFT_API weft_dataset_options weft_dataset_options_default(void);

/** Reads a data set: into memory, or where its features take more than options->most_bytes, once
 *  through its file, which is then read anew whenever they are wanted. `path` is
 *  - a directory with files named as MNIST's: train-images-idx3-ubyte, train-labels-idx1-ubyte,
 *    t10k-..., each plain or .gz, or with more before these names and `test` for `t10k`
 *    (emnist-letters-test-images-idx3-ubyte.gz, qmnist-train-labels-idx2-int.gz). Images of EMNIST
 *    (emnist-...) are turned upright; of the labels of QMNIST, 8 numbers of 4 bytes for each
 *    sample, the first is taken, unless labels is VALUES;
 *  - "IMAGES,LABELS", two IDX files; or "IMAGES" alone where labels is NONE;
 *  - a NumPy archive (.npz), "X.npy,y.npy", or "X.npy" alone where labels is NONE; elements are
 *    bool, integers or floating-point numbers of any size, in either byte order, in C or Fortran
 *    order;
 *  - a CSV file: cells separated by comma, semicolon or tab, quoted as in RFC 4180, UTF-8, with or
 *    without a header;
 *  - a LIBSVM file: LABEL INDEX:VALUE ... on each line, indices ascending, from 1 or from 0;
 *  - an HDF5 file;
 *  - a directory with one folder of PNG images for each class, or with two such directories, train
 *    and test; where labels is NONE, also images in no folder, or a single PNG file. Samples are in
 *    the byte order of folders and names. Images are resized by area averaging, whatever their
 *    proportions; grey is (299 R + 587 G + 114 B) / 1000; what is transparent becomes 0.
 *  Compression and format are recognised by content. Elements that are bytes stay bytes, and so do
 *  those of a CSV file of whole numbers from 0 to 255, the largest of them 255; others become
 *  float32. WEFT_ERR_IO: a file is missing or cannot be read, or is no regular file.
 *  WEFT_ERR_FORMAT: its content is broken, or lacks the columns or names wanted; a number is not
 *  finite. Sizes are checked against the file before memory is taken for them.
 *  WEFT_ERR_ARG: options out of range, or that contradict each other.
 *  WEFT_ERR_MISMATCH: images and labels differ in number; a label is not among class_names.
 *  WEFT_ERR_UNSUPPORTED: HDF5 or PNG in a build without it.
 *  options may be NULL for the defaults. Free with weft_dataset_free(). */
WEFT_API WEFT_CHECKED weft_status weft_dataset_load(const char *path,
                                                    const weft_dataset_options *options,
                                                    weft_dataset **out, weft_error *err);

/** A number that tells data sets apart: of the shape, of every feature, label and weight; not of
 *  names and files. No cryptographic promise. Of streamed data that cannot be read again it is
 *  another. */
WEFT_API uint64_t weft_dataset_digest(const weft_dataset *data);

/** Whether this build reads PNG files. */
WEFT_API bool weft_has_png(void);

/** Whether this build reads HDF5 files. */
WEFT_API bool weft_has_hdf5(void);

/** Whether a directory has the files of a split; false for anything that is no directory. */
WEFT_API bool weft_dataset_has_split(const char *path, weft_split split);

/** Copies samples x features from the caller's memory, with targets for each sample.
 *  class_names: n_classes names, or NULL for "0", "1", ...; only where targets are classes.
 *  WEFT_ERR_ARG: no samples or features, a class id outside [0, n_classes), a value not finite. */
WEFT_API WEFT_CHECKED weft_status weft_dataset_from_memory(const weft_tensor *x,
                                                           const weft_targets *targets,
                                                           const char *const *class_names,
                                                           size_t n_classes, weft_dataset **out,
                                                           weft_error *err);

/** Cuts a data set in two copies: `second` gets round(fraction * n) samples, of each class (or of
 *  all, where there are no classes) as nearly the same share as whole samples allow, at least one
 *  and not all; which ones is a function of (seed, sample count, labels). Both keep the order of
 *  the original. WEFT_ERR_ARG: fraction is not inside (0, 1), or either part would be empty. */
WEFT_API WEFT_CHECKED weft_status weft_dataset_split(const weft_dataset *data, double fraction,
                                                     uint64_t seed, weft_dataset **first,
                                                     weft_dataset **second, weft_error *err);

WEFT_API void weft_dataset_free(weft_dataset *data);

WEFT_API size_t weft_dataset_samples(const weft_dataset *data);

/** Numbers for each sample: the product of its shape. */
WEFT_API size_t weft_dataset_features(const weft_dataset *data);

/** The shape of one sample, such as {28, 28} or {64, 64, 3}: writes up to 4 sizes, returns how
 *  many. */
WEFT_API size_t weft_dataset_shape(const weft_dataset *data, size_t dims[4]);

/** Whether the features are not in memory but read from their file each time, which takes memory
 *  for labels and blocks of samples alone. What needs them can then fail as reading files does, and
 *  nothing computed from them differs in any bit from what it is in memory. The file must stay as
 *  it is. */
WEFT_API bool weft_dataset_is_streamed(const weft_dataset *data);

/** Whether samples can be had in any order at little cost: those in memory, and of files that are
 *  not compressed, but for text. */
WEFT_API bool weft_dataset_can_seek(const weft_dataset *data);

/** Copies n samples into memory, spread evenly over the data set and in its order; all of them
 *  where n is at least their number. n > 0. Errors: as of reading the file again. */
WEFT_API WEFT_CHECKED weft_status weft_dataset_in_memory(const weft_dataset *data, size_t n,
                                                         weft_dataset **out, weft_error *err);

/** Goes through the features of a data set, wherever they are, from the first sample to the last.
 *  data must outlive the walk. Free with weft_walk_free(). */
typedef struct weft_walk weft_walk;
WEFT_API WEFT_CHECKED weft_status weft_walk_new(const weft_dataset *data, weft_walk **out,
                                                weft_error *err);

/** The next block of samples, borrowed until the next call: in memory all of them, of files some
 *  multiple of 256. x->rows is 0 at the end. */
WEFT_API WEFT_CHECKED weft_status weft_walk_next(weft_walk *walk, weft_tensor *x, weft_error *err);
WEFT_API void weft_walk_free(weft_walk *walk);

/** All samples as a borrowed [samples, features] view, as they were on disk (not scaled); of a
 *  streamed data set without the data. */
WEFT_API weft_tensor weft_dataset_x(const weft_dataset *data);

/** The labels, borrowed. */
WEFT_API weft_targets weft_dataset_targets(const weft_dataset *data);

/** Whether all features are whole numbers. */
WEFT_API bool weft_dataset_is_integer(const weft_dataset *data);

/** How many classes are known (0 where labels are not classes), and their names. */
WEFT_API size_t weft_dataset_n_classes(const weft_dataset *data);
WEFT_API const char *weft_dataset_class_name(const weft_dataset *data, size_t index);

/** What is known of the columns of the table that the data was read from; NULL: all are numbers,
 *  and none may be missing. Borrowed. */
WEFT_API const weft_columns *weft_dataset_columns(const weft_dataset *data);

/** What the data was read from, for people: "IDX, gzip", "CSV", "HDF5", "memory". */
WEFT_API const char *weft_dataset_format(const weft_dataset *data);

#endif
