/* Counting in JSON texts, and parsing them by jansson. */
#include "model/json_text.h"

#include <locale.h>
#include <stdbool.h>

#include "base/fail.h"

const char *weft_json_excess(const char *text, size_t n, size_t max_depth, size_t max_separators)
{
    size_t depth = 0, n_separators = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        if (in_string) {
            in_string = text[i] != '"';
            i += text[i] == '\\'; /* what follows it ends no string */
            continue;
        }
        switch (text[i]) {
        case '"':
            in_string = true;
            break;
        case '{':
        case '[':
            if (++depth > max_depth) {
                return "is nested deeper than it may be";
            }
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case ',':
        case ':':
            if (++n_separators > max_separators) {
                return "has more entries than are read";
            }
            break;
        }
    }
    return NULL;
}

/* jansson reads numbers by strtod(), after putting the decimal point of the locale in the place of
 * '.'. It stops the program (2.14) where that point takes more than a byte, so this thread gets the
 * C locale meanwhile. */
static json_t *load_in_c_locale(const char *text, size_t n, json_error_t *error)
{
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        return NULL;
    }
    locale_t old_locale = uselocale(c_locale);
    json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, error);
    uselocale(old_locale);
    freelocale(c_locale);
    return json;
}

weft_status weft_json_parse(const char *text, size_t n, json_t **out, weft_error *err)
{
    json_error_t error = {.line = -1};
    json_t *json = load_in_c_locale(text, n, &error);
    if (json != NULL) {
        *out = json;
        return WEFT_OK;
    }
    if (error.line == -1 || json_error_code(&error) == json_error_out_of_memory) {
        return weft_fail_nomem(err, "a parsed JSON text");
    }
    return weft_fail(err, WEFT_ERR_FORMAT, "no sound JSON: %s (byte %d)", error.text,
                     error.position);
}
