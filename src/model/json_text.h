/* JSON texts that are not to be trusted. */
#ifndef WEFT_MODEL_JSON_TEXT_H
#define WEFT_MODEL_JSON_TEXT_H

#include <stddef.h>

#include <weft/status.h>

#include <jansson.h>

/* NULL where no value of the text lies deeper than max_depth lists and objects, and no more than
 * max_separators commas and colons are outside its strings; else what is wrong, as the end of a
 * sentence. Look before parsing: a parsed value takes up to a hundred times the memory of its text.
 */
const char *weft_json_excess(const char *text, size_t n, size_t max_depth, size_t max_separators);

/* Parses text[n], in which no object may have a key twice. WEFT_ERR_FORMAT: it is no list or object
 * of JSON; the message says why and where. WEFT_ERR_NOMEM. */
WEFT_CHECKED weft_status weft_json_parse(const char *text, size_t n, json_t **out, weft_error *err);

#endif
