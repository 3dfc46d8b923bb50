/* JSON objects for machines: one line each, numbers that are not finite as null. */
#ifndef WEFT_CLI_JSON_LINE_H
#define WEFT_CLI_JSON_LINE_H

#include <stddef.h>

#include <jansson.h>

/* Values to be owned by an object or array; NULL where there is no memory, which the calls that
 * take them report. Bytes that are not UTF-8 become '?'. */
json_t *cli_json_real(double value);
json_t *cli_json_count(size_t value);
json_t *cli_json_text(const char *text);

/* Flags of every dump: one line, keys in the order they were put, 15 digits (each of which a double
 * keeps, so that 0.3 stays 0.3). */
#define CLI_JSON_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* Prints the object and a newline on stdout, whose errors are seen at the end of the program.
 * Takes `object`. `failed` says that building it failed, and is where this function says so: then
 * nothing is printed but a message, and CLI_FAILED returned. */
int cli_json_print(const char *command, json_t *object, int failed);

#endif
