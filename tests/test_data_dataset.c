/* What a path may be: directories, pairs, files of every content, and things that are no files. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "test_data.h"

/* A directory of its own inside the temporary one. */
static const char *directory(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), name);
    mkdir(path, 0700);
    return path;
}

static void put(const char *dir, const char *name, struct bytes bytes)
{
    char file[256];
    snprintf(file, sizeof file, "%s/%s", strrchr(dir, '/') + 1, name);
    write_bytes(file, bytes);
}

static struct bytes packed(struct bytes bytes)
{
    struct bytes out = gzip(bytes.at, bytes.n);
    bytes_free(&bytes);
    return out;
}

static void directories(void)
{
    static const struct {
        const char *name, *images, *labels, *format;
        bool gzip;
    } cases[] = {
        {"plain-", "-images-idx3-ubyte", "-labels-idx1-ubyte", "IDX", false},
        {"packed-", "-images-idx3-ubyte.gz", "-labels-idx1-ubyte.gz", "IDX, gzip", true},
        {"plain.", "-images.idx3-ubyte", "-labels.idx1-ubyte", "IDX", false},
        {"packed.", "-images.idx3-ubyte.gz", "-labels.idx1-ubyte.gz", "IDX, gzip", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *dir = directory(cases[i].name);
        for (int split = 0; split < 2; split++) {
            char name[64];
            size_t n = split == 0 ? 6 : 4;
            const char *prefix = split == 0 ? "train" : "t10k";
            CHECK(!weft_dataset_has_split(dir, (weft_split)split));
            struct bytes images = small_images(n), labels = small_labels(n);
            snprintf(name, sizeof name, "%s%s", prefix, cases[i].images);
            put(dir, name, cases[i].gzip ? packed(images) : images);
            CHECK(!weft_dataset_has_split(dir, (weft_split)split));
            snprintf(name, sizeof name, "%s%s", prefix, cases[i].labels);
            put(dir, name, cases[i].gzip ? packed(labels) : labels);
            CHECK(weft_dataset_has_split(dir, (weft_split)split));
            weft_dataset_options options = weft_dataset_options_default();
            options.split = (weft_split)split;
            weft_dataset *data = load(dir, &options);
            if (data != NULL) {
                CHECK_UINT(weft_dataset_samples(data), n);
                CHECK_STR(weft_dataset_format(data), cases[i].format);
                size_t dims[4];
                CHECK_UINT(weft_dataset_shape(data, dims), 2);
                CHECK_UINT(dims[0], 2);
                CHECK_UINT(dims[1], 3);
                weft_dataset_free(data);
            }
        }
    }
}

static void directories_that_lack_files(void)
{
    const char *dir = directory("lacking");
    REFUSES(dir, NULL, WEFT_ERR_IO, dir, "train-images-idx3-ubyte", "train-images.idx3-ubyte",
            ".gz");
    put(dir, "train-images-idx3-ubyte", small_images(4));
    REFUSES(dir, NULL, WEFT_ERR_IO, dir, "train-labels-idx1-ubyte", "train-labels.idx1-ubyte");
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    weft_dataset *data = load(dir, &options);
    if (data != NULL) {
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_NONE);
        CHECK(weft_dataset_targets(data).classes == NULL);
        weft_dataset_free(data);
    }
    options = weft_dataset_options_default();
    options.split = WEFT_SPLIT_TEST;
    REFUSES(dir, &options, WEFT_ERR_IO, dir, "t10k-images-idx3-ubyte");
    CHECK(!weft_dataset_has_split("/nowhere", WEFT_SPLIT_TRAIN));
    CHECK(!weft_dataset_has_split(write_text("file", "x"), WEFT_SPLIT_TRAIN));
}

/* EMNIST and QMNIST call their files otherwise. */
static void directories_of_relatives(void)
{
    const char *dir = directory("emnist");
    put(dir, "emnist-letters-train-images-idx3-ubyte", small_images(4));
    put(dir, "emnist-letters-train-labels-idx1-ubyte", small_labels(4));
    put(dir, "emnist-letters-test-images-idx3-ubyte.gz", packed(small_images(2)));
    put(dir, "emnist-letters-test-labels-idx1-ubyte.gz", packed(small_labels(2)));
    put(dir, "emnist-letters-test-images-idx3-ubyte.txt", small_images(2));
    CHECK(weft_dataset_has_split(dir, WEFT_SPLIT_TRAIN));
    CHECK(weft_dataset_has_split(dir, WEFT_SPLIT_TEST));
    weft_dataset *data = load(dir, NULL);
    if (data != NULL) {
        /* Stored as 2 columns of 3: the first image is 0 3 / 1 4 / 2 5. */
        const double turned[6] = {0, 3, 1, 4, 2, 5};
        size_t dims[4];
        CHECK_UINT(weft_dataset_shape(data, dims), 2);
        CHECK_UINT(dims[0], 3);
        CHECK_UINT(dims[1], 2);
        for (size_t i = 0; i < 6; i++) {
            CHECK_NEAR(feature(data, 0, i), turned[i], 0);
            CHECK_NEAR(feature(data, 3, i), 18 + turned[i], 0);
        }
        weft_dataset_free(data);
    }
    put(dir, "emnist-letters-train-images-idx3-ubyte.gz", packed(small_images(3)));
    data = load(dir, NULL); /* the plain one is preferred */
    weft_dataset_free(data);
    put(dir, "emnist-digits-train-images-idx3-ubyte", small_images(4));
    REFUSES(dir, NULL, WEFT_ERR_IO, dir, "a directory of several sets",
            "emnist-digits-train-images-idx3-ubyte", "emnist-letters-train-images-idx3-ubyte",
            "IMAGES,LABELS");
    put(dir, "train-images-idx3-ubyte", small_images(4));
    put(dir, "train-labels-idx1-ubyte", small_labels(4));
    data = load(dir, NULL); /* MNIST's own names come first, and are not turned */
    if (data != NULL) {
        CHECK_NEAR(feature(data, 0, 1), 1, 0);
        weft_dataset_free(data);
    }

    dir = directory("qmnist");
    const uint32_t dims[2] = {4, 8};
    struct bytes labels = idx_header(0x0C, dims, 2);
    for (size_t i = 0; i < 32; i++) {
        bytes_add_big_endian(&labels, i % 8 == 0 ? i / 8 % 3 : 1000 + i, 4);
    }
    put(dir, "qmnist-test-images-idx3-ubyte.gz", packed(small_images(4)));
    put(dir, "qmnist-test-labels-idx2-int.gz", packed(labels));
    weft_dataset_options options = weft_dataset_options_default();
    options.split = WEFT_SPLIT_TEST;
    data = load(dir, &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_n_classes(data), 3);
        for (size_t i = 0; i < 4; i++) {
            CHECK_INT(weft_dataset_targets(data).classes[i], (int)i % 3);
        }
        weft_dataset_free(data);
    }
    options.labels = WEFT_LABELS_VALUES;
    data = load(dir, &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_targets(data).n_values, 8);
        CHECK_NEAR((double)weft_dataset_targets(data).values[9], 1009, 0);
        weft_dataset_free(data);
    }
    options.labels = WEFT_LABELS_AUTO;
    survives_lack_of_memory(dir, &options);
}

static void pairs(void)
{
    const char *images = write_bytes("pair-images", small_images(4));
    const char *labels = write_bytes("pair-labels", small_labels(4));
    weft_dataset *data = load(pair_of(images, labels), NULL);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 4);
        CHECK_UINT(weft_dataset_n_classes(data), 3);
        weft_dataset_free(data);
    }
    /* Commas in the names. */
    images = write_bytes("a,b", small_images(4));
    labels = write_bytes("c,d", small_labels(4));
    data = load(pair_of(images, labels), NULL);
    weft_dataset_free(data);
    const char *table = write_text("e,f.csv", "1,0.5\n2,0.5\n");
    data = load(table, NULL);
    if (data != NULL) {
        CHECK_STR(weft_dataset_format(data), "CSV");
        weft_dataset_free(data);
    }
    /* The labels are not even opened where they are not wanted. */
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    data = load(pair_of(images, "/nowhere"), &options);
    weft_dataset_free(data);
    REFUSES(pair_of("/nowhere/x", labels), NULL, WEFT_ERR_IO, "/nowhere/x: No such file");
    REFUSES(pair_of(images, "/nowhere/y"), NULL, WEFT_ERR_IO, "/nowhere/y: No such file");
    REFUSES(pair_of(table, labels), NULL, WEFT_ERR_FORMAT, "not an IDX file");
}

static void single_idx_files(void)
{
    const char *images = write_bytes("single", small_images(4));
    REFUSES(images, NULL, WEFT_ERR_FORMAT, images, "without labels", "IMAGES,LABELS");
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    weft_dataset *data = load(images, &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_features(data), 6);
        weft_dataset_free(data);
    }
    REFUSES(write_bytes("single-labels", small_labels(4)), &options, WEFT_ERR_FORMAT,
            "has 1 dimension");
}

static void other_contents(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } cases[] = {
        {"", 0, "the file is empty"},
        {"PK\3\4...", 7, "broken ZIP archive"},
        {"\x93NUMPY\1\0", 8, "has one array, wanted samples and labels"},
        {"\x89PNK\r\n\x1a\n", 8,
         "neither IDX, NumPy, HDF5, PNG, CSV nor LIBSVM: starts with 89 50 4e 4b"},
        {"\x7f", 1, "neither IDX"},
        {"\xfd"
         "7zXZ\0",
         6, "neither IDX"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = harness_write_file("content", cases[i].bytes, cases[i].n);
        REFUSES(path, NULL, WEFT_ERR_FORMAT, path, cases[i].what);
    }
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    REFUSES(write_bytes("h5.gz", gzip(signature, 8)), NULL, WEFT_ERR_UNSUPPORTED, "h5.gz",
            "an HDF5 file inside gzip");
    if (!weft_has_hdf5()) {
        REFUSES(write_text("h5", signature), NULL, WEFT_ERR_UNSUPPORTED, "no HDF5");
    }
}

static void no_files(void)
{
    REFUSES("/nowhere/at/all", NULL, WEFT_ERR_IO, "/nowhere/at/all: No such file or directory");
    REFUSES("", NULL, WEFT_ERR_IO, "No such file");
    REFUSES("/dev/null", NULL, WEFT_ERR_IO, "/dev/null: not a regular file");
    REFUSES("/dev/zero", NULL, WEFT_ERR_IO, "/dev/zero: not a regular file");
    char fifo[256];
    snprintf(fifo, sizeof fifo, "%s/fifo", harness_temp_dir());
    if (CHECK(mkfifo(fifo, 0600) == 0)) {
        REFUSES(fifo, NULL, WEFT_ERR_IO, fifo, "not a regular file");
    }
    if (geteuid() != 0) {
        const char *secret = write_text("secret.csv", "1,2\n");
        chmod(secret, 0);
        REFUSES(secret, NULL, WEFT_ERR_IO, secret, "Permission denied");
        chmod(secret, 0600);
    }
    weft_error err;
    CHECK_STATUS(weft_dataset_load("/nowhere", NULL, &(weft_dataset *){NULL}, NULL), WEFT_ERR_IO,
                 &err);
}

static void options_out_of_range(void)
{
    weft_dataset_options options = with_labels((weft_label_kind)17);
    REFUSES("/nowhere", &options, WEFT_ERR_ARG, "17");
    options = weft_dataset_options_default();
    options.split = (weft_split)5;
    REFUSES("/nowhere", &options, WEFT_ERR_ARG, "5");
}

static void no_memory(void)
{
    const char *dir = directory("memory");
    put(dir, "train-images-idx3-ubyte.gz", packed(small_images(4)));
    put(dir, "train-labels-idx1-ubyte.gz", packed(small_labels(4)));
    survives_lack_of_memory(dir, NULL);
}

static void digits(void)
{
    static const size_t counts[2][10] = {
        {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
        {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}};
    for (int split = 0; split < 2; split++) {
        weft_dataset_options options = weft_dataset_options_default();
        options.split = (weft_split)split;
        weft_dataset *data = load(WEFT_SOURCE_DIR "/data/mnist", &options);
        if (data == NULL) {
            continue;
        }
        size_t n = weft_dataset_samples(data), got[10] = {0}, dims[4];
        CHECK_UINT(n, split == 0 ? 60000 : 10000);
        CHECK_UINT(weft_dataset_shape(data, dims), 2);
        CHECK_UINT(dims[0] * dims[1], 784);
        CHECK_INT(weft_dataset_x(data).dtype, WEFT_U8);
        CHECK_UINT(weft_dataset_n_classes(data), 10);
        for (size_t i = 0; i < n; i++) {
            got[weft_dataset_targets(data).classes[i]]++;
        }
        for (size_t c = 0; c < 10; c++) {
            CHECK_UINT(got[c], counts[split][c]);
        }
        weft_dataset_free(data);
    }
}

CU_TestInfo dataset_tests[] = {
    {"directories", directories},
    {"directories that lack files", directories_that_lack_files},
    {"directories of relatives", directories_of_relatives},
    {"pairs", pairs},
    {"single idx files", single_idx_files},
    {"other contents", other_contents},
    {"no files", no_files},
    {"options out of range", options_out_of_range},
    {"no memory", no_memory},
    {"digits", digits},
    CU_TEST_INFO_NULL,
};
