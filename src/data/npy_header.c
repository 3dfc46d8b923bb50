/* Reads the header of a .npy file. Of Python's literals only what NumPy writes is known: one
 * dictionary with the three keys, in any order, of a string, a truth value and a tuple of sizes. */
#include "data/npy_header.h"

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"

#define MAGIC_BYTES 6
#define HEADER_MAX ((size_t)1 << 16) /* NumPy itself refuses more than 10000 */
#define DIMS_MAX (WEFT_SAMPLE_DIMS + 1)

static const unsigned char magic[MAGIC_BYTES] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

bool weft_npy_looks_so(const unsigned char *bytes, size_t n)
{
    return n >= MAGIC_BYTES && memcmp(bytes, magic, MAGIC_BYTES) == 0;
}

/* Text that is being read, and what it has told so far. */
struct parser {
    const char *path;
    const char *at, *end;
    weft_error *err;
    struct weft_element element;
    bool is_fortran;
    bool has_descr, has_order, has_shape;
    size_t n_dims; /* all of them; dims holds the first DIMS_MAX */
    uint64_t dims[DIMS_MAX];
};

static weft_status fail(const struct parser *parser, const char *wanted)
{
    size_t left = (size_t)(parser->end - parser->at);
    return weft_fail(parser->err, WEFT_ERR_FORMAT, "%s: NumPy header: wanted %s; got %s",
                     parser->path, wanted,
                     left == 0 ? "its end" : weft_quote(parser->at, left < 24 ? left : 24).text);
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\n')) {
        parser->at++;
    }
}

/* Takes a character where it comes next. */
static bool take(struct parser *parser, char c)
{
    skip_space(parser);
    bool found = parser->at < parser->end && *parser->at == c;
    parser->at += found;
    return found;
}

static bool take_word(struct parser *parser, const char *word)
{
    skip_space(parser);
    size_t len = strlen(word);
    bool found = (size_t)(parser->end - parser->at) >= len && memcmp(parser->at, word, len) == 0;
    parser->at += found ? len : 0;
    return found;
}

/* A string without escapes, in either kind of quotes. */
struct text {
    const char *at;
    size_t len;
};

static weft_status take_string(struct parser *parser, struct text *out)
{
    skip_space(parser);
    char quote = parser->at < parser->end ? *parser->at : '\0';
    const char *close = NULL;
    if (quote == '\'' || quote == '"') {
        size_t left = (size_t)(parser->end - parser->at - 1);
        close = memchr(parser->at + 1, quote, left);
    }
    if (close == NULL || memchr(parser->at, '\\', (size_t)(close - parser->at)) != NULL) {
        return fail(parser, "a string");
    }
    *out = (struct text){.at = parser->at + 1, .len = (size_t)(close - parser->at - 1)};
    parser->at = close + 1;
    return WEFT_OK;
}

static bool is(const struct text *text, const char *word)
{
    return text->len == strlen(word) && memcmp(text->at, word, text->len) == 0;
}

/* '<f4': byte order, kind, bytes. */
static weft_status take_descr(struct parser *parser)
{
    static const struct {
        const char *name;
        struct weft_element element;
    } types[] = {
        {"b1", {WEFT_BOOLEAN, 1, false}},  {"i1", {WEFT_SIGNED, 1, false}},
        {"i2", {WEFT_SIGNED, 2, false}},   {"i4", {WEFT_SIGNED, 4, false}},
        {"i8", {WEFT_SIGNED, 8, false}},   {"u1", {WEFT_UNSIGNED, 1, false}},
        {"u2", {WEFT_UNSIGNED, 2, false}}, {"u4", {WEFT_UNSIGNED, 4, false}},
        {"u8", {WEFT_UNSIGNED, 8, false}}, {"f2", {WEFT_FLOATING, 2, false}},
        {"f4", {WEFT_FLOATING, 4, false}}, {"f8", {WEFT_FLOATING, 8, false}},
    };
    skip_space(parser);
    if (parser->at < parser->end && *parser->at == '[') {
        return fail(parser, "one type for all elements");
    }
    struct text descr;
    weft_status status = take_string(parser, &descr);
    if (status != WEFT_OK) {
        return status;
    }
    char order = descr.len > 0 ? *descr.at : '\0';
    bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
    struct text name = {.at = descr.at + has_order, .len = descr.len - has_order};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (is(&name, types[i].name) && (has_order || types[i].element.size == 1)) {
            parser->element = types[i].element;
            parser->element.big_endian = order == '>';
            return WEFT_OK;
        }
    }
    return weft_fail(parser->err, WEFT_ERR_FORMAT,
                     "%s: NumPy header: elements of type %s%s; wanted bool, integers, or "
                     "floating-point numbers of 2, 4 or 8 bytes",
                     parser->path, weft_quote(descr.at, descr.len).text,
                     is(&name, "O") ? " (pickled Python objects, which are never read)" : "");
}

static weft_status take_size(struct parser *parser, uint64_t *out)
{
    skip_space(parser);
    uint64_t value = 0;
    const char *start = parser->at;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        uint64_t digit = (uint64_t)(*parser->at - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    if (parser->at == start) {
        return fail(parser, "a size");
    }
    parser->at += parser->at < parser->end && *parser->at == 'L'; /* Python 2 */
    *out = value;
    return WEFT_OK;
}

/* (60000, 28, 28); a tuple of one has a comma behind it. */
static weft_status take_shape(struct parser *parser)
{
    if (!take(parser, '(')) {
        return fail(parser, "a tuple of sizes");
    }
    bool comma = true;
    while (!take(parser, ')')) {
        uint64_t size = 0;
        weft_status status = comma ? take_size(parser, &size) : fail(parser, "',' or ')'");
        if (status != WEFT_OK) {
            return status;
        }
        if (parser->n_dims < DIMS_MAX) {
            parser->dims[parser->n_dims] = size;
        }
        parser->n_dims++;
        comma = take(parser, ',');
    }
    return parser->n_dims == 1 && !comma ? fail(parser, "a tuple of sizes") : WEFT_OK;
}

static weft_status take_order(struct parser *parser)
{
    parser->is_fortran = take_word(parser, "True");
    return parser->is_fortran || take_word(parser, "False") ? WEFT_OK
                                                            : fail(parser, "True or False");
}

static weft_status take_entry(struct parser *parser)
{
    const struct {
        const char *key;
        bool *has;
        weft_status (*take)(struct parser *parser);
    } entries[] = {
        {"descr", &parser->has_descr, take_descr},
        {"fortran_order", &parser->has_order, take_order},
        {"shape", &parser->has_shape, take_shape},
    };
    struct text key;
    weft_status status = take_string(parser, &key);
    if (status != WEFT_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (!is(&key, entries[i].key)) {
            continue;
        }
        if (*entries[i].has) {
            return weft_fail(parser->err, WEFT_ERR_FORMAT, "%s: NumPy header: '%s' comes twice",
                             parser->path, entries[i].key);
        }
        *entries[i].has = true;
        return take(parser, ':') ? entries[i].take(parser) : fail(parser, "':'");
    }
    return weft_fail(parser->err, WEFT_ERR_FORMAT,
                     "%s: NumPy header: has %s; wanted 'descr', 'fortran_order' and 'shape'",
                     parser->path, weft_quote(key.at, key.len).text);
}

static weft_status parse(struct parser *parser)
{
    if (!take(parser, '{')) {
        return fail(parser, "'{'");
    }
    bool comma = true;
    while (!take(parser, '}')) {
        weft_status status = comma ? take_entry(parser) : fail(parser, "',' or '}'");
        if (status != WEFT_OK) {
            return status;
        }
        comma = take(parser, ',');
    }
    skip_space(parser);
    if (parser->at < parser->end) {
        return fail(parser, "nothing behind '}'");
    }
    if (!parser->has_descr || !parser->has_order || !parser->has_shape) {
        return weft_fail(parser->err, WEFT_ERR_FORMAT, "%s: NumPy header: '%s' is missing",
                         parser->path,
                         !parser->has_descr   ? "descr"
                         : !parser->has_order ? "fortran_order"
                                              : "shape");
    }
    return WEFT_OK;
}

/* Reads n bytes of the header, `before` of which have been read. */
static weft_status read_bytes(struct weft_gzstream *stream, void *bytes, size_t n, size_t before,
                              weft_error *err)
{
    size_t got = 0;
    weft_status status = weft_gzstream_read(stream, bytes, n, &got, err);
    if (status == WEFT_OK && got < n) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: ends after %zu bytes, amid its header",
                         weft_gzstream_path(stream), before + got);
    }
    return status;
}

/* How long the text is, and how many bytes come before it. */
static weft_status read_length(struct weft_gzstream *stream, size_t *text_len, size_t *before,
                               weft_error *err)
{
    const char *path = weft_gzstream_path(stream);
    unsigned char start[MAGIC_BYTES + 2], length[4] = {0};
    weft_status status = read_bytes(stream, start, sizeof start, 0, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (!weft_npy_looks_so(start, sizeof start)) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: not a NumPy file: starts with %02x %02x %02x %02x, wanted 93 4e 55 "
                         "4d 50 59",
                         path, start[0], start[1], start[2], start[3]);
    }
    unsigned version = start[MAGIC_BYTES];
    if (version < 1 || version > 3) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: NumPy header: version %u; wanted 1, 2 or 3",
                         path, version);
    }
    size_t n = version == 1 ? 2 : 4;
    status = read_bytes(stream, length, n, sizeof start, err);
    if (status != WEFT_OK) {
        return status;
    }
    *before = sizeof start + n;
    *text_len = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 |
                (size_t)length[3] << 24;
    if (*text_len > HEADER_MAX) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: NumPy header: %zu bytes; wanted at most %zu",
                         path, *text_len, HEADER_MAX);
    }
    return WEFT_OK;
}

static weft_status read_text(struct weft_gzstream *stream, char **out, size_t *len, size_t *before,
                             weft_error *err)
{
    weft_status status = read_length(stream, len, before, err);
    if (status != WEFT_OK) {
        return status;
    }
    char *text = weft_mem_alloc(*len, 1);
    if (text == NULL) {
        return weft_fail_nomem(err, "a header");
    }
    status = read_bytes(stream, text, *len, *before, err);
    if (status != WEFT_OK) {
        weft_mem_free(text);
        return status;
    }
    *out = text;
    return WEFT_OK;
}

weft_status weft_npy_read_header(struct weft_binary_array *array, weft_error *err)
{
    char *text = NULL;
    size_t len = 0, before = 0;
    weft_status status = read_text(array->stream, &text, &len, &before, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct parser parser = {
        .path = weft_gzstream_path(array->stream), .at = text, .end = text + len, .err = err};
    status = parse(&parser);
    weft_mem_free(text);
    if (status == WEFT_OK) {
        status = weft_extent_init(&array->extent, parser.dims, parser.n_dims, sizeof(double),
                                  parser.path, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (parser.n_dims == 1) {
        array->extent.n_dims = 0;
    }
    array->element = parser.element;
    array->is_fortran = parser.is_fortran;
    array->header_bytes = before + len;
    return weft_binary_array_start(array, err);
}
