/* Counting in JSON texts; their grammar is left to the parser. */
#include "model/json_excess.h"

#include <stdbool.h>

const char *weft_json_excess(const char *json, size_t n, size_t max_depth, size_t max_separators)
{
    size_t depth = 0, n_separators = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        if (in_string) {
            in_string = json[i] != '"';
            i += json[i] == '\\'; /* what follows it ends no string */
            continue;
        }
        switch (json[i]) {
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
