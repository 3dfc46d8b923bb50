/* What a JSON text that is not to be trusted would cost, found before it is parsed. */
#ifndef WEFT_MODEL_JSON_EXCESS_H
#define WEFT_MODEL_JSON_EXCESS_H

#include <stddef.h>

/* NULL where no value of the text lies deeper than max_depth lists and objects, and no more than
 * max_separators commas and colons are outside its strings; else what is wrong, as the end of a
 * sentence. A parsed value takes up to a hundred times the memory of its text. */
const char *weft_json_excess(const char *json, size_t n, size_t max_depth, size_t max_separators);

#endif
