/* From argv to option values. */
#include <stdint.h>
#include <string.h>

#include "base/fail.h"
#include "cli/option_table.h"
#include "cli/suggestion.h"

/* Where in argv we are. */
struct cursor {
    int argc, next;
    char **argv;
};

static const struct cli_option *option_at(const struct cli_options *options, size_t index)
{
    return cli_options_at(options, index, NULL);
}

static weft_status unknown(const struct cli_options *options, const char *typed, size_t len,
                           weft_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), typed);
    struct cli_suggestion hint = {.typed = name};
    const char *dashes = "--";
    for (size_t i = 0; i < cli_options_count(options); i++) {
        if (!(option_at(options, i)->flags & CLI_POSITIONAL)) {
            cli_suggestion_offer(&hint, option_at(options, i)->name);
        }
    }
    size_t without_no = strncmp(name, "no-", 3) == 0 ? 3 : 0;
    if (hint.best == NULL && without_no > 0) {
        hint.typed = name + without_no;
        dashes = "--no-";
        for (size_t i = 0; i < cli_options_count(options); i++) {
            if (option_at(options, i)->type == CLI_FLAG || option_at(options, i)->negated != NULL) {
                cli_suggestion_offer(&hint, option_at(options, i)->name);
            }
        }
    }
    if (hint.best != NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "unknown option '--%s'; did you mean '%s%s'?", name,
                         dashes, hint.best);
    }
    return weft_fail(err, WEFT_ERR_ARG, "unknown option '--%s'; --help lists all", name);
}

/* Whether an argument is, as a whole, an option of this command: then it is no value. */
static bool is_known_option(const struct cli_options *options, const char *arg)
{
    return strncmp(arg, "--", 2) == 0 && arg[2] != '\0' &&
           cli_options_find(options, arg + 2, strcspn(arg + 2, "=")) != SIZE_MAX;
}

static weft_status set_from_next(struct cli_options *options, size_t index, const char *where,
                                 struct cursor *cursor, weft_error *err)
{
    if (cursor->next >= cursor->argc || is_known_option(options, cursor->argv[cursor->next])) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: wanted a value (%s); got %s", where,
                         option_at(options, index)->metavar,
                         cursor->next >= cursor->argc ? "the end of the command line"
                                                      : cursor->argv[cursor->next]);
    }
    return cli_options_set(options, index, cursor->argv[cursor->next++], CLI_BY_COMMAND_LINE, where,
                           err);
}

static weft_status parse_long(struct cli_options *options, const char *arg, struct cursor *cursor,
                              weft_error *err)
{
    const char *name = arg + 2;
    size_t len = strcspn(name, "=");
    bool has_value = name[len] == '=';
    size_t index = cli_options_find(options, name, len);
    bool negated = false;
    if (index == SIZE_MAX && len > 3 && strncmp(name, "no", 2) == 0 &&
        (name[2] == '-' || name[2] == '_')) {
        index = cli_options_find(options, name + 3, len - 3);
        negated = index != SIZE_MAX && (option_at(options, index)->type == CLI_FLAG ||
                                        option_at(options, index)->negated != NULL);
        index = negated ? index : SIZE_MAX;
    }
    if (index == SIZE_MAX) {
        return unknown(options, name, len, err);
    }
    const struct cli_option *option = option_at(options, index);
    if (option->flags & CLI_POSITIONAL) {
        return weft_fail(err, WEFT_ERR_ARG, "unknown option '--%s'; %s is given without a name",
                         option->name, option->metavar);
    }
    if (negated && has_value) {
        return weft_fail(err, WEFT_ERR_ARG, "--no-%s: wanted no value; got '%s'", option->name,
                         name + len + 1);
    }
    char where[80];
    snprintf(where, sizeof where, "--%s", option->name);
    if (has_value) {
        return cli_options_set(options, index, name + len + 1, CLI_BY_COMMAND_LINE, where, err);
    }
    if (negated && option->negated != NULL) {
        return cli_options_set(options, index, option->negated, CLI_BY_COMMAND_LINE, where, err);
    }
    if (option->type == CLI_FLAG) {
        return cli_options_set(options, index, negated ? "false" : "true", CLI_BY_COMMAND_LINE,
                               where, err);
    }
    return set_from_next(options, index, where, cursor, err);
}

static size_t find_short(const struct cli_options *options, char letter)
{
    for (size_t i = 0; i < cli_options_count(options); i++) {
        if (option_at(options, i)->short_name == letter) {
            return i;
        }
    }
    return SIZE_MAX;
}

static weft_status parse_short(struct cli_options *options, const char *arg, struct cursor *cursor,
                               weft_error *err)
{
    for (const char *letter = arg + 1; *letter != '\0'; letter++) {
        size_t index = find_short(options, *letter);
        if (index == SIZE_MAX) {
            bool wordy = strlen(arg) > 2 &&
                         cli_options_find(options, arg + 1, strcspn(arg + 1, "=")) != SIZE_MAX;
            return weft_fail(err, WEFT_ERR_ARG, "unknown option '%s'; %s%s%s", arg,
                             wordy ? "did you mean '-" : "--help lists all", wordy ? arg : "",
                             wordy ? "'?" : "");
        }
        char where[3] = {'-', *letter, '\0'};
        if (option_at(options, index)->type != CLI_FLAG) {
            if (letter[1] == '\0') {
                return set_from_next(options, index, where, cursor, err);
            }
            return cli_options_set(options, index, letter + 1, CLI_BY_COMMAND_LINE, where, err);
        }
        weft_status status =
            cli_options_set(options, index, "true", CLI_BY_COMMAND_LINE, where, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    return WEFT_OK;
}

static weft_status parse_positional(struct cli_options *options, const char *arg, weft_error *err)
{
    for (size_t i = 0; i < cli_options_count(options); i++) {
        const struct cli_option *option = option_at(options, i);
        bool is_free = options->origins[i] != CLI_BY_COMMAND_LINE || option->type == CLI_TEXTS;
        if ((option->flags & CLI_POSITIONAL) && is_free) {
            return cli_options_set(options, i, arg, CLI_BY_COMMAND_LINE, option->metavar, err);
        }
    }
    return weft_fail(err, WEFT_ERR_ARG, "unexpected argument '%s'; --help shows how to call", arg);
}

weft_status cli_options_parse(struct cli_options *options, int argc, char **argv, weft_error *err)
{
    struct cursor cursor = {.argc = argc, .argv = argv};
    bool ended = false;
    while (cursor.next < argc) {
        const char *arg = argv[cursor.next++];
        weft_status status;
        if (!ended && strcmp(arg, "--") == 0) {
            ended = true;
            continue;
        }
        if (!ended && arg[0] == '-' && arg[1] == '-') {
            status = parse_long(options, arg, &cursor, err);
        } else if (!ended && arg[0] == '-' && arg[1] != '\0') {
            status = parse_short(options, arg, &cursor, err);
        } else {
            status = parse_positional(options, arg, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
    }
    return WEFT_OK;
}
