/* What a measurement was made on and with. */
#ifndef WEFT_CLI_MACHINE_H
#define WEFT_CLI_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The compiler that built this program, such as "gcc 12.2.0". */
const char *cli_compiler(void);

/* The CPU's name for people, as Linux tells it; where it tells none, the architecture. */
void cli_cpu_name(char *name, size_t size);

/* The names of a table of the library as a JSON array, all of them or only those of use here; NULL
 * where there is no memory. */
json_t *cli_json_names(size_t count, const char *(*name)(size_t), bool (*usable)(size_t), bool all);

/* The machine as a JSON object: "cpu", "cores", "features"; or NULL. */
json_t *cli_json_machine(void);

#endif
