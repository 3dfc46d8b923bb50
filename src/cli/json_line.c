/* Building and printing JSON. */
#include "cli/json_line.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/messages.h"

json_t *cli_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_count(size_t value)
{
    return json_integer((json_int_t)value);
}

json_t *cli_json_text(const char *text)
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

int cli_json_print(const char *command, json_t *object, int failed)
{
    if (failed || object == NULL) {
        json_decref(object);
        cli_error(command, "no memory for the JSON object");
        return CLI_FAILED;
    }
    int dumped = json_dumpf(object, stdout, CLI_JSON_FLAGS);
    json_decref(object);
    putchar('\n');
    /* A dump fails without memory, or with stdout, which is looked at in the end. */
    if (dumped != 0 && !ferror(stdout)) {
        cli_error(command, "no memory for the JSON text");
        return CLI_FAILED;
    }
    return CLI_DONE;
}
