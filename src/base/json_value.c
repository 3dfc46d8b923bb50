/* Numbers and texts as JSON. */
#include "base/json_value.h"

#include <math.h>

#include "base/mem.h"

json_t *weft_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *weft_json_count(size_t value)
{
    return json_integer((json_int_t)value);
}

json_t *weft_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL) {
        return value;
    }
    char *copy = weft_mem_strdup(text);
    if (copy == NULL) {
        return NULL;
    }
    for (char *c = copy; *c != '\0'; c++) {
        *c = (unsigned char)*c >= 0x80 ? '?' : *c;
    }
    value = json_string(copy);
    weft_mem_free(copy);
    return value;
}
