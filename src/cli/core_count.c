/* Cores that this process may use: sched_getaffinity(2), and the quotas of control groups, version
 * 2 (cpu.max) and 1 (cpu.cfs_quota_us), as the kernel's documents admin-guide/cgroup-v2 and
 * scheduler/sched-bwc describe them. */
#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT */
#include "cli/core_count.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/strict_number.h"

enum { MOST_THREADS = 4096 };

size_t cli_omp_threads(const char *text)
{
    if (text == NULL) {
        return 0;
    }
    text += strspn(text, " \t");
    size_t n = 0;
    for (; *text >= '0' && *text <= '9' && n <= MOST_THREADS; text++) {
        n = 10 * n + (size_t)(*text - '0');
    }
    text += strspn(text, " \t");
    return (*text == '\0' || *text == ',') && n <= MOST_THREADS ? n : 0;
}

/* The numbers in the first line of a file, up to two; returns how many there are. "max" is none. */
static size_t read_numbers(const char *directory, const char *name, double numbers[2])
{
    char path[4500], line[64], *rest = NULL;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *stream = fopen(path, "r");
    if (stream == NULL) {
        return 0;
    }
    const char *found = fgets(line, sizeof line, stream);
    fclose(stream);
    size_t n = 0;
    for (char *word = found != NULL ? strtok_r(line, " \n", &rest) : NULL;
         word != NULL && n < 2 && cli_parse_real(word, &numbers[n]);
         word = strtok_r(NULL, " \n", &rest)) {
        n++;
    }
    return n;
}

/* quota / period in whole cores; 0 where the files are missing or set no limit. */
static size_t cores_of_group(const char *directory, bool v2)
{
    double quota_period[2], period[2];
    if (v2 && read_numbers(directory, "cpu.max", quota_period) != 2) {
        return 0;
    }
    if (!v2) {
        if (read_numbers(directory, "cpu.cfs_quota_us", quota_period) != 1 ||
            read_numbers(directory, "cpu.cfs_period_us", period) != 1) {
            return 0;
        }
        quota_period[1] = period[0];
    }
    if (!(quota_period[0] > 0 && quota_period[1] > 0)) {
        return 0;
    }
    double cores = ceil(quota_period[0] / quota_period[1]);
    return cores <= MOST_THREADS ? (size_t)cores : 0;
}

static size_t lesser_limit(size_t a, size_t b)
{
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

/* The group and every group above it, up to the root of the mount. Inside a container the path may
 * be the host's, of which only upper parts, or only the root, exist here; that works out too. */
static size_t cores_of_chain(const char *mount, const char *group, bool v2)
{
    char directory[4400];
    snprintf(directory, sizeof directory, "%s%s", mount, group);
    size_t cores = 0;
    for (;;) {
        cores = lesser_limit(cores, cores_of_group(directory, v2));
        char *slash = strrchr(directory + strlen(mount), '/');
        if (slash == NULL) {
            return cores;
        }
        *slash = '\0';
    }
}

/* Whether the list of controllers "cpu,cpuacct" has cpu. */
static bool has_cpu(const char *controllers, size_t len)
{
    for (const char *end = controllers + len; controllers < end;) {
        size_t n = strcspn(controllers, ",:");
        if (n == 3 && strncmp(controllers, "cpu", 3) == 0) {
            return true;
        }
        controllers += n + 1;
    }
    return false;
}

/* A line is "ID:CONTROLLERS:PATH"; version 2 has no controllers. */
static size_t cores_of_line(const char *line, const char *root)
{
    const char *controllers = strchr(line, ':');
    const char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) {
        return 0;
    }
    size_t len = (size_t)(group++ - ++controllers);
    bool v2 = len == 0;
    static const char *const v1_mounts[] = {"cpu", "cpu,cpuacct", "cpuacct,cpu"};
    static const char *const v2_mounts[] = {"", "unified"};
    const char *const *mounts = v2 ? v2_mounts : v1_mounts;
    size_t n_mounts = v2 ? 2 : 3, cores = 0;
    if (!v2 && !has_cpu(controllers, len)) {
        return 0;
    }
    for (size_t i = 0; i < n_mounts; i++) {
        char mount[256];
        snprintf(mount, sizeof mount, "%s%s%s", root, mounts[i][0] != '\0' ? "/" : "", mounts[i]);
        cores = lesser_limit(cores, cores_of_chain(mount, group, v2));
    }
    return cores;
}

size_t cli_cgroup_cores(const char *proc_file, const char *root)
{
    FILE *stream = fopen(proc_file, "r");
    if (stream == NULL) {
        return 0;
    }
    char line[4200];
    size_t cores = 0;
    while (fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        cores = lesser_limit(cores, cores_of_line(line, root));
    }
    fclose(stream);
    return cores;
}

/* A fixed cpu_set_t holds 1024 processors; larger machines need more room (sched_setaffinity(2)).
 */
static size_t affinity_cores(void)
{
    for (int n_cpus = CPU_SETSIZE; n_cpus <= 1 << 20; n_cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)n_cpus);
        if (set == NULL) {
            return 1;
        }
        size_t size = CPU_ALLOC_SIZE((size_t)n_cpus);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0) {
            return (size_t)count;
        }
    }
    return 1;
}

size_t cli_granted_cores(void)
{
    size_t granted =
        lesser_limit(affinity_cores(), cli_cgroup_cores("/proc/self/cgroup", "/sys/fs/cgroup"));
    return granted < MOST_THREADS ? granted : MOST_THREADS;
}

size_t cli_default_threads(void)
{
    size_t wanted = cli_omp_threads(getenv("OMP_NUM_THREADS"));
    return wanted > 0 ? wanted : cli_granted_cores();
}
