/* How many threads to use where nobody says. */
#ifndef WEFT_CLI_CORE_COUNT_H
#define WEFT_CLI_CORE_COUNT_H

#include <stddef.h>

/* OMP_NUM_THREADS (the first number of its list) where that is set and sound; else the cores this
 * process may use: its affinity mask, cut to what its control groups grant (rounded up). */
size_t cli_default_threads(void);

/* The cores this process may use, whatever OMP_NUM_THREADS says; from 1 to 4096. */
size_t cli_granted_cores(void);

/* The first number of a list such as "4,2"; 0 where the text is NULL or does not begin with one in
 * 1..4096. */
size_t cli_omp_threads(const char *text);

/* The cores granted by the cpu controller of the control groups named in `proc_file` (which looks
 * as /proc/self/cgroup does), whose trees are mounted below `root` (as in /sys/fs/cgroup): the
 * least of each group and those above it, rounded up. 0: no limit is set. */
size_t cli_cgroup_cores(const char *proc_file, const char *root);

#endif
