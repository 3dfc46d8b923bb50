/* Columns of categories and missing values: what they become, how that is kept, and what is
 * refused. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "test_data.h"

#define FORMAT WEFT_ERR_FORMAT
#define MISMATCH WEFT_ERR_MISMATCH

/* Rows a to e: a number that is missing in c, a word that is missing in d, a number. */
static const char table[] = "y,u,colour,v\n"
                            "a,1,red,2\n"
                            "b,2,blue,4\n"
                            "a,NA,red,8\n"
                            "b,6,,16\n"
                            "a,7,green,32\n";

static const char *csv(const char *text)
{
    return write_text("columns.csv", text);
}

static weft_dataset_options with_missing(weft_missing missing, const char *categorical)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.missing = missing;
    options.categorical = categorical;
    return options;
}

static void check_row(const weft_dataset *data, size_t row, const double *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!CHECK_NEAR(feature(data, row, i), wanted[i], 0)) {
            printf(" for feature %zu of row %zu", i, row);
        }
    }
}

/* Categories are sorted: blue, green, red. The mean of u is 16 / 4; of the four colours known, one
 * is blue, one green, two red. */
static void means(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_MEAN, "colour");
    weft_dataset *data = load(csv(table), &options);
    if (data == NULL) {
        return;
    }
    static const double rows[5][5] = {{1, 0, 0, 1, 2},
                                      {2, 1, 0, 0, 4},
                                      {4, 0, 0, 1, 8},
                                      {6, 0.25, 0.25, 0.5, 16},
                                      {7, 0, 1, 0, 32}};
    if (CHECK_UINT(weft_dataset_features(data), 5) && CHECK_UINT(weft_dataset_samples(data), 5)) {
        for (size_t i = 0; i < 5; i++) {
            check_row(data, i, rows[i], 5);
        }
    }
    const weft_columns *columns = weft_dataset_columns(data);
    if (CHECK(columns != NULL)) {
        CHECK_UINT(columns->n, 3);
        CHECK_UINT(columns->n_features, 5);
        CHECK_UINT(columns->n_categories[0], 0);
        CHECK_UINT(columns->n_categories[1], 3);
        CHECK_STR(columns->categories[0], "blue");
        CHECK_STR(columns->categories[2], "red");
        CHECK_NEAR((double)columns->fill[0], 4, 0);
        CHECK_NEAR((double)columns->fill[4], 62.0 / 5, 1e-6);
    }
    weft_dataset_free(data);
}

static void zeros(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_ZERO, "2");
    weft_dataset *data = load(csv(table), &options);
    if (data != NULL && CHECK_UINT(weft_dataset_features(data), 5)) {
        check_row(data, 2, (const double[]){0, 0, 0, 1, 8}, 5);
        check_row(data, 3, (const double[]){6, 0, 0, 0, 16}, 5);
        CHECK(weft_dataset_columns(data)->fill == NULL);
    }
    weft_dataset_free(data);
}

static void dropped_rows(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_DROP, "colour");
    weft_dataset *data = load(csv(table), &options);
    if (data != NULL && CHECK_UINT(weft_dataset_samples(data), 3)) {
        check_row(data, 2, (const double[]){7, 0, 1, 0, 32}, 5);
    }
    weft_dataset_free(data);
    /* A label that is missing drops the row, a cell that is ignored does not; a class that only
     * dropped rows have is none. */
    options = with_missing(WEFT_MISSING_DROP, NULL);
    options.ignore = "colour";
    data = load(csv("y,u,colour\na,1,red\n?,2,red\nb,3,\nc,,red\n"), &options);
    if (data != NULL && CHECK_UINT(weft_dataset_samples(data), 2)) {
        CHECK_UINT(weft_dataset_n_classes(data), 2);
        CHECK_NEAR(feature(data, 1, 0), 3, 0);
    }
    weft_dataset_free(data);
    REFUSES(csv("y,u\na,\nb,?\n"), &options, FORMAT, "columns.csv", "no column is named 'colour'");
    options.ignore = NULL;
    REFUSES(csv("y,u\na,\nb,?\n"), &options, FORMAT, "columns.csv", "every row lacks a value");
    REFUSES(csv("y,u\na,\nb,?,1\n"), &options, FORMAT, "line 3 has 3 cells");
    REFUSES(csv("y,u\na,\nb,x\n"), &options, FORMAT, "line 3, column 1 ('u')", "not a number");
}

/* All spellings, and no others. */
static void spellings(void)
{
    static const char *const missing[] = {"",    "?",    "NA",   "n/a",  "#N/A", "<NA>",
                                          "nan", "-NaN", "NULL", " NA ", "\"\"", "\"NA\""};
    static const char *const others[] = {"none", "-", ".", "inf", "missing", "N A", "0x0"};
    weft_dataset_options options = with_missing(WEFT_MISSING_ZERO, NULL);
    char text[64];
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        snprintf(text, sizeof text, "y,u,v\na,%s,3\nb,2,4\n", missing[i]);
        weft_dataset *data = load(csv(text), &options);
        if (data == NULL || !CHECK_NEAR(feature(data, 0, 0), 0, 0)) {
            printf(" for '%s'", missing[i]);
        }
        weft_dataset_free(data);
        REFUSES(csv(text), NULL, FORMAT, "line 2, column 1 ('u')", "--missing");
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(text, sizeof text, "y,u,v\na,%s,3\nb,2,4\n", others[i]);
        REFUSES(csv(text), &options, FORMAT, "line 2, column 1 ('u')");
    }
}

/* Numbers as categories are equal by value and in their order; a first line of words is a header
 * only where the words are not categories. */
static void numbers_as_categories(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_ERROR, "1");
    weft_dataset *data = load(csv("a,10,1\nb,9,2\na,9.0,3\nb,100,4\n"), &options);
    if (data != NULL && CHECK_UINT(weft_dataset_features(data), 4)) {
        check_row(data, 0, (const double[]){0, 1, 0, 1}, 4);
        check_row(data, 2, (const double[]){1, 0, 0, 3}, 4);
        CHECK_STR(weft_dataset_columns(data)->categories[2], "100");
    }
    weft_dataset_free(data);
    data = load(csv("a,low,1\nb,high,2\n"), &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 2);
    }
    weft_dataset_free(data);
}

/* What the training table says holds for later ones. */
static void later_tables(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_MEAN, "colour");
    weft_dataset *train = load(csv(table), &options);
    if (train == NULL) {
        return;
    }
    weft_dataset_options later = weft_dataset_options_default();
    later.columns = weft_dataset_columns(train);
    weft_dataset *data = load(csv("y,u,colour,v\na,,green,5\nb,3,NA,\n"), &later);
    if (data != NULL && CHECK_UINT(weft_dataset_features(data), 5)) {
        check_row(data, 0, (const double[]){4, 0, 1, 0, 5}, 5);
        check_row(data, 1, (const double[]){3, 0.25, 0.25, 0.5, (double)(float)12.4}, 5);
        CHECK(weft_dataset_columns(data) != NULL);
    }
    weft_dataset_free(data);
    later.labels = WEFT_LABELS_NONE;
    later.n_inputs = 5;
    data = load(csv("3,green,5\n"), &later); /* no labels, no header */
    if (data != NULL && CHECK_UINT(weft_dataset_features(data), 5)) {
        check_row(data, 0, (const double[]){3, 0, 1, 0, 5}, 5);
    }
    weft_dataset_free(data);
    data = load(csv("3,0,1,0,\n"), &later); /* the categories are features already */
    if (data != NULL && CHECK_UINT(weft_dataset_features(data), 5)) {
        check_row(data, 0, (const double[]){3, 0, 1, 0, (double)(float)12.4}, 5);
    }
    weft_dataset_free(data);
    REFUSES(csv("3,yellow,5\n"), &later, MISMATCH, "columns.csv: line 1, column 1", "'yellow'",
            "'blue', 'green', 'red'");
    REFUSES(csv("a,3,green,5,1,2,3\n"), &later, MISMATCH, "6 columns", "wanted 3");
    weft_dataset *first = NULL, *second = NULL;
    weft_error err;
    CHECK_OK(weft_dataset_split(train, 0.4, 1, &first, &second, &err), &err);
    CHECK(first != NULL && weft_dataset_columns(first) != NULL);
    weft_dataset_free(first);
    weft_dataset_free(second);
    weft_dataset_free(train);
}

static void refusals(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_MEAN, NULL);
    REFUSES(csv("y,u,v\na,,1\nb,NA,2\n"), &options, FORMAT, "column 1 ('u') has no value");
    REFUSES(csv("y,u,v\n"), &options, FORMAT, "no samples");
    REFUSES(csv("y,u,v\na,1\n"), &options, FORMAT, "line 2 has 2 cells");
    REFUSES(csv("y,u,v\n,1,2\n"), &options, FORMAT, "line 2", "no label");
    options = with_missing(WEFT_MISSING_ERROR, "u");
    REFUSES(csv("y,u,v\na,red,1\nb,,2\n"), &options, FORMAT, "line 3, column 1 ('u')", "--missing");
    options = with_missing(WEFT_MISSING_ERROR, "w");
    REFUSES(csv("y,u,v\na,1,2\n"), &options, FORMAT, "no column is named 'w'");
    options = with_missing(WEFT_MISSING_ERROR, "u,u");
    REFUSES(csv("y,u,v\na,1,2\n"), &options, WEFT_ERR_ARG, "categorical column 'u' is named twice");
    options = with_missing(WEFT_MISSING_ERROR, "u");
    options.ignore = "1";
    REFUSES(csv("y,u,v\na,1,2\n"), &options, WEFT_ERR_ARG, "categorical and ignored column 'u'");
    options = with_missing(WEFT_MISSING_ZERO, NULL);
    REFUSES(pair_of(write_bytes("images", small_images(3)), write_bytes("labels", small_labels(3))),
            &options, WEFT_ERR_ARG, "no table");
    options.missing = (weft_missing)4;
    REFUSES(csv("a,1\n"), &options, WEFT_ERR_ARG, "4");
    struct bytes text = {0};
    for (int i = 0; i < 1001; i++) {
        char line[32];
        int n = snprintf(line, sizeof line, "a,k%d,1\n", i);
        bytes_add(&text, line, (size_t)n);
    }
    options = with_missing(WEFT_MISSING_ERROR, "1");
    REFUSES(write_bytes("many.csv", text), &options, FORMAT, "column 1", "more than 1000");
}

static void blocks_and_no_memory(void)
{
    weft_dataset_options options = with_missing(WEFT_MISSING_MEAN, "colour");
    check_source(csv(table), &options, 5, false);
    survives_lack_of_memory(csv(table), &options);
    options.missing = WEFT_MISSING_DROP;
    check_source(csv(table), &options, 3, false);
    survives_lack_of_memory(csv(table), &options);
}

CU_TestInfo columns_tests[] = {
    {"means", means},
    {"zeros", zeros},
    {"dropped rows", dropped_rows},
    {"spellings", spellings},
    {"numbers as categories", numbers_as_categories},
    {"later tables", later_tables},
    {"refusals", refusals},
    {"blocks and no memory", blocks_and_no_memory},
    CU_TEST_INFO_NULL,
};
