/* Values of options: where they live, how they are read from text and written back. The command
 * line itself is in command_line.c, files in config_file.c, the help in help.c. */
#include "cli/option_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/strict_number.h"
#include "cli/suggestion.h"

/* A value read from text, before it is stored. */
struct value {
    bool flag;
    uint64_t number;
    double real;
    char *text;
    struct cli_list list;
};

static void *variable_of(const struct cli_options *options, const struct cli_option *option)
{
    return (char *)options->args + option->offset;
}

size_t cli_options_count(const struct cli_options *options)
{
    size_t n = 0;
    for (size_t g = 0; g < options->n_groups; g++) {
        n += options->groups[g].n_options;
    }
    return n;
}

const struct cli_option *cli_options_at(const struct cli_options *options, size_t index,
                                        const struct cli_group **group)
{
    size_t g = 0;
    while (index >= options->groups[g].n_options) {
        index -= options->groups[g++].n_options;
    }
    if (group != NULL) {
        *group = &options->groups[g];
    }
    return &options->groups[g].options[index];
}

/* Equal but for '_' and '-'. */
static bool same_name(const char *known, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (known[i] != (name[i] == '_' ? '-' : name[i])) {
            return false; /* also where `known` is shorter: its final 0 differs */
        }
    }
    return known[len] == '\0';
}

size_t cli_options_find(const struct cli_options *options, const char *name, size_t len)
{
    size_t n = cli_options_count(options);
    for (size_t i = 0; i < n; i++) {
        if (same_name(cli_options_at(options, i, NULL)->name, name, len)) {
            return i;
        }
    }
    return SIZE_MAX;
}

enum cli_origin cli_options_origin(const struct cli_options *options, const void *variable)
{
    size_t n = cli_options_count(options);
    for (size_t i = 0; i < n; i++) {
        if (variable_of(options, cli_options_at(options, i, NULL)) == variable) {
            return (enum cli_origin)options->origins[i];
        }
    }
    assert(!"no option has this variable");
    return CLI_BY_DEFAULT;
}

bool cli_list_assign(struct cli_list *list, const size_t *items, size_t n)
{
    size_t *copy = weft_mem_alloc(n, sizeof *copy);
    if (copy == NULL) {
        return false;
    }
    if (n > 0) {
        memcpy(copy, items, n * sizeof *copy);
    }
    weft_mem_free(list->items);
    *list = (struct cli_list){.n = n, .items = copy};
    return true;
}

bool cli_text_assign(char **text, const char *value)
{
    char *copy = value == NULL ? NULL : weft_mem_strdup(value);
    if (value != NULL && copy == NULL) {
        return false;
    }
    weft_mem_free(*text);
    *text = copy;
    return true;
}

static void print_range(const struct cli_option *option, FILE *stream)
{
    if (option->max > 0) {
        fprintf(stream, " from %llu to %llu", (unsigned long long)option->min,
                (unsigned long long)option->max);
    } else if (option->type != CLI_SEED) {
        fprintf(stream, " from %llu", (unsigned long long)option->min);
    } else {
        fprintf(stream, " below 2^64");
    }
}

static void print_real_range(const struct cli_option *option, FILE *stream)
{
    fprintf(stream, "a number %s %g", option->lo_open ? "above" : "from", option->lo);
    if (option->hi < 1e300) {
        fprintf(stream, " %s %g", option->hi_open ? "to below" : "to", option->hi);
    }
}

static void print_choices(const struct cli_option *option, FILE *stream)
{
    for (size_t i = 0; i < option->n_choices; i++) {
        fprintf(stream, "%s%s", i == 0 ? "" : ", ", option->choice(i));
    }
}

void cli_option_print_wanted(const struct cli_option *option, FILE *stream)
{
    switch (option->type) {
    case CLI_FLAG:
        fprintf(stream, "true or false");
        break;
    case CLI_COUNT:
    case CLI_SEED:
        fprintf(stream, "a whole number");
        print_range(option, stream);
        break;
    case CLI_COUNTS:
        fprintf(stream, "whole numbers");
        print_range(option, stream);
        fprintf(stream, ", separated by commas");
        break;
    case CLI_REAL:
        print_real_range(option, stream);
        break;
    case CLI_TEXT:
    case CLI_TEXTS:
        fprintf(stream, "a text that is not empty");
        break;
    case CLI_CHOICE:
        fprintf(stream, "one of ");
        print_choices(option, stream);
        break;
    case CLI_CHOICES:
        fprintf(stream, "names, separated by commas, out of ");
        print_choices(option, stream);
        break;
    }
    if (option->word != NULL) {
        fprintf(stream, ", or '%s'", option->word);
    }
}

static bool read_flag(const char *text, bool *out)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"},
                                            {"true", "yes", "on", "1"}};
    for (size_t value = 0; value < 2; value++) {
        for (size_t i = 0; i < 4; i++) {
            if (strcmp(text, words[value][i]) == 0) {
                *out = value == 1;
                return true;
            }
        }
    }
    return false;
}

static bool read_number(const struct cli_option *option, const char *text, uint64_t *out)
{
    if (!cli_parse_whole(text, out) || *out < option->min) {
        return false;
    }
    bool fits = option->type == CLI_SEED || (size_t)*out == *out;
    return fits && (option->max == 0 || *out <= option->max);
}

static bool read_real(const struct cli_option *option, const char *text, double *out)
{
    if (!cli_parse_real(text, out)) {
        return false;
    }
    bool above = option->lo_open ? *out > option->lo : *out >= option->lo;
    bool below = option->hi_open ? *out < option->hi : *out <= option->hi;
    return above && below;
}

static bool read_choice(const struct cli_option *option, const char *text, uint64_t *out)
{
    for (size_t i = 0; i < option->n_choices; i++) {
        if (cli_edit_distance(text, option->choice(i)) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Reads "a,b,c". WEFT_ERR_ARG: *bad is the item at fault, inside `copy`. */
static weft_status read_items(const struct cli_option *option, char *copy, struct cli_list *list,
                              const char **bad)
{
    size_t n = 1;
    for (const char *c = copy; *c != '\0'; c++) {
        n += *c == ',';
    }
    list->items = weft_mem_alloc(n, sizeof *list->items);
    if (list->items == NULL) {
        return WEFT_ERR_NOMEM;
    }
    for (char *item = copy, *next; list->n < n; item = next) {
        next = item + strcspn(item, ",");
        next += *next == ',' ? (*next = '\0', 1) : 0;
        item += strspn(item, " \t");
        item[strcspn(item, " \t")] = '\0';
        uint64_t number;
        bool ok = option->type == CLI_COUNTS ? read_number(option, item, &number)
                                             : read_choice(option, item, &number);
        if (!ok) {
            *bad = item;
            return WEFT_ERR_ARG;
        }
        list->items[list->n++] = (size_t)number;
    }
    return WEFT_OK;
}

static weft_status refuse(const struct cli_option *option, const char *text, const char *item,
                          const char *where, weft_error *err)
{
    char wanted[300] = "";
    FILE *stream = fmemopen(wanted, sizeof wanted - 1, "w");
    if (stream != NULL) {
        cli_option_print_wanted(option, stream);
        fclose(stream);
    }
    struct cli_suggestion hint = {.typed = item};
    for (size_t i = 0; i < option->n_choices; i++) {
        cli_suggestion_offer(&hint, option->choice(i));
    }
    return weft_fail(err, WEFT_ERR_ARG, "%s: wanted %s; got '%s'%s%s%s", where, wanted, text,
                     hint.best != NULL ? "; did you mean '" : "",
                     hint.best != NULL ? hint.best : "", hint.best != NULL ? "'?" : "");
}

static weft_status read_list(const struct cli_option *option, const char *text, const char *where,
                             struct cli_list *list, weft_error *err)
{
    if (option->word != NULL && strcmp(text, option->word) == 0) {
        return cli_list_assign(list, NULL, 0) ? WEFT_OK : weft_fail_nomem(err, where);
    }
    char *copy = weft_mem_strdup(text);
    const char *bad = text;
    weft_status status = copy == NULL ? WEFT_ERR_NOMEM : read_items(option, copy, list, &bad);
    if (status == WEFT_ERR_NOMEM) {
        status = weft_fail_nomem(err, where);
    } else if (status != WEFT_OK) {
        status = refuse(option, text, bad, where, err);
    }
    if (status != WEFT_OK) {
        weft_mem_free(list->items);
        *list = (struct cli_list){0};
    }
    weft_mem_free(copy);
    return status;
}

static weft_status read_value(const struct cli_option *option, const char *text,
                              enum cli_origin origin, const char *where, struct value *value,
                              weft_error *err)
{
    bool ok = true;
    switch (option->type) {
    case CLI_FLAG:
        ok = read_flag(text, &value->flag);
        break;
    case CLI_COUNT:
    case CLI_SEED:
        if (option->word != NULL && strcmp(text, option->word) == 0) {
            value->number = 0;
        } else {
            ok = read_number(option, text, &value->number);
        }
        break;
    case CLI_REAL:
        ok = read_real(option, text, &value->real);
        break;
    case CLI_TEXT:
    case CLI_TEXTS:
        /* In a file an empty value says "not given"; on the command line it is more likely a shell
         * variable that is not set. */
        ok = *text != '\0' || origin == CLI_BY_CONFIG;
        if (ok && !cli_text_assign(&value->text, *text != '\0' ? text : NULL)) {
            return weft_fail_nomem(err, where);
        }
        break;
    case CLI_CHOICE:
        ok = read_choice(option, text, &value->number);
        break;
    case CLI_COUNTS:
    case CLI_CHOICES:
        return read_list(option, text, where, &value->list, err);
    }
    return ok ? WEFT_OK : refuse(option, text, text, where, err);
}

static void release_variable(enum cli_type type, void *variable)
{
    if (type == CLI_TEXT) {
        weft_mem_free(*(char **)variable);
        *(char **)variable = NULL;
    } else if (type == CLI_TEXTS) {
        struct cli_texts *texts = variable;
        for (size_t i = 0; i < texts->n; i++) {
            weft_mem_free(texts->items[i]);
        }
        weft_mem_free(texts->items);
        *texts = (struct cli_texts){0};
    } else if (type == CLI_COUNTS || type == CLI_CHOICES) {
        weft_mem_free(((struct cli_list *)variable)->items);
        *(struct cli_list *)variable = (struct cli_list){0};
    }
}

/* Behind those that are there already; false where there is no memory. */
static bool append_text(struct cli_texts *texts, char *text)
{
    char **grown = weft_mem_grow(texts->items, texts->n, texts->n + 1, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    texts->items = grown;
    texts->items[texts->n++] = text;
    return true;
}

/* Takes what value holds; false where there is no memory. */
static bool store(enum cli_type type, void *variable, const struct value *value)
{
    if (type == CLI_TEXTS) {
        return append_text(variable, value->text);
    }
    release_variable(type, variable);
    switch (type) {
    case CLI_FLAG:
        *(bool *)variable = value->flag;
        break;
    case CLI_SEED:
        *(uint64_t *)variable = value->number;
        break;
    case CLI_COUNT:
    case CLI_CHOICE:
        *(size_t *)variable = (size_t)value->number;
        break;
    case CLI_REAL:
        *(double *)variable = value->real;
        break;
    case CLI_TEXT:
        *(char **)variable = value->text;
        break;
    case CLI_TEXTS:
        break;
    case CLI_COUNTS:
    case CLI_CHOICES:
        *(struct cli_list *)variable = value->list;
        break;
    }
    return true;
}

weft_status cli_options_set(struct cli_options *options, size_t index, const char *text,
                            enum cli_origin origin, const char *where, weft_error *err)
{
    const struct cli_option *option = cli_options_at(options, index, NULL);
    struct value value = {0};
    weft_status status = read_value(option, text, origin, where, &value, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (origin >= options->origins[index] &&
        store(option->type, variable_of(options, option), &value)) {
        options->origins[index] = (unsigned char)origin;
        return WEFT_OK;
    }
    weft_mem_free(value.text);
    weft_mem_free(value.list.items);
    return origin >= options->origins[index] ? weft_fail_nomem(err, where) : WEFT_OK;
}

weft_status cli_options_init(struct cli_options *options, const struct cli_group *groups,
                             size_t n_groups, void *args, weft_error *err)
{
    *options = (struct cli_options){.groups = groups, .n_groups = n_groups, .args = args};
    size_t n = cli_options_count(options);
    options->origins = weft_mem_zalloc(n, 1);
    if (options->origins == NULL) {
        return weft_fail_nomem(err, "options");
    }
    for (size_t i = 0; i < n; i++) {
        const struct cli_option *option = cli_options_at(options, i, NULL);
        weft_status status =
            option->fallback == NULL
                ? WEFT_OK
                : cli_options_set(options, i, option->fallback, CLI_BY_DEFAULT, option->name, err);
        if (status != WEFT_OK) {
            cli_options_release(options);
            return status;
        }
    }
    return WEFT_OK;
}

void cli_options_release(struct cli_options *options)
{
    size_t n = cli_options_count(options);
    for (size_t i = 0; i < n; i++) {
        const struct cli_option *option = cli_options_at(options, i, NULL);
        release_variable(option->type, variable_of(options, option));
    }
    weft_mem_free(options->origins);
    *options = (struct cli_options){0};
}

weft_status cli_options_check_missing(const struct cli_options *options, weft_error *err)
{
    size_t n = cli_options_count(options);
    for (size_t i = 0; i < n; i++) {
        const struct cli_option *option = cli_options_at(options, i, NULL);
        if (option->missing != NULL && *(char **)variable_of(options, option) == NULL) {
            return weft_fail(err, WEFT_ERR_ARG, "%s", option->missing);
        }
    }
    return WEFT_OK;
}

/* The fewest digits that read back to the same number. */
static void print_real(double value, FILE *stream)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    fputs(text, stream);
}

static void print_list(const struct cli_option *option, const struct cli_list *list, FILE *stream)
{
    if (list->n == 0) {
        fputs(option->word != NULL ? option->word : "", stream);
    }
    for (size_t i = 0; i < list->n; i++) {
        fputs(i == 0 ? "" : ",", stream);
        if (option->type == CLI_CHOICES) {
            fputs(option->choice(list->items[i]), stream);
        } else {
            fprintf(stream, "%zu", list->items[i]);
        }
    }
}

static void print_texts(const struct cli_texts *texts, FILE *stream)
{
    for (size_t i = 0; i < texts->n; i++) {
        fprintf(stream, "%s%s", i == 0 ? "" : " ", texts->items[i]);
    }
}

void cli_options_print_value(const struct cli_options *options, size_t index, FILE *stream)
{
    const struct cli_option *option = cli_options_at(options, index, NULL);
    const void *variable = variable_of(options, option);
    switch (option->type) {
    case CLI_FLAG:
        fputs(*(const bool *)variable ? "true" : "false", stream);
        break;
    case CLI_COUNT:
        if (*(const size_t *)variable == 0 && option->word != NULL) {
            fputs(option->word, stream);
        } else {
            fprintf(stream, "%zu", *(const size_t *)variable);
        }
        break;
    case CLI_SEED:
        fprintf(stream, "%llu", (unsigned long long)*(const uint64_t *)variable);
        break;
    case CLI_REAL:
        print_real(*(const double *)variable, stream);
        break;
    case CLI_TEXT:
        fputs(*(char *const *)variable != NULL ? *(char *const *)variable : "", stream);
        break;
    case CLI_TEXTS:
        print_texts(variable, stream);
        break;
    case CLI_CHOICE:
        fputs(option->choice(*(const size_t *)variable), stream);
        break;
    case CLI_COUNTS:
    case CLI_CHOICES:
        print_list(option, variable, stream);
        break;
    }
}
