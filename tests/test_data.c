/* Floor 4, data: the table of suites. */
#include "test_data.h"
#include "harness.h"

static const CU_SuiteInfo suites[] = {
    {"gzstream", NULL, NULL, NULL, NULL, gzstream_tests},
    {"number", NULL, NULL, NULL, NULL, number_tests},
    {"idx", NULL, NULL, NULL, NULL, idx_tests},
    {"csv", NULL, NULL, NULL, NULL, csv_tests},
    {"columns", NULL, NULL, NULL, NULL, columns_tests},
    {"png", NULL, NULL, NULL, NULL, png_tests},
    {"labels", NULL, NULL, NULL, NULL, labels_tests},
    {"dataset", NULL, NULL, NULL, NULL, dataset_tests},
    {"copy", NULL, NULL, NULL, NULL, copy_tests},
    {"scaling", NULL, NULL, NULL, NULL, scaling_tests},
    {"source", NULL, NULL, NULL, NULL, source_tests},
    {"numpy", NULL, NULL, NULL, NULL, numpy_tests},
    {"shuffle", NULL, NULL, NULL, NULL, shuffle_tests},
    {"libsvm", NULL, NULL, NULL, NULL, libsvm_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
