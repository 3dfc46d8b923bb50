/* A small XML reader that remembers nothing but the open tags (XML 1.0, sections 2 and 3). */
#include "xml_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MOST_OPEN = 64, MOST_ATTRIBUTES = 32 };

struct name {
    const char *start;
    size_t len;
};

struct reader {
    const char *text, *at;
    struct name open[MOST_OPEN];
    size_t n_open, n_roots;
    const char *wrong;
};

static bool fail(struct reader *reader, const char *wrong)
{
    if (reader->wrong == NULL) {
        reader->wrong = wrong;
    }
    return false;
}

static bool skip(struct reader *reader, const char *word)
{
    bool here = strncmp(reader->at, word, strlen(word)) == 0;
    reader->at += here ? strlen(word) : 0;
    return here;
}

static bool skip_past(struct reader *reader, const char *word)
{
    const char *end = strstr(reader->at, word);
    reader->at = end != NULL ? end + strlen(word) : reader->at;
    return end != NULL ? true : fail(reader, "something that does not end");
}

static bool read_name(struct reader *reader, struct name *name)
{
    name->start = reader->at;
    while (isalnum((unsigned char)*reader->at) ||
           (*reader->at != '\0' && strchr("_:-.", *reader->at))) {
        reader->at++;
    }
    name->len = (size_t)(reader->at - name->start);
    return name->len > 0 && !strchr("0123456789-.", *name->start) ? true : fail(reader, "no name");
}

static bool same_name(struct name a, struct name b)
{
    return a.len == b.len && memcmp(a.start, b.start, a.len) == 0;
}

static bool skip_reference(struct reader *reader)
{
    static const char *const known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (skip(reader, known[i])) {
            return true;
        }
    }
    return fail(reader, "'&' that begins no reference");
}

/* Characters up to one of `end`; those that XML forbids, and '<', stop with an error. */
static bool skip_text(struct reader *reader, const char *end)
{
    while (*reader->at != '\0' && strchr(end, *reader->at) == NULL) {
        unsigned char c = (unsigned char)*reader->at;
        if (c == '&') {
            if (!skip_reference(reader)) {
                return false;
            }
            continue;
        }
        if (c == '<' || (c < 0x20 && c != '\n' && c != '\t' && c != '\r')) {
            return fail(reader, "a character that may not be there");
        }
        reader->at++;
    }
    return true;
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

static bool read_attributes(struct reader *reader)
{
    struct name seen[MOST_ATTRIBUTES];
    size_t n = 0;
    for (;;) {
        bool blank = strspn(reader->at, " \t\r\n") > 0;
        skip_blanks(reader);
        if (*reader->at == '>' || *reader->at == '/' || *reader->at == '?') {
            return true;
        }
        if (!blank || n == MOST_ATTRIBUTES || !read_name(reader, &seen[n])) {
            return fail(reader, "a tag that does not end");
        }
        for (size_t i = 0; i < n; i++) {
            if (same_name(seen[i], seen[n])) {
                return fail(reader, "an attribute given twice");
            }
        }
        n++;
        if (!skip(reader, "=\"") || !skip_text(reader, "\"") || !skip(reader, "\"")) {
            return fail(reader, "an attribute without a quoted value");
        }
    }
}

static bool read_tag(struct reader *reader)
{
    struct name name;
    if (skip(reader, "!--")) {
        return skip_past(reader, "-->");
    }
    if (skip(reader, "/")) {
        if (!read_name(reader, &name) || reader->n_open == 0 ||
            !same_name(name, reader->open[reader->n_open - 1])) {
            return fail(reader, "a closing tag that closes nothing");
        }
        reader->n_open--;
        skip_blanks(reader);
        return skip(reader, ">") ? true : fail(reader, "a closing tag that does not end");
    }
    if (!read_name(reader, &name) || !read_attributes(reader)) {
        return false;
    }
    reader->n_roots += reader->n_open == 0;
    if (skip(reader, "/>")) {
        return true;
    }
    if (!skip(reader, ">") || reader->n_open == MOST_OPEN) {
        return fail(reader, "a tag that does not end");
    }
    reader->open[reader->n_open++] = name;
    return true;
}

static bool read_all(struct reader *reader)
{
    if (skip(reader, "<?xml") && (!read_attributes(reader) || !skip(reader, "?>"))) {
        return fail(reader, "a broken declaration");
    }
    while (*reader->at != '\0') {
        const char *start = reader->at;
        if (!skip_text(reader, "<")) {
            return false;
        }
        if (reader->n_open == 0 && start + strspn(start, " \t\r\n") < reader->at) {
            return fail(reader, "text outside of the root");
        }
        if (skip(reader, "<") && !read_tag(reader)) {
            return false;
        }
    }
    if (reader->n_open > 0 || reader->n_roots != 1) {
        return fail(reader, reader->n_open > 0 ? "a tag that is not closed" : "not one root");
    }
    return true;
}

bool xml_check(const char *text, char *why, size_t size)
{
    struct reader reader = {.text = text, .at = text};
    if (read_all(&reader)) {
        return true;
    }
    snprintf(why, size, "byte %zu: %s", (size_t)(reader.at - text), reader.wrong);
    return false;
}
