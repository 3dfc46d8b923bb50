/* CSV files: what is read, and where the reader stops with line and column. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "harness.h"
#include "test_data.h"

#define FORMAT WEFT_ERR_FORMAT

static const char *csv(const char *text)
{
    return write_text("table.csv", text);
}

/* The same two samples in many spellings: label a, features 1 2.5; label b, features -3 4e2. */
static void spellings(void)
{
    static const char *const texts[] = {
        "y,u,v\na,1,2.5\nb,-3,4e2\n",
        "a,1,2.5\nb,-3,4e2\n",
        "a,1,2.5\nb,-3,4e2",
        "a,1,2.5\r\nb,-3,4e2\r\n",
        "a,1,2.5\r\nb,-3,4e2",
        "y;u;v\na;1;2.5\nb;-3;4e2\n",
        "y\tu\tv\na\t1\t2.5\nb\t-3\t4e2\n",
        "\357\273\277y,u,v\na,1,2.5\nb,-3,4e2\n",
        "\357\273\277a,1,2.5\nb,-3,4e2\n",
        "a,1,2.5\nb,-3,4e2\n\n\n",
        "a,1,2.5\nb,-3,4e2\n\r\n  \n",
        "\"a\",\"1\",\"2.5\"\n\"b\",\"-3\",\"4e2\"\n",
        "\"y\",\"u\",\"v\"\na,1,2.5\nb,-3,4e2\n",
        "\"y\ny\",\"u,1\",\"v\"\"\"\na,1,2.5\nb,-3,4e2\n",
        "y;\"u,\t1\";v\na;1;2.5\nb;-3;4e2\n",
        " a , 1 , 2.5\n \"b\" , -3 , 4e2 \n",
        "a,+1,2.50\nb,-3.,+.4e+03\n",
        "a,1.0000000000000000000000000001,25e-1\nb,-0003,400\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        weft_dataset *data = load(csv(texts[i]), NULL);
        if (data == NULL) {
            printf(" for text %zu", i);
            continue;
        }
        CHECK_UINT(weft_dataset_samples(data), 2);
        if (CHECK_UINT(weft_dataset_features(data), 2)) {
            CHECK_NEAR(feature(data, 0, 0), 1, 0);
            CHECK_NEAR(feature(data, 0, 1), 2.5, 0);
            CHECK_NEAR(feature(data, 1, 0), -3, 0);
            CHECK_NEAR(feature(data, 1, 1), 400, 0);
        }
        if (CHECK_UINT(weft_dataset_n_classes(data), 2)) {
            CHECK_STR(weft_dataset_class_name(data, 0), "a");
            CHECK_STR(weft_dataset_class_name(data, 1), "b");
            CHECK_INT(weft_dataset_targets(data).classes[1], 1);
        }
        CHECK_STR(weft_dataset_format(data), "CSV");
        CHECK(!weft_dataset_is_integer(data));
        size_t dims[4];
        CHECK_UINT(weft_dataset_shape(data, dims), 1);
        CHECK_UINT(dims[0], 2);
        weft_dataset_free(data);
    }
}

/* Whether the first line is taken for a header. */
static void headers(void)
{
    static const struct {
        const char *text;
        size_t samples;
    } cases[] = {
        {"1,2,3\n4,5,6\n", 2},         /* all numbers */
        {"label,1x1,1x2\n4,5,6\n", 1}, /* words */
        {",u,v\n4,5,6\n", 1},          /* an index column without a name */
        {"y,,v\n4,5,6\n", 1},          /* one name is enough */
        {"label,0,1,2\n4,5,6,7\n", 1}, /* columns counted from 0 */
        {"label,1,2,3\n4,5,6,7\n", 1}, /* and from 1 */
        {"cat,3,1,4\ndog,1,5,9\n", 2}, /* a text label before data */
        {"cat,0,1\ndog,1,5\n", 2},     /* two numbers are no count */
        {"0,1,2,3\n1,5,6,7\n", 2},     /* a number label before a count */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset *data = load(csv(cases[i].text), NULL);
        if (data == NULL || !CHECK_UINT(weft_dataset_samples(data), cases[i].samples)) {
            printf(" for case %zu", i);
        }
        weft_dataset_free(data);
    }
}

static void label_columns(void)
{
    static const struct {
        const char *label;
        weft_label_kind kind;
        double features[2];
        size_t n_features;
        float values[2];
    } cases[] = {
        {NULL, WEFT_LABELS_CLASSES, {2.5, 3.5}, 2, {0}},
        {"0", WEFT_LABELS_CLASSES, {2.5, 3.5}, 2, {0}},
        {"a", WEFT_LABELS_CLASSES, {2.5, 3.5}, 2, {0}},
        {"-3", WEFT_LABELS_CLASSES, {2.5, 3.5}, 2, {0}},
        {"b", WEFT_LABELS_VALUES, {7, 3.5}, 2, {2.5f}},
        {"-1", WEFT_LABELS_VALUES, {7, 2.5}, 2, {3.5f}},
        {"2", WEFT_LABELS_VALUES, {7, 2.5}, 2, {3.5f}},
        {"b,c", WEFT_LABELS_VALUES, {7}, 1, {2.5f, 3.5f}},
        {"c,b", WEFT_LABELS_VALUES, {7}, 1, {3.5f, 2.5f}},
        {"-1,a", WEFT_LABELS_VALUES, {2.5}, 1, {3.5f, 7}},
    };
    const char *path = csv("a,b,c\n7,2.5,3.5\n8,4.5,6.5\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = with_label(cases[i].label);
        weft_dataset *data = load(path, &options);
        if (data == NULL) {
            continue;
        }
        weft_targets targets = weft_dataset_targets(data);
        CHECK_INT(targets.kind, cases[i].kind);
        if (CHECK_UINT(weft_dataset_features(data), cases[i].n_features)) {
            for (size_t j = 0; j < cases[i].n_features; j++) {
                CHECK_NEAR(feature(data, 0, j), cases[i].features[j], 0);
            }
        }
        if (targets.kind == WEFT_LABELS_VALUES &&
            CHECK_UINT(targets.n_values, 3 - cases[i].n_features)) {
            CHECK_FLOATS_NEAR(targets.values, cases[i].values, targets.n_values, 0, 0);
        } else if (targets.kind == WEFT_LABELS_CLASSES) {
            CHECK_STR(weft_dataset_class_name(data, (size_t)targets.classes[0]), "7");
        }
        weft_dataset_free(data);
    }
}

/* Many rows of labels, in an order that is not the file's: each must land in its place. */
static void many_values(void)
{
    struct bytes text = {0};
    enum { ROWS = 1000 };
    for (int i = 0; i < ROWS; i++) {
        char line[64];
        int n = snprintf(line, sizeof line, "%d,%d,%d,%d\n", i, 10000 + i, 20000 + i, 30000 + i);
        bytes_add(&text, line, (size_t)n);
    }
    weft_dataset_options options = with_label("3,0,2");
    weft_dataset *data = load(write_bytes("many.csv", text), &options);
    if (data == NULL) {
        return;
    }
    const float *values = weft_dataset_targets(data).values;
    for (int i = 0; i < ROWS; i++) {
        const float wanted[3] = {(float)(30000 + i), (float)i, (float)(20000 + i)};
        CHECK_FLOATS_NEAR(values + 3 * i, wanted, 3, 0, 0);
        CHECK_NEAR(feature(data, (size_t)i, 0), 10000 + i, 0);
    }
    weft_dataset_free(data);
}

static void label_columns_that_are_not_there(void)
{
    const char *path = csv("a,b,c\n7,2.5,3.5\n");
    static const struct {
        const char *label;
        weft_status status;
        const char *part;
    } cases[] = {
        {"d", FORMAT, "no column is named 'd'; its first line has 'a', 'b', 'c'"},
        {"A", FORMAT, "no column is named 'A'"},
        {"3", FORMAT, "no column 3: it has 3 columns"},
        {"-4", FORMAT, "no column -4"},
        {"99999999999", FORMAT, "no column 99999999999"},
        {"", FORMAT, "no column is named ''"},
        {"a,,b", FORMAT, "no column is named ''"},
        {"a,0", WEFT_ERR_ARG, "named twice"},
        {"a,b,c", FORMAT, "all are labels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = with_label(cases[i].label);
        REFUSES(path, &options, cases[i].status, cases[i].part);
    }
    /* A header too long for a message. */
    struct bytes header = {0};
    for (int i = 0; i < 100; i++) {
        char cell[16];
        bytes_add(&header, cell, (size_t)snprintf(cell, sizeof cell, "column%d,", i));
    }
    bytes_add(&header, "last\n1\n", 7);
    weft_dataset_options missing = with_label("first");
    REFUSES(write_bytes("header.csv", header), &missing, FORMAT, "'first'", "'column0', 'column1'",
            ", ...");
    weft_dataset_options options = with_label("a,b");
    options.labels = WEFT_LABELS_CLASSES;
    REFUSES(path, &options, WEFT_ERR_ARG, "2 label columns, but classes need one");
}

static void columns_to_ignore(void)
{
    static const char text[] = "id,y,u,note,v\nrow 1,cat,1,\"a,b\",2\nrow 2,dog,3,,4\n";
    static const struct {
        const char *label, *ignore;
    } cases[] = {{NULL, "id,note"}, {"y", "0,-2"}, {"1", "note,0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = with_label(cases[i].label);
        options.ignore = cases[i].ignore;
        weft_dataset *data = load(csv(text), &options);
        if (data == NULL) {
            continue;
        }
        CHECK_UINT(weft_dataset_samples(data), 2);
        CHECK_UINT(weft_dataset_features(data), 2);
        CHECK_UINT(weft_dataset_n_classes(data), 2);
        for (size_t j = 0; j < 4; j++) {
            CHECK_NEAR(feature(data, j / 2, j % 2), (double)j + 1, 0);
        }
        weft_dataset_free(data);
    }
    static const struct {
        const char *label, *ignore;
        weft_status status;
        const char *part;
    } refused[] = {
        {"y", "id,id", WEFT_ERR_ARG, "ignored column 'id' is named twice"},
        {"y", "y", WEFT_ERR_ARG, "label and ignored column 'y' is named twice"},
        {"y", "nothing", FORMAT, "no column is named 'nothing'"},
        {"y", "7", FORMAT, "no column 7"},
        {"y", "id,u,note,v", FORMAT, "all are labels or ignored"},
        {NULL, "id,y,u,note,v", FORMAT, "all are labels or ignored"},
        {"y", "id", FORMAT, "column 3 ('note')"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        weft_dataset_options options = with_label(refused[i].label);
        options.ignore = refused[i].ignore;
        REFUSES(csv(text), &options, refused[i].status, refused[i].part);
    }
    /* Of a model's 2 inputs, with and without a column of labels. */
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    options.n_inputs = 2;
    options.ignore = "id";
    weft_dataset *data = load(csv("id,u,v\na,1,2\nb,3,4\n"), &options);
    CHECK(data != NULL && weft_dataset_features(data) == 2);
    weft_dataset_free(data);
    data = load(csv("id,y,u,v\na,?,1,2\nb,?,3,4\n"), &options);
    CHECK(data != NULL && weft_dataset_features(data) == 2);
    weft_dataset_free(data);
}

static void without_labels(void)
{
    const char *path = csv("a,b,c\n7,2.5,3.5\n8,4.5,5.5\n");
    static const struct {
        size_t n_inputs, n_features;
        double first;
    } cases[] = {{0, 2, 2.5}, {2, 2, 2.5}, {3, 3, 7}, {5, 2, 2.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
        options.n_inputs = cases[i].n_inputs;
        weft_dataset *data = load(path, &options);
        if (data == NULL) {
            continue;
        }
        CHECK_UINT(weft_dataset_features(data), cases[i].n_features);
        CHECK_NEAR(feature(data, 0, 0), cases[i].first, 0);
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_NONE);
        weft_dataset_free(data);
    }
    /* What the labels are does not matter where they are not wanted. */
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    weft_dataset *data = load(csv("nan,1,2\n?,3,4\n,5,6\n"), &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 3);
        weft_dataset_free(data);
    }
}

static void pixels(void)
{
    static const struct {
        const char *text;
        weft_dtype dtype;
        bool is_integer;
    } cases[] = {
        {"1,0,255\n2,3,4\n", WEFT_U8, true},     {"1,0,254\n2,3,4\n", WEFT_F32, true},
        {"1,0,256\n2,3,4\n", WEFT_F32, true},    {"1,-1,255\n2,3,4\n", WEFT_F32, true},
        {"1,0.5,255\n2,3,4\n", WEFT_F32, false}, {"1,0.0,2.55e2\n2,3,4\n", WEFT_U8, true},
        {"1,0,255\n2,3,1e30\n", WEFT_F32, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset *data = load(csv(cases[i].text), NULL);
        if (data != NULL) {
            CHECK_INT(weft_dataset_x(data).dtype, cases[i].dtype);
            CHECK_INT(weft_dataset_is_integer(data), cases[i].is_integer);
            CHECK_NEAR(feature(data, 1, 0), 3, 0);
            weft_dataset_free(data);
        }
    }
}

static void cells_that_are_no_numbers(void)
{
    static const struct {
        const char *text, *where, *what;
    } cases[] = {
        {"y,u,v\n1,2,3\n1,2,abc\n", "line 3, column 2 ('v')", "'abc' is not a number"},
        {"1,2,3\n1,abc,3\n", "line 2, column 1:", "'abc' is not a number"},
        {"1,2,3\n1,,3\n", "line 2, column 1:", "'' is an empty cell"},
        {"1,2,3\n1,2,\n", "line 2, column 2:", "is an empty cell"},
        {"1,2,3\n1,nan,3\n", "line 2, column 1", "'nan' is a missing value"},
        {"1,2,3\n1,NaN,3\n", "line 2, column 1", "'NaN' is a missing value"},
        {"1,2,3\n1,NA,3\n", "line 2, column 1", "'NA' is a missing value"},
        {"1,2,3\n1,?,3\n", "line 2, column 1", "'?' is a missing value"},
        {"1,2,3\n1,inf,3\n", "line 2, column 1", "'inf' is not finite"},
        {"1,2,3\n1,-Infinity,3\n", "line 2, column 1", "'-Infinity' is not finite"},
        {"1,nan,3\n1,2,3\n", "line 1, column 1", "'nan' is a missing value"},
        {"1,inf,3\n1,2,3\n", "line 1, column 1", "'inf' is not finite"},
        {"1,2,3\n1,1e999,3\n", "line 2, column 1", "'1e999' is too large"},
        {"1,2,3\n1,-1e39,3\n", "line 2, column 1", "'-1e39' is too large"},
        {"1,2,3\n1,0x10,3\n", "line 2, column 1", "'0x10' is not a number"},
        {"1,2,3\n1,0x1p4,3\n", "line 2, column 1", "'0x1p4' is not a number"},
        {"1;2;3\n1;2,5;3\n", "line 2, column 1", "'2,5' is not a number"},
        {"1,2,3\n1,1 2,3\n", "line 2, column 1", "'1 2' is not a number"},
        {"1,2,3\n1,\"1\n2\",3\n", "line 2, column 1", "'1?2' is not a number"},
        {"y,\"a\"\"b\",v\n1,x,3\n", "column 1 ('a\"b')", "'x' is not a number"},
        {"\"y\n\",u,v\n1,2,3\n1,x,3\n", "line 4, column 1 ('u')", "'x' is not a number"},
        {"1,2,3\n1,gr\303\266\303\237er,3\n", "line 2, column 1",
         "'gr\303\266\303\237er' is not a number"},
        {"1,2,3\n1,\303\266\xff\303,3\n", "line 2, column 1", "'\303\266?\?' is not a number"},
        /* Not cut amid a character: 47 bytes, then one of two bytes. */
        {"1,2,3\n1,01234567890123456789012345678901234567890123456\303\266x,3\n",
         "line 2, column 1",
         "'01234567890123456789012345678901234567890123456...' is not a number"},
        {"1,2,3\n1,0123456789012345678901234567890123456789012345678901234567x,3\n",
         "line 2, column 1", "'012345678901234567890123456789012345678901234567...'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSES(csv(cases[i].text), NULL, FORMAT, "table.csv", cases[i].where, cases[i].what);
    }
}

static void labels_that_are_missing(void)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        {"1,2,3\n,2,3\n", "line 2, column 0: no label: ''"},
        {"a,2,3\n\"\",2,3\n", "line 2, column 0: no label: ''"},
        {"y,u,v\na,2,3\n?,2,3\n", "line 3, column 0 ('y'): no label: '?'"},
        {"1.5,2,3\nnan,2,3\n", "line 2, column 0: no label: 'nan'"},
        {"1.5,2,3\ninf,2,3\n", "line 2, column 0: no label: 'inf'"},
        {"1.5,2,3\n2,2,3\nabc,2,3\n", "line 3: label 'abc' is not a number"},
        {"\xff,2,3\nb,2,3\n", "line 1: label '?' is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSES(csv(cases[i].text), NULL, FORMAT, "table.csv", cases[i].where);
    }
    weft_dataset_options options = with_labels(WEFT_LABELS_VALUES);
    REFUSES(csv("1.5,2,3\nabc,2,3\n"), &options, FORMAT, "line 2, column 0: 'abc' is not a number");
    REFUSES(csv("1.5,2,3\n1e39,2,3\n"), &options, FORMAT, "line 2, column 0: '1e39' is too large");
    REFUSES(csv("1.5,2,3\n1e39,2,3\n"), NULL, FORMAT, "label 0 of sample 1", "infinite as float32");
}

static void ragged(void)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"1,2,3\n1,2\n", "line 2 has 2 cells (separated by ','), the first line has 3"},
        {"1,2,3\n1,2,3,4\n", "line 2 has 4 cells"},
        {"1,2,3\n1,2,3,\n", "line 2 has 4 cells"},
        {"y,u\n1,2\n1,2,3\n", "line 3 has 3 cells (separated by ','), the first line has 2"},
        {"1;2;3\n1;2\n", "separated by ';'"},
        {"1\t2\t3\n1\t2\n", "separated by tab"},
        {"1,2,3\n\n1,2,3\n", "line 2 is blank"},
        {"\n1,2,3\n", "line 1 is blank"},
        {"1,2,3\n1,\"2,3\"\n", "is not a number"},
        {"1\n2\n", "no features: the first line has 1 cells"},
        {"y,u,v\n", "a header, but no samples"},
        {"\n\n", "only blank lines"},
        {"1,2,3\n1,\"2,3\n4,5,6\n", "line 2: a quote is not closed"},
        {"1,2,3\n1,\"2\"x,3\n", "line 2: a quote inside a cell"},
        {"1,2,3\n1,2\"\",3\n", "line 2: a quote inside a cell"},
        {"y,u\"\"v,w\n1,2,3\n", "line 1: a quote inside a cell"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSES(csv(cases[i].text), NULL, FORMAT, "table.csv", cases[i].what);
    }
    static const char zero[] = "1,2,3\n1,\0,3\n";
    REFUSES(harness_write_file("zero.csv", zero, sizeof zero - 1), NULL, FORMAT,
            "neither IDX, NumPy, HDF5, PNG, CSV");
    /* Beyond the bytes that the format is told by. */
    struct bytes text = {0};
    for (int i = 0; i < 1000; i++) {
        bytes_add(&text, "1,2,3\n", 6);
    }
    bytes_add(&text, zero, sizeof zero - 1);
    REFUSES(write_bytes("zero.csv", text), NULL, FORMAT, "not text: a zero byte");
}

/* Lines and cells across the borders of the read buffer, and far more rows than one block holds. */
static void long_files(void)
{
    struct bytes text = {0};
    enum { ROWS = 40000, COLS = 40 };
    for (int i = 0; i < ROWS; i++) {
        char line[COLS * 12 + 16];
        int n = snprintf(line, sizeof line, "%d", i % 10);
        for (int j = 0; j < COLS; j++) {
            n += snprintf(line + n, sizeof line - (size_t)n, ",%d.25", i + j);
        }
        line[n++] = '\n';
        bytes_add(&text, line, (size_t)n);
    }
    weft_dataset *data = load(write_bytes("long.csv", text), NULL);
    if (data == NULL) {
        return;
    }
    CHECK_UINT(weft_dataset_samples(data), ROWS);
    CHECK_UINT(weft_dataset_n_classes(data), 10);
    size_t n_wrong = 0;
    for (size_t i = 0; i < ROWS; i++) {
        n_wrong += weft_dataset_targets(data).classes[i] != (int)(i % 10);
        for (size_t j = 0; j < COLS; j++) {
            double wrong = feature(data, i, j) - (double)(i + j) - 0.25;
            n_wrong += wrong < 0 || wrong > 0;
        }
    }
    CHECK_UINT(n_wrong, 0);
    weft_dataset_free(data);
}

static void wide_files(void)
{
    struct bytes text = {0};
    enum { COLS = 200000 };
    for (int row = 0; row < 3; row++) {
        for (int j = 0; j < COLS; j++) {
            char cell[16];
            int n =
                snprintf(cell, sizeof cell, "%d%c", j == 0 ? row : j, j + 1 < COLS ? ',' : '\n');
            bytes_add(&text, cell, (size_t)n);
        }
    }
    weft_dataset *data = load(write_bytes("wide.csv", text), NULL);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 3);
        CHECK_UINT(weft_dataset_features(data), COLS - 1);
        CHECK_NEAR(feature(data, 2, COLS - 2), COLS - 1, 0);
        weft_dataset_free(data);
    }
}

/* A few kilobytes that unpack to a line without end. */
static void lines_without_end(void)
{
    const size_t n = (size_t)150 << 20;
    unsigned char *ones = malloc(n);
    if (ones == NULL) {
        return;
    }
    memset(ones, '1', n);
    const char *path = write_bytes("ones.csv.gz", gzip(ones, n));
    REFUSES(path, NULL, FORMAT, "line 1: longer than 16777216 bytes");
    ones[0] = '"';
    path = write_bytes("ones.csv.gz", gzip(ones, n));
    free(ones);
    REFUSES(path, NULL, FORMAT, "line 1: longer than 16777216 bytes, or a quote is not closed");
}

/* As many columns as such a line may have. */
static void a_million_columns(void)
{
    struct bytes text = {0};
    for (int row = 0; row < 2; row++) {
        for (int j = 0; j < 1000000; j++) {
            bytes_add(&text, "1,", 2);
        }
        bytes_add(&text, row == 0 ? "2\n" : "x\n", 2);
    }
    REFUSES(write_bytes("columns.csv", text), NULL, FORMAT, "line 2, column 1000000: 'x'");
}

/* Random damage: an error or data, but no crash; every status is one that the header names. */
static void random_damage(void)
{
    static const char text[] = "y,\"u,1\",v\r\ncat,1.5,2e3\n\"do\"\"g\",-0.25,255\ncat,7,8\n";
    static const char alphabet[] = ",;\t\"\n\r 0159.-+eEx\xC3\xA9\x00\x80";
    for (uint64_t i = 0; i < 3000; i++) {
        struct bytes damaged = {0};
        bytes_add(&damaged, text, sizeof text - 1);
        for (uint64_t k = 0; k <= i % 4; k++) {
            uint64_t bits = weft_rng_u64(7, 8, 4 * i + k);
            damaged.at[bits % damaged.n] =
                (unsigned char)alphabet[(bits >> 32) % (sizeof alphabet - 1)];
        }
        damaged.n -= i % 7 == 0 ? i % damaged.n : 0;
        weft_error err = {0};
        weft_dataset *data = NULL;
        weft_dataset_options options = with_label(i % 3 == 0 ? "0" : i % 3 == 1 ? "y" : "-1,0");
        weft_status status =
            weft_dataset_load(write_bytes("damaged.csv", damaged), &options, &data, &err);
        CHECK(status == WEFT_OK || status == FORMAT || status == WEFT_ERR_ARG);
        weft_dataset_free(data);
    }
}

static void no_memory(void)
{
    survives_lack_of_memory(csv("y,\"a\"\"b\"\ncat,\"1\"\ndog,2.5\n"), NULL);
    weft_dataset_options options = with_label("y,b");
    survives_lack_of_memory(csv("y,a,b\n1,2,3\n"), &options);
    options = with_label("y");
    survives_lack_of_memory(csv("y,a\n1,2\n2.5,3\n"), &options);
    /* A line longer than the first buffer, and more labels than the first table has room for. */
    struct bytes text = {0};
    for (int i = 0; i < 150000; i++) {
        bytes_add(&text, "1,2,", 4);
    }
    bytes_add(&text, "3\n", 2);
    survives_lack_of_memory(write_bytes("line.csv", text), NULL);
    text = (struct bytes){0};
    for (int i = 0; i < 200; i++) {
        char line[16];
        bytes_add(&text, line, (size_t)snprintf(line, sizeof line, "c%d,1\n", i));
    }
    survives_lack_of_memory(write_bytes("classes.csv", text), NULL);
    static const char *const names[] = {"dog", "cat", "1.5"};
    options = weft_dataset_options_default();
    options.class_names = names;
    options.n_class_names = 3;
    survives_lack_of_memory(csv("y,a\ncat,1\ndog,255\n"), &options);
}

static void breast_cancer(void)
{
    weft_dataset_options options = with_label("diagnosis");
    weft_dataset *data = load(WEFT_SOURCE_DIR "/data/wdbc.csv", &options);
    if (data == NULL) {
        return;
    }
    CHECK_UINT(weft_dataset_samples(data), 569);
    CHECK_UINT(weft_dataset_features(data), 30);
    CHECK_UINT(weft_dataset_n_classes(data), 2);
    CHECK_STR(weft_dataset_class_name(data, 0), "benign");
    CHECK_STR(weft_dataset_class_name(data, 1), "malignant");
    size_t malignant = 0;
    for (size_t i = 0; i < 569; i++) {
        malignant += weft_dataset_targets(data).classes[i] == 1;
    }
    CHECK_UINT(malignant, 212);
    CHECK_NEAR(feature(data, 0, 0), 17.99, 1e-6);
    CHECK_NEAR(feature(data, 568, 29), 0.07039, 1e-8);
    weft_dataset_free(data);
}

/* Cells in every spelling that the short way may meet, by the value of each. */
static void random_cells(void)
{
    static const struct {
        const char *text;
        float value;
    } cells[] = {
        {"0", 0},     {"0", 0},     {"0", 0},       {"0", 0},         {"7", 7},    {"42", 42},
        {"255", 255}, {"007", 7},   {"1000", 1000}, {"0.5", 0.5f},    {"-3", -3},  {" 4", 4},
        {"5 ", 5},    {"\"9\"", 9}, {"1e2", 100},   {"12345", 12345}, {"0000", 0}, {"+6", 6},
    };
    enum { ROWS = 50, COLS = 37 };
    uint64_t counter = 0;
    for (size_t t = 0; t < 40; t++) {
        static const char separators[] = ",;\t";
        char separator = separators[t % 3];
        size_t wanted[ROWS][COLS];
        struct bytes text = {0};
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t j = 0; j < COLS; j++) {
                uint64_t of = t % 4 == 0 ? 4 : sizeof cells / sizeof *cells;
                wanted[i][j] = (size_t)(weft_rng_u64(5, t, counter++) % of);
                const char *cell = cells[wanted[i][j]].text;
                bytes_add(&text, cell, strlen(cell));
                bytes_add(&text, j + 1 == COLS ? "\n" : &separator, 1);
            }
        }
        weft_dataset_options options = with_label("5");
        options.labels = WEFT_LABELS_VALUES;
        weft_dataset *data = load(write_bytes("random.csv", text), &options);
        if (data == NULL || !CHECK_UINT(weft_dataset_samples(data), ROWS)) {
            weft_dataset_free(data);
            return;
        }
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t j = 0; j < COLS; j++) {
                double got = j == 5 ? (double)weft_dataset_targets(data).values[i]
                                    : feature(data, i, j - (j > 5));
                if (!CHECK_NEAR(got, (double)cells[wanted[i][j]].value, 0)) {
                    printf(" for row %zu, column %zu of table %zu\n", i, j, t);
                    i = ROWS - 1;
                    break;
                }
            }
        }
        weft_dataset_free(data);
    }
}

CU_TestInfo csv_tests[] = {
    {"random cells", random_cells},
    {"spellings", spellings},
    {"headers", headers},
    {"label columns", label_columns},
    {"many values", many_values},
    {"label columns that are not there", label_columns_that_are_not_there},
    {"columns to ignore", columns_to_ignore},
    {"without labels", without_labels},
    {"pixels", pixels},
    {"cells that are no numbers", cells_that_are_no_numbers},
    {"labels that are missing", labels_that_are_missing},
    {"ragged", ragged},
    {"long files", long_files},
    {"wide files", wide_files},
    {"lines without end", lines_without_end},
    {"a million columns", a_million_columns},
    {"random damage", random_damage},
    {"no memory", no_memory},
    {"breast cancer", breast_cancer},
    CU_TEST_INFO_NULL,
};
