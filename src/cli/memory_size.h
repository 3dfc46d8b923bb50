/* Amounts of memory: as people write them, and how much of it there is. */
#ifndef WEFT_CLI_MEMORY_SIZE_H
#define WEFT_CLI_MEMORY_SIZE_H

#include <stdbool.h>
#include <stddef.h>

/* "300M", "1.5G", "0", "4096": bytes, or thousands (K, M, G, T with powers of 1024; Ki, KiB, KB and
 * so on mean the same). False for anything else. */
bool cli_parse_memory(const char *text, size_t *out);

struct cli_memory_text {
    char text[24];
};

/* "1.2 GB", with powers of 1000. */
struct cli_memory_text cli_memory_text(size_t bytes);

/* The memory of this machine, or what its control groups grant of it. */
size_t cli_granted_memory(void);

/* What the memory controller grants to the control groups named in `proc_file`, as
 * cli_cgroup_cores() has it for cores: memory.max (version 2), memory.limit_in_bytes (version 1).
 * 0: no limit is set. */
size_t cli_cgroup_memory(const char *proc_file, const char *root);

#endif
