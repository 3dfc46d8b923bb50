/* JSON values for what JSON has no place for: numbers that are not finite, bytes that are no text.
 */
#ifndef WEFT_BASE_JSON_VALUE_H
#define WEFT_BASE_JSON_VALUE_H

#include <stddef.h>

#include <jansson.h>

/* Values to be owned by an object or array; NULL where there is no memory, which the calls that
 * take them report. Numbers that are not finite become null, bytes that are not UTF-8 '?'. */
json_t *weft_json_real(double value);
json_t *weft_json_count(size_t value);
json_t *weft_json_text(const char *text);

#endif
