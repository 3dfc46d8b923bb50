/* Labels are interned in a hash table (open addressing, linear probing) as they come; once all are
 * seen the distinct ones tell whether they are classes or values, and are sorted for a stable order
 * of classes. */
#include "data/labels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/number.h"

/* A label to look for; text need not end in NUL. */
struct key {
    double value;
    const char *text;
    size_t len;
    bool is_number;
};

static uint64_t hash_of(const struct key *key)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    const unsigned char *bytes = (const unsigned char *)key->text;
    size_t len = key->len;
    if (key->is_number) {
        bytes = (const unsigned char *)&key->value;
        len = sizeof key->value;
    }
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash ^ hash >> 32;
}

static bool equal(const struct weft_label *label, const struct key *key)
{
    if (label->is_number || key->is_number) {
        return label->is_number && key->is_number && label->value == key->value;
    }
    return strlen(label->text) == key->len && memcmp(label->text, key->text, key->len) == 0;
}

/* The slot that holds the label, or the empty one where it belongs. */
static uint32_t *find(const struct weft_labels *labels, const struct key *key)
{
    size_t mask = labels->n_slots - 1;
    size_t at = (size_t)hash_of(key) & mask;
    while (labels->slots[at] != 0 && !equal(&labels->distinct[labels->slots[at] - 1], key)) {
        at = (at + 1) & mask;
    }
    return &labels->slots[at];
}

static struct key key_of_number(double value)
{
    return (struct key){.value = value + 0.0, .is_number = true}; /* + 0.0: -0 is 0 */
}

static struct key key_of_text(const char *text, size_t len)
{
    struct key key;
    double value;
    if (weft_number_double(text, len, &value) == WEFT_NUMBER_OK) {
        key = key_of_number(value);
        key.text = text;
        key.len = len;
    } else {
        key = (struct key){.text = text, .len = len};
    }
    return key;
}

static struct key key_of_label(const struct weft_label *label)
{
    struct key key = {.value = label->value, .text = label->text, .is_number = label->is_number};
    key.len = label->text == NULL ? 0 : strlen(label->text);
    return key;
}

/* Keeps the table at most half full. */
static weft_status grow_table(struct weft_labels *labels, weft_error *err)
{
    if (labels->n_distinct + 1 <= labels->n_slots / 2) {
        return WEFT_OK;
    }
    size_t n_slots = labels->n_slots == 0 ? 64 : 2 * labels->n_slots;
    uint32_t *slots = weft_mem_zalloc(n_slots, sizeof *slots);
    if (slots == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    weft_mem_free(labels->slots);
    labels->slots = slots;
    labels->n_slots = n_slots;
    for (size_t i = 0; i < labels->n_distinct; i++) {
        struct key key = key_of_label(&labels->distinct[i]);
        *find(labels, &key) = (uint32_t)i + 1;
    }
    return WEFT_OK;
}

static char *copy_text(const char *text, size_t len)
{
    char *copy = weft_mem_alloc(len + 1, 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* Adds a label that is not there yet. */
static weft_status add_distinct(struct weft_labels *labels, const struct key *key, uint64_t place,
                                weft_error *err)
{
    weft_status status = grow_table(labels, err);
    if (status != WEFT_OK) {
        return status;
    }
    void *distinct = labels->distinct;
    if (labels->n_distinct >= INT32_MAX ||
        !weft_array_reserve(&distinct, labels->n_distinct, 1, &labels->distinct_capacity,
                            sizeof *labels->distinct)) {
        return weft_fail_nomem(err, "labels");
    }
    labels->distinct = distinct;
    struct weft_label *label = &labels->distinct[labels->n_distinct];
    *label = (struct weft_label){.value = key->value, .place = place, .is_number = key->is_number};
    label->id = (uint32_t)labels->n_distinct;
    if (!key->is_number || !weft_number_is_whole(key->value)) {
        label->text = copy_text(key->text, key->len);
        if (label->text == NULL) {
            return weft_fail_nomem(err, "labels");
        }
        if (!weft_utf8_valid(label->text)) {
            weft_mem_free(label->text);
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: %s %llu: label %s is not UTF-8",
                             labels->path, labels->unit, (unsigned long long)place,
                             weft_quote(key->text, key->len).text);
        }
    }
    *find(labels, key) = (uint32_t)++labels->n_distinct;
    return WEFT_OK;
}

static weft_status fix_classes(struct weft_labels *labels, const char *const *names, size_t n_names,
                               weft_error *err)
{
    for (size_t i = 0; i < n_names; i++) {
        struct key key = key_of_text(names[i], strlen(names[i]));
        if (labels->n_slots > 0 && *find(labels, &key) != 0) {
            return weft_fail(err, WEFT_ERR_ARG, "two classes are named %s",
                             weft_quote(names[i], strlen(names[i])).text);
        }
        weft_status status = add_distinct(labels, &key, 0, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    labels->is_fixed = true;
    return WEFT_OK;
}

weft_label_kind weft_labels_wanted(const weft_dataset_options *options)
{
    return options->labels == WEFT_LABELS_AUTO && options->class_names != NULL ? WEFT_LABELS_CLASSES
                                                                               : options->labels;
}

weft_status weft_labels_init(struct weft_labels *labels, const char *path, const char *unit,
                             weft_label_kind wanted, const char *const *names, size_t n_names,
                             weft_error *err)
{
    *labels = (struct weft_labels){.path = path, .unit = unit, .wanted = wanted};
    weft_status status = names == NULL ? WEFT_OK : fix_classes(labels, names, n_names, err);
    if (status != WEFT_OK) {
        weft_labels_release(labels);
    }
    return status;
}

void weft_labels_release(struct weft_labels *labels)
{
    for (size_t i = 0; i < labels->n_distinct; i++) {
        weft_mem_free(labels->distinct[i].text);
    }
    weft_mem_free(labels->distinct);
    weft_mem_free(labels->slots);
    *labels = (struct weft_labels){0};
}

/* How a label looks in a message. */
static struct weft_quoted quote_key(const struct key *key)
{
    if (key->text != NULL) {
        return weft_quote(key->text, key->len);
    }
    struct weft_quoted quoted;
    snprintf(quoted.text, sizeof quoted.text, "%lld", (long long)key->value);
    return quoted;
}

static struct weft_quoted quote_label(const struct weft_label *label)
{
    struct key key = key_of_label(label);
    return quote_key(&key);
}

static weft_status fail_unknown(const struct weft_labels *labels, const struct key *key,
                                uint64_t place, weft_error *err)
{
    struct weft_listing known = {0};
    for (size_t i = 0; i < labels->n_distinct && !known.is_full; i++) {
        weft_listing_add(&known, quote_label(&labels->distinct[i]).text);
    }
    return weft_fail(err, WEFT_ERR_MISMATCH,
                     "%s: %s %llu: label %s is not among the model's classes (%s)", labels->path,
                     labels->unit, (unsigned long long)place, quote_key(key).text, known.text);
}

static weft_status add(struct weft_labels *labels, const struct key *key, uint64_t place,
                       double *id, weft_error *err)
{
    uint32_t index = labels->n_slots == 0 ? 0 : *find(labels, key);
    if (index == 0) {
        if (labels->is_fixed) {
            return fail_unknown(labels, key, place, err);
        }
        weft_status status = add_distinct(labels, key, place, err);
        if (status != WEFT_OK) {
            return status;
        }
        index = (uint32_t)labels->n_distinct;
    }
    *id = (double)(index - 1);
    return WEFT_OK;
}

weft_status weft_labels_add_text(struct weft_labels *labels, const char *text, size_t len,
                                 uint64_t place, double *id, weft_error *err)
{
    struct key key = key_of_text(text, len);
    return add(labels, &key, place, id, err);
}

weft_status weft_labels_add_number(struct weft_labels *labels, double value, uint64_t place,
                                   double *id, weft_error *err)
{
    struct key key = key_of_number(value);
    return add(labels, &key, place, id, err);
}

bool weft_labels_know(const struct weft_labels *labels, const char *text)
{
    struct key key = key_of_text(text, strlen(text));
    return labels->n_slots > 0 && *find(labels, &key) != 0;
}

bool weft_labels_find(const struct weft_labels *labels, const char *text, size_t len, size_t *index)
{
    struct key key = key_of_text(text, len);
    uint32_t slot = labels->n_slots == 0 ? 0 : *find(labels, &key);
    *index = slot == 0 ? 0 : slot - 1;
    return slot != 0;
}

struct weft_quoted weft_labels_quote(const struct weft_labels *labels, size_t index)
{
    return quote_label(&labels->distinct[index]);
}

/* What kinds of labels have been seen, and the first of each. */
struct census {
    const struct weft_label *text, *whole, *fraction;
};

static struct census take_census(const struct weft_labels *labels)
{
    struct census census = {0};
    for (size_t i = labels->n_distinct; i-- > 0;) {
        const struct weft_label *label = &labels->distinct[i];
        if (!label->is_number) {
            census.text = label;
        } else if (weft_number_is_whole(label->value)) {
            census.whole = label;
        } else {
            census.fraction = label;
        }
    }
    return census;
}

static int by_value(const void *a, const void *b)
{
    const struct weft_label *left = a, *right = b;
    return (left->value > right->value) - (left->value < right->value);
}

static int by_bytes(const void *a, const void *b)
{
    const struct weft_label *left = a, *right = b;
    return strcmp(left->text, right->text);
}

/* Gives whole numbers their text too: "7". */
static weft_status spell_out(struct weft_labels *labels, weft_error *err)
{
    for (size_t i = 0; i < labels->n_distinct; i++) {
        struct weft_label *label = &labels->distinct[i];
        if (label->text == NULL) {
            char text[32];
            int len = snprintf(text, sizeof text, "%lld", (long long)label->value);
            label->text = copy_text(text, (size_t)len);
            if (label->text == NULL) {
                return weft_fail_nomem(err, "class names");
            }
        }
    }
    return WEFT_OK;
}

static weft_status set_names(const struct weft_labels *labels, weft_dataset *data, weft_error *err)
{
    const char **names = weft_mem_alloc(labels->n_distinct, sizeof *names);
    if (names == NULL) {
        return weft_fail_nomem(err, "class names");
    }
    for (size_t i = 0; i < labels->n_distinct; i++) {
        names[i] = labels->distinct[i].text;
    }
    weft_status status = weft_dataset_set_names(data, names, labels->n_distinct, err);
    weft_mem_free(names);
    return status;
}

/* Brings the classes into their final order. */
static void sort_classes(struct weft_labels *labels, bool all_numbers)
{
    qsort(labels->distinct, labels->n_distinct, sizeof *labels->distinct,
          all_numbers ? by_value : by_bytes);
}

weft_status weft_labels_sort(struct weft_labels *labels, weft_error *err)
{
    weft_status status = spell_out(labels, err);
    if (status == WEFT_OK) {
        sort_classes(labels, take_census(labels).text == NULL);
    }
    return status;
}

/* From ids, which count labels as they came, to classes. */
static weft_status rank_ids(const struct weft_labels *labels, const double *ids, weft_dataset *data,
                            weft_error *err)
{
    size_t n = data->extent.samples;
    int32_t *rank = weft_mem_alloc(labels->n_distinct, sizeof *rank);
    data->classes = weft_mem_alloc(n, sizeof *data->classes);
    if (rank == NULL || data->classes == NULL) {
        weft_mem_free(rank);
        return weft_fail_nomem(err, "labels");
    }
    for (size_t i = 0; i < labels->n_distinct; i++) {
        rank[labels->distinct[i].id] = (int32_t)i;
    }
    for (size_t i = 0; i < n; i++) {
        data->classes[i] = rank[(size_t)ids[i]];
    }
    weft_mem_free(rank);
    return WEFT_OK;
}

static weft_status finish_classes(struct weft_labels *labels, bool all_numbers, const double *ids,
                                  weft_dataset *data, weft_error *err)
{
    weft_status status = spell_out(labels, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (!labels->is_fixed) {
        sort_classes(labels, all_numbers);
    }
    status = set_names(labels, data, err);
    if (status == WEFT_OK) {
        status = rank_ids(labels, ids, data, err);
    }
    data->kind = status == WEFT_OK ? WEFT_LABELS_CLASSES : data->kind;
    return status;
}

static weft_status finish_values(const struct weft_labels *labels, const double *ids,
                                 weft_dataset *data, weft_error *err)
{
    size_t n = data->extent.samples;
    float *values = weft_mem_alloc(n, sizeof *values);
    if (values == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = (float)labels->distinct[(size_t)ids[i]].value;
    }
    data->kind = WEFT_LABELS_VALUES;
    data->values = values;
    data->n_values = 1;
    return WEFT_OK;
}

weft_status weft_labels_finish(struct weft_labels *labels, const double *ids, weft_dataset *data,
                               weft_error *err)
{
    struct census census = take_census(labels);
    if (labels->is_fixed || labels->wanted == WEFT_LABELS_CLASSES) {
        return finish_classes(labels, census.text == NULL, ids, data, err);
    }
    if (census.fraction != NULL && census.text != NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %s %llu: label %s is not a number, where others are, such as %s",
                         labels->path, labels->unit, (unsigned long long)census.text->place,
                         quote_label(census.text).text, quote_label(census.fraction).text);
    }
    if (census.fraction != NULL) {
        return finish_values(labels, ids, data, err);
    }
    if (labels->n_distinct > WEFT_LABELS_AUTO_MAX) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %zu distinct labels (%s, ...) are too many to be taken for classes; "
                         "choose the label column, or ask for values (--output identity)",
                         labels->path, labels->n_distinct, quote_label(labels->distinct).text);
    }
    return finish_classes(labels, census.text == NULL, ids, data, err);
}

static weft_status copy_values(const struct weft_number_labels *source, weft_dataset *data,
                               weft_error *err)
{
    size_t n = data->extent.samples * source->n_each;
    float *values = weft_mem_alloc(n, sizeof *values);
    if (values == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    for (size_t i = 0; i < n; i++) {
        values[i] = (float)source->numbers[i];
    }
    data->kind = WEFT_LABELS_VALUES;
    data->values = values;
    data->n_values = source->n_each;
    return WEFT_OK;
}

/* The first label that is no whole number, or n. */
static size_t first_fraction(const double *numbers, size_t n)
{
    size_t i = 0;
    while (i < n && weft_number_is_whole(numbers[i])) {
        i++;
    }
    return i;
}

/* Whether every number has a name in the file's own list. */
static bool list_fits(const struct weft_number_labels *source, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (source->numbers[i] < 0 || source->numbers[i] >= (double)source->n_listed) {
            return false;
        }
    }
    return source->listed != NULL;
}

/* All labels are whole numbers; `listed` says whether to go by the names in the file's list. */
static weft_status add_all(struct weft_labels *labels, const struct weft_number_labels *source,
                           size_t n, bool listed, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < n && status == WEFT_OK; i++) {
        if (listed) {
            const char *name = source->listed[(size_t)source->numbers[i]];
            status = weft_labels_add_text(labels, name, strlen(name), i, &source->numbers[i], err);
        } else {
            status =
                weft_labels_add_number(labels, source->numbers[i], i, &source->numbers[i], err);
        }
    }
    return status;
}

static weft_status map_classes(const struct weft_number_labels *source,
                               const weft_dataset_options *options, weft_dataset *data,
                               weft_error *err)
{
    size_t n = data->extent.samples;
    bool listed = list_fits(source, n);
    const char *const *names = options->class_names;
    size_t n_names = options->n_class_names;
    if (names == NULL && listed) {
        names = source->listed;
        n_names = source->n_listed;
    }
    struct weft_labels labels;
    weft_status status = weft_labels_init(&labels, source->path, "sample",
                                          weft_labels_wanted(options), names, n_names, err);
    if (status != WEFT_OK) {
        return status;
    }
    /* A model that does not know the file's names at all may have been trained on numbers. */
    bool known = false;
    for (size_t i = 0; listed && i < source->n_listed && !known; i++) {
        known = weft_labels_know(&labels, source->listed[i]);
    }
    status = add_all(&labels, source, n, known, err);
    if (status == WEFT_OK) {
        status = weft_labels_finish(&labels, source->numbers, data, err);
    }
    weft_labels_release(&labels);
    return status;
}

weft_status weft_labels_from_numbers(const struct weft_number_labels *source,
                                     const weft_dataset_options *options, weft_dataset *data,
                                     weft_error *err)
{
    size_t n = data->extent.samples;
    weft_label_kind wanted = weft_labels_wanted(options);
    if (wanted == WEFT_LABELS_VALUES) {
        return copy_values(source, data, err);
    }
    if (source->n_each != 1) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %zu labels for each sample; classes need one, or ask for values "
                         "(--output identity or sigmoid)",
                         source->path, source->n_each);
    }
    size_t odd = first_fraction(source->numbers, n);
    if (odd < n && wanted == WEFT_LABELS_AUTO) {
        return copy_values(source, data, err);
    }
    if (odd < n) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: sample %zu: label %.9g is not a whole number, as classes are",
                         source->path, odd, source->numbers[odd]);
    }
    return map_classes(source, options, data, err);
}
