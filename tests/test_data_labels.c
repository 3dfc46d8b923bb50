/* From labels to classes: equal by value or by bytes, in a stable order or as a model has them. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "test_data.h"

/* A CSV file with one feature and these labels. */
static const char *csv_of(const char *const *labels, size_t n)
{
    struct bytes text = {0};
    for (size_t i = 0; i < n; i++) {
        bytes_add(&text, labels[i], strlen(labels[i]));
        bytes_add(&text, ",0.5\n", 5);
    }
    return write_bytes("labels.csv", text);
}

struct mapping {
    const char *labels[6], *names[6];
    size_t n, n_names;
    int32_t ids[6];
};

static void check_mapping(const struct mapping *mapping, const weft_dataset_options *options)
{
    weft_dataset *data = load(csv_of(mapping->labels, mapping->n), options);
    if (data == NULL) {
        return;
    }
    CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_CLASSES);
    if (CHECK_UINT(weft_dataset_n_classes(data), mapping->n_names)) {
        for (size_t i = 0; i < mapping->n_names; i++) {
            CHECK_STR(weft_dataset_class_name(data, i), mapping->names[i]);
        }
        for (size_t i = 0; i < mapping->n; i++) {
            CHECK_INT(weft_dataset_targets(data).classes[i], mapping->ids[i]);
        }
    }
    weft_dataset_free(data);
}

static void found(void)
{
    static const struct mapping cases[] = {
        {{"b", "a", "b"}, {"a", "b"}, 3, 2, {1, 0, 1}},
        {{"10", "9", "-1"}, {"-1", "9", "10"}, 3, 3, {2, 1, 0}},
        {{"7", "07", "7.0", "+7", "7e0", "70e-1"}, {"7"}, 6, 1, {0}},
        {{"0", "-0", "0.0"}, {"0"}, 3, 1, {0}},
        {{"B", "a", "b", "A"}, {"A", "B", "a", "b"}, 4, 4, {1, 2, 3, 0}},
        {{"z", "\xC3\xA9", "a"}, {"a", "z", "\xC3\xA9"}, 3, 3, {1, 2, 0}},
        {{"10", "9", "x"}, {"10", "9", "x"}, 3, 3, {0, 1, 2}}, /* texts among them: by bytes */
        {{"a b", "\"a,b\"", "\"a\"\"b\""}, {"a b", "a\"b", "a,b"}, 3, 3, {0, 2, 1}},
        {{"9007199254740991", "9007199254740990"},
         {"9007199254740990", "9007199254740991"},
         2,
         2,
         {1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_mapping(&cases[i], NULL);
    }
}

static void asked_for(void)
{
    /* As classes even values are names, in the order of their values. */
    static const struct mapping fractions = {
        {"10.5", "9.25", "10.50", "9"}, {"9", "9.25", "10.5"}, 4, 3, {2, 1, 2, 0}};
    weft_dataset_options options = with_labels(WEFT_LABELS_CLASSES);
    check_mapping(&fractions, &options);
    /* As values even classes are numbers. */
    static const char *const labels[] = {"3", "1", "2"};
    options = with_labels(WEFT_LABELS_VALUES);
    weft_dataset *data = load(csv_of(labels, 3), &options);
    if (data != NULL) {
        const float wanted[3] = {3, 1, 2};
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_VALUES);
        CHECK_FLOATS_NEAR(weft_dataset_targets(data).values, wanted, 3, 0, 0);
        weft_dataset_free(data);
    }
    static const char *const mixed[] = {"3", "1.5", "3"};
    data = load(csv_of(mixed, 3), NULL);
    if (data != NULL) {
        const float wanted[3] = {3, 1.5f, 3};
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_VALUES);
        CHECK_FLOATS_NEAR(weft_dataset_targets(data).values, wanted, 3, 0, 0);
        weft_dataset_free(data);
    }
}

static void known_to_a_model(void)
{
    static const struct {
        struct mapping mapping;
        weft_label_kind wanted;
    } cases[] = {
        {{{"b", "a"}, {"b", "a", "c"}, 2, 3, {0, 1}}, WEFT_LABELS_AUTO},
        {{{"b", "a"}, {"b", "a", "c"}, 2, 3, {0, 1}}, WEFT_LABELS_CLASSES},
        {{{"07", "3.0"}, {"7", "3", "5"}, 2, 3, {0, 1}}, WEFT_LABELS_AUTO},
        {{{"7", "x"}, {"x", "7"}, 2, 2, {1, 0}}, WEFT_LABELS_AUTO},
        {{{"1.50", "2"}, {"2", "1.5"}, 2, 2, {1, 0}}, WEFT_LABELS_AUTO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dataset_options options = with_labels(cases[i].wanted);
        options.class_names = cases[i].mapping.names;
        options.n_class_names = cases[i].mapping.n_names;
        check_mapping(&cases[i].mapping, &options);
    }
}

static void unknown_to_a_model(void)
{
    static const char *const names[] = {"cat", "dog", "10"};
    static const struct {
        const char *labels[2], *what;
    } cases[] = {
        {{"cat", "bird"},
         "line 2: label 'bird' is not among the model's classes ('cat', 'dog', 10)"},
        {{"Cat", "dog"}, "line 1: label 'Cat' is not among"},
        {{"cat", "11"}, "line 2: label '11' is not among"},
        {{"1.5", "cat"}, "line 1: label '1.5' is not among"},
    };
    weft_dataset_options options = weft_dataset_options_default();
    options.class_names = names;
    options.n_class_names = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSES(csv_of(cases[i].labels, 2), &options, WEFT_ERR_MISMATCH, "labels.csv",
                cases[i].what);
    }
    static const char *const doubles[] = {"7", "07"};
    options.class_names = doubles;
    options.n_class_names = 2;
    REFUSES(csv_of(doubles, 2), &options, WEFT_ERR_ARG, "two classes are named '07'");
    options.n_class_names = 0;
    REFUSES(csv_of(doubles, 2), &options, WEFT_ERR_MISMATCH, "label '7' is not among");
}

/* n different labels made by a printf format. */
static const char *distinct(const char *prefix, size_t n)
{
    struct bytes text = {0};
    for (size_t i = 0; i < n; i++) {
        char line[64];
        int len = snprintf(line, sizeof line, "%s%zu,0.5\n", prefix, i);
        bytes_add(&text, line, (size_t)len);
    }
    return write_bytes("distinct.csv", text);
}

static void too_many_to_be_classes(void)
{
    static const char *const prefixes[] = {"", "id"};
    for (size_t i = 0; i < 2; i++) {
        weft_dataset *data = load(distinct(prefixes[i], 1000), NULL);
        if (data != NULL) {
            CHECK_UINT(weft_dataset_n_classes(data), 1000);
            weft_dataset_free(data);
        }
        REFUSES(distinct(prefixes[i], 1001), NULL, WEFT_ERR_FORMAT, "1001 distinct labels",
                "--output identity");
        weft_dataset_options options = with_labels(WEFT_LABELS_CLASSES);
        data = load(distinct(prefixes[i], 5000), &options);
        if (data != NULL) {
            CHECK_UINT(weft_dataset_n_classes(data), 5000);
            for (size_t k = 0; k < 5000; k++) {
                char name[16];
                snprintf(name, sizeof name, "%s%zu", prefixes[i], k);
                size_t id = (size_t)weft_dataset_targets(data).classes[k];
                if (!CHECK_STR(weft_dataset_class_name(data, id), name)) {
                    break;
                }
            }
            weft_dataset_free(data);
        }
    }
}

CU_TestInfo labels_tests[] = {
    {"found", found},
    {"asked for", asked_for},
    {"known to a model", known_to_a_model},
    {"unknown to a model", unknown_to_a_model},
    {"too many to be classes", too_many_to_be_classes},
    CU_TEST_INFO_NULL,
};
