/* The cat / non-cat images of WEFT_CATS_DIR (data/README.md says what they are); skipped where it
 * is not set. */
#include <stdio.h>

#include "harness.h"
#include "test_data.h"

static void check_file(const char *name, size_t n, size_t n_cats)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", harness_cats_dir(), name);
    weft_dataset *data = load(path, NULL);
    if (data == NULL) {
        return;
    }
    size_t dims[4];
    CHECK_UINT(weft_dataset_samples(data), n);
    CHECK_UINT(weft_dataset_features(data), 12288);
    CHECK_UINT(weft_dataset_shape(data, dims), 3);
    CHECK_UINT(dims[0], 64);
    CHECK_UINT(dims[2], 3);
    CHECK_INT(weft_dataset_x(data).dtype, WEFT_U8);
    if (CHECK_UINT(weft_dataset_n_classes(data), 2)) {
        CHECK_STR(weft_dataset_class_name(data, 0), "non-cat");
        CHECK_STR(weft_dataset_class_name(data, 1), "cat");
    }
    size_t got = 0;
    for (size_t i = 0; i < n; i++) {
        got += weft_dataset_targets(data).classes[i] == 1;
    }
    CHECK_UINT(got, n_cats);
    weft_dataset_free(data);
}

static void train(void)
{
    check_file("train_catvnoncat.h5", 209, 72);
}

static void test(void)
{
    check_file("test_catvnoncat.h5", 50, 33);
}

static CU_TestInfo cats_tests[] = {
    {"train", train},
    {"test", test},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"cats", NULL, NULL, NULL, NULL, cats_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_cats_dir() == NULL ? 77 : harness_main(argc, argv, suites);
}
