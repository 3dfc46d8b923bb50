/* Reading and writing config files. */
#include "cli/config_file.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/suggestion.h"

enum { LARGEST = 1 << 20 };

/* One pass over one file. */
struct reader {
    struct cli_options *options;
    const char *path;
    size_t line;
    const struct cli_group *section; /* NULL before the first header */
    size_t *lines_of;                /* line that set each option, 0: none yet */
    weft_error *err;
};

static weft_status read_text(const char *path, char **out, weft_error *err)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return weft_fail_errno(err, errno, "%s: cannot open the config file", path);
    }
    char *text = weft_mem_alloc(LARGEST + 1, 1);
    weft_status status = WEFT_OK;
    if (text == NULL) {
        status = weft_fail_nomem(err, path);
    } else {
        errno = 0;
        size_t n = fread(text, 1, LARGEST + 1, stream);
        if (ferror(stream)) {
            status = weft_fail_errno(err, errno, "%s: cannot read the config file", path);
        } else if (n > LARGEST || memchr(text, '\0', n) != NULL) {
            status = weft_fail(err, WEFT_ERR_ARG, "%s: wanted a config file; got %s", path,
                               n > LARGEST ? "more than 1 MiB" : "binary data");
        } else {
            text[n] = '\0';
        }
    }
    fclose(stream);
    if (status != WEFT_OK) {
        weft_mem_free(text);
        return status;
    }
    *out = text;
    return WEFT_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && is_blank(text[len - 1])) {
        len--;
    }
    text[len] = '\0';
    return text;
}

/* Cuts a comment that begins with '#' or ';' at the start of the text or behind a blank. */
static void cut_comment(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((*c == '#' || *c == ';') && (c == text || is_blank(c[-1]))) {
            *c = '\0';
            return;
        }
    }
}

/* Takes "..." apart in place; false where the quote does not end or something follows it. */
static bool unquote(char *text)
{
    char *to = text;
    const char *from = text + 1;
    while (*from != '"') {
        if (*from == '\0') {
            return false;
        }
        if (*from == '\\' && from[1] != '\0') {
            from++;
            *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from == 'r' ? '\r' : *from;
        } else {
            *to++ = *from;
        }
        from++;
    }
    from++;
    from += strspn(from, " \t");
    bool ended = *from == '\0' || *from == '#' || *from == ';';
    *to = '\0';
    return ended;
}

static weft_status read_section(struct reader *reader, char *line)
{
    cut_comment(line);
    line = trim(line);
    size_t len = strlen(line);
    if (line[len - 1] != ']') {
        return weft_fail(reader->err, WEFT_ERR_ARG, "%s:%zu: wanted [section]; got '%s'",
                         reader->path, reader->line, line);
    }
    line[len - 1] = '\0';
    const char *name = trim(line + 1);
    struct cli_suggestion hint = {.typed = name};
    for (size_t g = 0; g < reader->options->n_groups; g++) {
        reader->section = &reader->options->groups[g];
        if (strcmp(reader->section->section, name) == 0) {
            return WEFT_OK;
        }
        cli_suggestion_offer(&hint, reader->section->section);
    }
    return weft_fail(reader->err, WEFT_ERR_ARG, "%s:%zu: unknown section '%s'%s%s%s", reader->path,
                     reader->line, name, hint.best != NULL ? "; did you mean '" : "",
                     hint.best != NULL ? hint.best : "", hint.best != NULL ? "'?" : "");
}

static weft_status unknown_key(const struct reader *reader, const char *key)
{
    struct cli_suggestion hint = {.typed = key};
    for (size_t i = 0; i < cli_options_count(reader->options); i++) {
        const struct cli_option *option = cli_options_at(reader->options, i, NULL);
        if (!(option->flags & CLI_NO_CONFIG)) {
            cli_suggestion_offer(&hint, option->name);
        }
    }
    char name[64] = "";
    if (hint.best != NULL) {
        snprintf(name, sizeof name, "; did you mean '%s'?", hint.best);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c == '-' ? '_' : *c;
        }
    }
    return weft_fail(reader->err, WEFT_ERR_ARG, "%s:%zu: unknown key '%s'%s", reader->path,
                     reader->line, key, name);
}

static weft_status read_key(struct reader *reader, const char *key, const char *value)
{
    size_t index = cli_options_find(reader->options, key, strlen(key));
    const struct cli_group *group = NULL;
    if (index == SIZE_MAX ||
        (cli_options_at(reader->options, index, &group)->flags & CLI_NO_CONFIG) != 0) {
        return unknown_key(reader, key);
    }
    if (reader->section != NULL && reader->section != group) {
        return weft_fail(reader->err, WEFT_ERR_ARG,
                         "%s:%zu: '%s' belongs in section [%s]; got [%s]", reader->path,
                         reader->line, key, group->section, reader->section->section);
    }
    if (reader->lines_of[index] != 0) {
        return weft_fail(reader->err, WEFT_ERR_ARG, "%s:%zu: '%s' is already set in line %zu",
                         reader->path, reader->line, key, reader->lines_of[index]);
    }
    reader->lines_of[index] = reader->line;
    char where[320];
    snprintf(where, sizeof where, "%.200s:%zu: %s", reader->path, reader->line, key);
    return cli_options_set(reader->options, index, value, CLI_BY_CONFIG, where, reader->err);
}

static weft_status read_line(struct reader *reader, char *line)
{
    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';') {
        return WEFT_OK;
    }
    if (*line == '[') {
        return read_section(reader, line);
    }
    char *equals = strchr(line, '=');
    if (equals == NULL || equals == line) {
        return weft_fail(reader->err, WEFT_ERR_ARG, "%s:%zu: wanted 'key = value'; got '%s'",
                         reader->path, reader->line, line);
    }
    *equals = '\0';
    char *value = trim(equals + 1);
    if (*value != '"') {
        cut_comment(value);
        value = trim(value);
    } else if (!unquote(value)) {
        return weft_fail(reader->err, WEFT_ERR_ARG, "%s:%zu: wanted one quoted value; got '%s'",
                         reader->path, reader->line, value);
    }
    return read_key(reader, trim(line), value);
}

static weft_status read_lines(struct reader *reader, char *text)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (strncmp(text, byte_order_mark, 3) == 0) {
        text += 3;
    }
    while (*text != '\0') {
        reader->line++;
        char *end = text + strcspn(text, "\n");
        char *next = end + (*end == '\n');
        if (end > text && end[-1] == '\r') {
            end--;
        }
        *end = '\0';
        weft_status status = read_line(reader, text);
        if (status != WEFT_OK) {
            return status;
        }
        text = next;
    }
    return WEFT_OK;
}

weft_status cli_config_read(struct cli_options *options, const char *path, weft_error *err)
{
    char *text = NULL;
    weft_status status = read_text(path, &text, err);
    if (text == NULL) {
        return status;
    }
    struct reader reader = {.options = options, .path = path, .err = err};
    reader.lines_of = weft_mem_zalloc(cli_options_count(options), sizeof *reader.lines_of);
    status = reader.lines_of == NULL ? weft_fail_nomem(err, path) : read_lines(&reader, text);
    weft_mem_free(reader.lines_of);
    weft_mem_free(text);
    return status;
}

static bool needs_quotes(const char *text)
{
    size_t len = strlen(text);
    if (len == 0) {
        return false;
    }
    if (is_blank(text[0]) || is_blank(text[len - 1]) || strpbrk(text, "\"\n\r\t") != NULL) {
        return true;
    }
    for (const char *c = text; *c != '\0'; c++) {
        if ((*c == '#' || *c == ';') && (c == text || is_blank(c[-1]))) {
            return true;
        }
    }
    return false;
}

static void write_quoted(const char *text, FILE *stream)
{
    putc('"', stream);
    for (; *text != '\0'; text++) {
        const char *special = strchr("\"\\\n\t\r", *text);
        if (special != NULL) {
            putc('\\', stream);
        }
        putc(*text == '\n' ? 'n' : *text == '\t' ? 't' : *text == '\r' ? 'r' : *text, stream);
    }
    putc('"', stream);
}

/* " = VALUE", or " =" where nothing is given. */
static void write_value(const struct cli_options *options, size_t index, FILE *stream)
{
    const struct cli_option *option = cli_options_at(options, index, NULL);
    const char *text = option->type == CLI_TEXT
                           ? *(char *const *)((const char *)options->args + option->offset)
                           : NULL;
    fputs(option->type == CLI_TEXT && text == NULL ? " =" : " = ", stream);
    if (text != NULL && needs_quotes(text)) {
        write_quoted(text, stream);
    } else {
        cli_options_print_value(options, index, stream);
    }
}

void cli_config_write(const struct cli_options *options, FILE *stream)
{
    const struct cli_group *section = NULL, *group;
    for (size_t i = 0; i < cli_options_count(options); i++) {
        const struct cli_option *option = cli_options_at(options, i, &group);
        if (option->flags & (CLI_NO_CONFIG | CLI_NO_RECORD)) {
            continue;
        }
        if (group != section) {
            fprintf(stream, "%s[%s]\n", section == NULL ? "" : "\n", group->section);
            section = group;
        }
        for (const char *c = option->name; *c != '\0'; c++) {
            putc(*c == '-' ? '_' : *c, stream);
        }
        write_value(options, i, stream);
        putc('\n', stream);
    }
}
