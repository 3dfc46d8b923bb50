/* See memory_size.h. Control groups as the kernel's documents admin-guide/cgroup-v2 and
 * admin-guide/cgroup-v1/memory describe them. */
#include "cli/memory_size.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/strict_number.h"

/* The power of 1024 that a letter stands for. */
static int power_of(char letter)
{
    static const char letters[] = "kmgt";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter | 0x20);
    return found == NULL ? 0 : (int)(found - letters) + 1;
}

bool cli_parse_memory(const char *text, size_t *out)
{
    char digits[32];
    size_t len = strspn(text, "0123456789.");
    const char *unit = text + len;
    double number;
    int power = power_of(*unit);
    unit += power > 0;
    unit += power > 0 && *unit == 'i';
    unit += *unit == 'B' || *unit == 'b';
    if (len == 0 || len >= sizeof digits || *unit != '\0') {
        return false;
    }
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (!cli_parse_real(digits, &number)) {
        return false;
    }
    for (int i = 0; i < power; i++) {
        number *= 1024;
    }
    if (number >= (double)(SIZE_MAX / 2)) {
        return false;
    }
    *out = (size_t)number;
    return true;
}

struct cli_memory_text cli_memory_text(size_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    struct cli_memory_text out;
    double number = (double)bytes;
    size_t unit = 0;
    while (number >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        number /= 1000;
        unit++;
    }
    snprintf(out.text, sizeof out.text, unit == 0 || number >= 99.95 ? "%.0f %s" : "%.1f %s",
             number, units[unit]);
    return out;
}

static size_t lesser_limit(size_t a, size_t b)
{
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

/* The limit of one group; 0 where the file is missing or says "max". */
static size_t memory_of_group(const char *directory, bool v2)
{
    char path[4500], line[64];
    snprintf(path, sizeof path, "%s/%s", directory, v2 ? "memory.max" : "memory.limit_in_bytes");
    FILE *stream = fopen(path, "r");
    if (stream == NULL) {
        return 0;
    }
    const char *found = fgets(line, sizeof line, stream);
    fclose(stream);
    line[found == NULL ? 0 : strcspn(line, "\n")] = '\0';
    uint64_t bytes;
    /* Version 1 writes the largest number of pages there can be where there is no limit. */
    bool limits = cli_parse_whole(line, &bytes) && bytes > 0 && bytes < SIZE_MAX / 4;
    return limits ? (size_t)bytes : 0;
}

/* The group and every group above it, up to the root of the mount. */
static size_t memory_of_chain(const char *mount, const char *group, bool v2)
{
    char directory[4400];
    snprintf(directory, sizeof directory, "%s%s", mount, group);
    size_t bytes = 0;
    for (;;) {
        bytes = lesser_limit(bytes, memory_of_group(directory, v2));
        char *slash = strrchr(directory + strlen(mount), '/');
        if (slash == NULL) {
            return bytes;
        }
        *slash = '\0';
    }
}

/* A line is "ID:CONTROLLERS:PATH"; version 2 has no controllers. */
static size_t memory_of_line(const char *line, const char *root)
{
    char mount[256];
    const char *controllers = strchr(line, ':');
    const char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) {
        return 0;
    }
    size_t len = (size_t)(group++ - ++controllers);
    if (len == 0) {
        snprintf(mount, sizeof mount, "%s/unified", root);
        return lesser_limit(memory_of_chain(root, group, true),
                            memory_of_chain(mount, group, true));
    }
    snprintf(mount, sizeof mount, "%s/memory", root);
    bool is_memory = len == 6 && strncmp(controllers, "memory", 6) == 0;
    return is_memory ? memory_of_chain(mount, group, false) : 0;
}

size_t cli_cgroup_memory(const char *proc_file, const char *root)
{
    FILE *stream = fopen(proc_file, "r");
    if (stream == NULL) {
        return 0;
    }
    char line[4200];
    size_t bytes = 0;
    while (fgets(line, sizeof line, stream) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        bytes = lesser_limit(bytes, memory_of_line(line, root));
    }
    fclose(stream);
    return bytes;
}

size_t cli_granted_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t machine = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
    size_t granted =
        lesser_limit(machine, cli_cgroup_memory("/proc/self/cgroup", "/sys/fs/cgroup"));
    return granted > 0 ? granted : (size_t)1 << 30;
}
