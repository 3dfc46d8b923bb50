/* HDF5 files, made by the test itself; skipped where the build has no HDF5. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "test_data.h"

#ifdef WEFT_HAVE_HDF5

#include <math.h>
#include <stdlib.h>

#include <hdf5.h>

#include "base/mem.h"

/* The path of a file in the temporary directory; valid until the program ends. */
static const char *path_of(const char *name)
{
    return write_text(name, "");
}

static hid_t create(const char *path)
{
    return H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* Adds an array; `disk` is its type in the file, `memory` that of `values`. chunk may be NULL;
 * chunked arrays are compressed. */
static void add_array(hid_t file, const char *name, hid_t disk, hid_t memory, int rank,
                      const hsize_t *dims, const hsize_t *chunk, const void *values)
{
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    if (chunk != NULL) {
        H5Pset_chunk(layout, rank, chunk);
        H5Pset_deflate(layout, 6);
    }
    hid_t id = H5Dcreate2(file, name, disk, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    CHECK(id >= 0);
    if (values != NULL) {
        CHECK(H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    }
    H5Dclose(id);
    H5Pclose(layout);
    H5Sclose(space);
}

/* Samples 0, 1, 2, ... as bytes in the shape n x 2 x 3. */
static void add_bytes(hid_t file, const char *name, hsize_t n)
{
    unsigned char values[6 * 100];
    for (size_t i = 0; i < 6 * n; i++) {
        values[i] = (unsigned char)i;
    }
    const hsize_t dims[3] = {n, 2, 3};
    add_array(file, name, H5T_STD_U8LE, H5T_NATIVE_UCHAR, 3, dims, NULL, values);
}

static void add_labels(hid_t file, const char *name, const long long *values, hsize_t n)
{
    add_array(file, name, H5T_STD_I64LE, H5T_NATIVE_LLONG, 1, &n, NULL, values);
}

static void add_list(hid_t file, const char *names, size_t size, hsize_t n)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    add_array(file, "list_classes", type, type, 1, &n, NULL, names);
    H5Tclose(type);
}

static const long long three_labels[3] = {1, 0, 1};

/* A file like the cat images: three samples, labels 1 0 1, two names. */
static const char *cats(const char *x_name, const char *y_name)
{
    const char *path = path_of("cats.h5");
    hid_t file = create(path);
    add_bytes(file, x_name, 3);
    add_labels(file, y_name, three_labels, 3);
    add_list(file, "non-catcat\0\0\0\0", 7, 2);
    H5Fclose(file);
    return path;
}

static void check_cats(const weft_dataset *data)
{
    size_t dims[4];
    CHECK_STR(weft_dataset_format(data), "HDF5");
    CHECK_UINT(weft_dataset_samples(data), 3);
    CHECK_UINT(weft_dataset_shape(data, dims), 2);
    CHECK_UINT(dims[0], 2);
    CHECK_UINT(dims[1], 3);
    CHECK_INT(weft_dataset_x(data).dtype, WEFT_U8);
    CHECK(weft_dataset_is_integer(data));
    for (size_t i = 0; i < 18; i++) {
        CHECK_NEAR(feature(data, i / 6, i % 6), (double)i, 0);
    }
    if (CHECK_UINT(weft_dataset_n_classes(data), 2)) {
        CHECK_STR(weft_dataset_class_name(data, 0),
                  "non-cat"); /* the file's order, not the bytes' */
        CHECK_STR(weft_dataset_class_name(data, 1), "cat");
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(weft_dataset_targets(data).classes[i], (int)three_labels[i]);
    }
}

static void guessed_names(void)
{
    static const char *const pairs[][2] = {{"train_set_x", "train_set_y"},
                                           {"test_set_x", "test_set_y"},
                                           {"x", "y"},
                                           {"X", "Y"},
                                           {"X", "y"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *path = cats(pairs[i][0], pairs[i][1]);
        for (int split = 0; split < 2; split++) {
            weft_dataset_options options = weft_dataset_options_default();
            options.split = (weft_split)split;
            weft_dataset *data = load(path, &options);
            if (data != NULL) {
                check_cats(data);
                weft_dataset_free(data);
            }
        }
    }
}

static void both_splits_in_one_file(void)
{
    const char *path = path_of("both.h5");
    static const long long labels[5] = {0, 1, 2, 3, 4};
    hid_t file = create(path);
    add_bytes(file, "train_set_x", 5);
    add_labels(file, "train_set_y", labels, 5);
    add_bytes(file, "test_set_x", 3);
    add_labels(file, "test_set_y", labels, 3);
    H5Fclose(file);
    static const struct {
        weft_split split;
        const char *x_name, *y_name;
        size_t n;
    } cases[] = {
        {WEFT_SPLIT_TRAIN, NULL, NULL, 5},
        {WEFT_SPLIT_TEST, NULL, NULL, 3},
        {WEFT_SPLIT_TRAIN, "test_set_x", NULL, 3},
        {WEFT_SPLIT_TEST, NULL, "train_set_y", 5},
        {WEFT_SPLIT_TRAIN, "test_set_x", "test_set_y", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = weft_dataset_options_default();
        options.split = cases[i].split;
        options.x_name = cases[i].x_name;
        options.y_name = cases[i].y_name;
        weft_dataset *data = load(path, &options);
        if (data != NULL) {
            CHECK_UINT(weft_dataset_samples(data), cases[i].n);
            weft_dataset_free(data);
        }
    }
    weft_dataset_options options = weft_dataset_options_default();
    options.x_name = "train_set_x";
    options.y_name = "test_set_y";
    REFUSES(path, &options, WEFT_ERR_MISMATCH, "'train_set_x' has 5 samples", "'test_set_y' 3");
}

static void names_that_are_not_there(void)
{
    const char *path = cats("pictures", "answers");
    REFUSES(path, NULL, WEFT_ERR_FORMAT, path, "'train_set_x'", "for the samples",
            "the file has: answers, list_classes, pictures");
    weft_dataset_options options = weft_dataset_options_default();
    options.x_name = "pictures";
    REFUSES(path, &options, WEFT_ERR_FORMAT, "'train_set_y'", "for the labels", "answers");
    options.y_name = "answer";
    REFUSES(path, &options, WEFT_ERR_FORMAT, "no data set 'answer' for the labels", "answers");
    options.x_name = "group/x";
    REFUSES(path, &options, WEFT_ERR_FORMAT, "no data set 'group/x' for the samples");
    options.x_name = "list_classes";
    options.y_name = "answers";
    REFUSES(path, &options, WEFT_ERR_FORMAT, "'list_classes' holds neither integers nor");
    options.x_name = "pictures";
    weft_dataset *data = load(path, &options);
    if (data != NULL) {
        check_cats(data);
        weft_dataset_free(data);
    }
    options = with_labels(WEFT_LABELS_NONE);
    options.x_name = "pictures";
    data = load(path, &options);
    if (data != NULL) {
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_NONE);
        weft_dataset_free(data);
    }
}

static void every_type(void)
{
    const hid_t types[] = {H5T_STD_U8BE,  H5T_STD_I8LE,  H5T_STD_U16LE,  H5T_STD_I32BE,
                           H5T_STD_I64LE, H5T_STD_U64BE, H5T_IEEE_F32BE, H5T_IEEE_F64LE};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        static const double values[6] = {0, 1, 2, 100, 50, 127};
        static const double labels[2] = {1, 0};
        const hsize_t dims[2] = {2, 3}, label_dims[2] = {2, 1}, chunk[2] = {1, 2};
        const char *path = path_of("types.h5");
        hid_t file = create(path);
        add_array(file, "x", types[t], H5T_NATIVE_DOUBLE, 2, dims, t % 2 == 0 ? chunk : NULL,
                  values);
        add_array(file, "y", types[t], H5T_NATIVE_DOUBLE, 2, label_dims, NULL, labels);
        H5Fclose(file);
        weft_dataset *data = load(path, NULL);
        if (data == NULL) {
            continue;
        }
        CHECK_INT(weft_dataset_x(data).dtype, t == 0 ? WEFT_U8 : WEFT_F32);
        CHECK(weft_dataset_is_integer(data));
        for (size_t i = 0; i < 6; i++) {
            CHECK_NEAR(feature(data, i / 3, i % 3), values[i], 0);
        }
        CHECK_INT(weft_dataset_targets(data).classes[0], 1);
        CHECK_STR(weft_dataset_class_name(data, 1), "1");
        weft_dataset_free(data);
    }
}

/* More than one read, with chunks that cut through samples. */
static void large_and_chunked(void)
{
    enum { N = 1500, FEATURES = 2000 };
    float *values = malloc(sizeof(float) * N * FEATURES);
    if (values == NULL) {
        return;
    }
    for (size_t i = 0; i < (size_t)N * FEATURES; i++) {
        values[i] = (float)(i % 100003) + 0.5f;
    }
    const hsize_t dims[2] = {N, FEATURES}, chunk[2] = {17, 300};
    const char *path = path_of("large.h5");
    hid_t file = create(path);
    add_array(file, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, chunk, values);
    H5Fclose(file);
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    weft_dataset *data = load(path, &options);
    if (data != NULL) {
        CHECK_BYTES(weft_dataset_x(data).data, values, sizeof(float) * N * FEATURES);
        CHECK(!weft_dataset_is_integer(data));
        weft_dataset_free(data);
    }
    free(values);
}

static void labels_of_every_kind(void)
{
    const char *path = path_of("labels.h5");
    static const double fractions[3] = {0.5, 1, 2};
    static const long long several[6] = {0, 1, 1, 1, 0, 0};
    const hsize_t several_dims[2] = {3, 2}, cube[3] = {3, 1, 1};
    const hsize_t n = 3;
    hid_t file = create(path);
    add_bytes(file, "x", 3);
    add_array(file, "fractions", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &n, NULL, fractions);
    add_array(file, "several", H5T_STD_I8LE, H5T_NATIVE_LLONG, 2, several_dims, NULL, several);
    add_array(file, "cube", H5T_STD_I8LE, H5T_NATIVE_LLONG, 3, cube, NULL, several);
    H5Fclose(file);
    weft_dataset_options options = weft_dataset_options_default();
    options.y_name = "fractions";
    weft_dataset *data = load(path, &options);
    if (data != NULL) {
        const float wanted[3] = {0.5f, 1, 2};
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_VALUES);
        CHECK_FLOATS_NEAR(weft_dataset_targets(data).values, wanted, 3, 0, 0);
        weft_dataset_free(data);
    }
    options.labels = WEFT_LABELS_CLASSES;
    REFUSES(path, &options, WEFT_ERR_FORMAT, "sample 0: label 0.5 is not a whole number");
    options = weft_dataset_options_default();
    options.y_name = "several";
    REFUSES(path, &options, WEFT_ERR_FORMAT, "2 labels for each sample");
    options.labels = WEFT_LABELS_VALUES;
    data = load(path, &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_targets(data).n_values, 2);
        CHECK_NEAR((double)weft_dataset_targets(data).values[3], 1, 0);
        weft_dataset_free(data);
    }
    options.y_name = "cube";
    REFUSES(path, &options, WEFT_ERR_FORMAT, "'cube' has 3 dimensions, labels have 1 or 2");
}

static void known_to_a_model(void)
{
    static const char *const reversed[] = {"cat", "non-cat"};
    static const char *const numbers[] = {"0", "1"};
    static const char *const one[] = {"cat"};
    const char *path = cats("x", "y");
    weft_dataset_options options = weft_dataset_options_default();
    options.class_names = reversed;
    options.n_class_names = 2;
    weft_dataset *data = load(path, &options);
    if (data != NULL) {
        CHECK_STR(weft_dataset_class_name(data, 0), "cat");
        CHECK_INT(weft_dataset_targets(data).classes[0], 0);
        CHECK_INT(weft_dataset_targets(data).classes[1], 1);
        weft_dataset_free(data);
    }
    options.class_names = numbers; /* a model that was trained without the list */
    data = load(path, &options);
    if (data != NULL) {
        CHECK_STR(weft_dataset_class_name(data, 1), "1");
        CHECK_INT(weft_dataset_targets(data).classes[0], 1);
        weft_dataset_free(data);
    }
    options.class_names = one;
    options.n_class_names = 1;
    REFUSES(path, &options, WEFT_ERR_MISMATCH, "sample 1: label 'non-cat' is not among");
}

/* A list that does not go with the labels is not used. */
static void lists_that_do_not_fit(void)
{
    static const struct {
        const char *names;
        hsize_t n;
    } cases[] = {{"non-cat", 1}, {"cat\0\0\0\0cat\0\0\0\0", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = path_of("list.h5");
        hid_t file = create(path);
        add_bytes(file, "x", 3);
        add_labels(file, "y", three_labels, 3);
        add_list(file, cases[i].names, 7, cases[i].n);
        H5Fclose(file);
        weft_dataset *data = load(path, NULL);
        if (data != NULL) {
            CHECK_STR(weft_dataset_class_name(data, 0), "0");
            CHECK_STR(weft_dataset_class_name(data, 1), "1");
            weft_dataset_free(data);
        }
    }
}

/* A compressed array whose only chunk is no deflate data. */
static void add_broken_chunk(hid_t file, const char *name)
{
    const hsize_t dims[2] = {4, 4}, first[2] = {0, 0};
    add_array(file, name, H5T_STD_U8LE, H5T_NATIVE_UCHAR, 2, dims, dims, NULL);
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    CHECK(H5Dwrite_chunk(id, H5P_DEFAULT, 0, first, 7, "garbage") >= 0);
    H5Dclose(id);
}

static void broken_content(void)
{
    /* Sizes that promise terabytes: chunks that were never written take no place in the file. */
    const hsize_t huge[2] = {1u << 20, 1u << 20}, chunk[2] = {64, 64}, none[2] = {0, 3};
    static const double wild[3] = {1, (double)INFINITY, 1e300};
    const hsize_t wild_dims[2] = {1, 3};
    const char *path = path_of("broken.h5");
    hid_t file = create(path);
    add_array(file, "huge", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 2, huge, chunk, NULL);
    add_array(file, "none", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 2, none, NULL, NULL);
    add_array(file, "wild", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, wild_dims, NULL, wild);
    add_array(file, "scalar", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 0, none, NULL, NULL);
    const hsize_t deep[6] = {1, 1, 1, 1, 1, 2};
    add_array(file, "deep", H5T_STD_U8LE, H5T_NATIVE_UCHAR, 6, deep, NULL, "xy");
    H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    add_broken_chunk(file, "chunk");
    H5Fclose(file);
    static const struct {
        const char *name, *what;
    } cases[] = {{"scalar", "'scalar': 0 dimensions, wanted 1 to 5"},
                 {"deep", "'deep': 6 dimensions, wanted 1 to 5"},
                 {"group", "'group' is not a data set"},
                 {"chunk", "'chunk': cannot read samples 0 to 3"},
                 {"huge", "data set 'huge': its header promises 1099511627776 bytes"},
                 {"none", "data set 'none': no data: its size is 0 x 3"},
                 {"wild", "feature 1 of sample 0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
        options.x_name = cases[i].name;
        REFUSES(path, &options, WEFT_ERR_FORMAT, path, cases[i].what);
    }
}

/* Cut anywhere, the file gives an error and prints nothing. */
static void truncated(void)
{
    const char *path = cats("x", "y");
    static unsigned char whole[100000];
    FILE *file = fopen(path, "rb");
    if (!CHECK(file != NULL)) {
        return;
    }
    size_t n = fread(whole, 1, sizeof whole, file);
    fclose(file);
    CHECK(n > 1000 && n < sizeof whole);
    for (size_t cut = 8; cut < n; cut += 97) {
        const char *short_file = harness_write_file("short.h5", whole, cut);
        REFUSES(short_file, NULL, WEFT_ERR_FORMAT, short_file, "truncated or corrupt");
    }
}

static void no_memory(void)
{
    survives_lack_of_memory(cats("x", "y"), NULL);
}

/* In blocks that do and do not fall on the borders of compressed chunks. */
static void in_blocks(void)
{
    enum { N = 13 };
    const hsize_t dims[3] = {N, 2, 3}, chunk[3] = {4, 1, 2}, each[1] = {N};
    double values[6 * N];
    long long labels[N];
    for (size_t i = 0; i < 6 * N; i++) {
        values[i] = (double)i / 4;
        labels[i / 6] = (long long)(i / 6 % 3);
    }
    const char *path = path_of("blocks.h5");
    hid_t file = create(path);
    add_array(file, "x", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, 3, dims, chunk, values);
    add_array(file, "y", H5T_STD_I16BE, H5T_NATIVE_LLONG, 1, each, NULL, labels);
    H5Fclose(file);
    const weft_dataset_options options = weft_dataset_options_default();
    check_source(path, &options, N, true);
    const weft_dataset_options none = with_labels(WEFT_LABELS_NONE);
    check_source(path, &none, N, true);
}

/* Links to other files, data kept in other files, data sets made of those of other files. */
static void nothing_from_other_files(void)
{
    const char *other = cats("x", "y");
    const char *path = path_of("linked.h5");
    hid_t file = create(path);
    H5Lcreate_external(other, "x", file, "x", H5P_DEFAULT, H5P_DEFAULT);
    add_labels(file, "y", three_labels, 3);
    H5Fclose(file);
    REFUSES(path, NULL, WEFT_ERR_FORMAT, path, "link to another file", "not followed");

    const hsize_t dims[2] = {3, 6};
    const char *raw = write_text("raw", "abcdefghijklmnopqr");
    path = path_of("outside.h5");
    file = create(path);
    hid_t space = H5Screate_simple(2, dims, NULL), layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(layout, raw, 0, 18);
    H5Dclose(H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    H5Pclose(layout);
    add_labels(file, "y", three_labels, 3);
    H5Fclose(file);
    REFUSES(path, NULL, WEFT_ERR_FORMAT, path, "'x'", "in other files");

    path = path_of("virtual.h5");
    file = create(path);
    layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(layout, space, other, "x", space);
    H5Dclose(H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    H5Pclose(layout);
    H5Sclose(space);
    add_labels(file, "y", three_labels, 3);
    H5Fclose(file);
    REFUSES(path, NULL, WEFT_ERR_FORMAT, path, "'x'", "in other files");
}

/* A chunk that would fill the memory, in a file that could never fill the chunk. */
static void huge_chunks(void)
{
    const hsize_t dims[2] = {3, 6}, chunk[2] = {1 << 15, 1 << 16}, most[2] = {1 << 15, 1 << 16};
    const char *path = path_of("chunks.h5");
    hid_t file = create(path), space = H5Screate_simple(2, dims, most);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(layout, 2, chunk);
    H5Dclose(H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    H5Pclose(layout);
    H5Sclose(space);
    add_labels(file, "y", three_labels, 3);
    H5Fclose(file);
    REFUSES(path, NULL, WEFT_ERR_FORMAT, path, "'x'", "2147483648 bytes");
}

static CU_TestInfo hdf5_tests[] = {
    {"guessed names", guessed_names},
    {"both splits in one file", both_splits_in_one_file},
    {"names that are not there", names_that_are_not_there},
    {"every type", every_type},
    {"large and chunked", large_and_chunked},
    {"labels of every kind", labels_of_every_kind},
    {"known to a model", known_to_a_model},
    {"lists that do not fit", lists_that_do_not_fit},
    {"broken content", broken_content},
    {"truncated", truncated},
    {"in blocks", in_blocks},
    {"nothing from other files", nothing_from_other_files},
    {"huge chunks", huge_chunks},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"hdf5", NULL, NULL, NULL, NULL, hdf5_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}

#else

int main(void)
{
    puts("SKIPPED: this build has no HDF5");
    return 77;
}

#endif
