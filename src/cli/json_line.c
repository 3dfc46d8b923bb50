/* Building and printing JSON. */
#include "cli/json_line.h"

#include <stdio.h>

#include "base/json_value.h"
#include "cli/messages.h"

json_t *cli_json_real(double value)
{
    return weft_json_real(value);
}

json_t *cli_json_count(size_t value)
{
    return weft_json_count(value);
}

json_t *cli_json_text(const char *text)
{
    return weft_json_text(text);
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
