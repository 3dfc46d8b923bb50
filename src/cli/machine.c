/* The machine and the compiler, for reports. */
#include "cli/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <weft/context.h>

#include "cli/core_count.h"
#include "cli/json_line.h"

const char *cli_compiler(void)
{
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

/* "model name" of /proc/cpuinfo, which the kernel writes for x86 and not for ARM. */
static bool read_model_name(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (file == NULL) {
        return false;
    }
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        const char *value = strchr(line, ':');
        found = strncmp(line, "model name", strlen("model name")) == 0 && value != NULL;
        if (found) {
            value += 1 + strspn(value + 1, " \t");
            snprintf(name, size, "%.*s", (int)strcspn(value, "\n"), value);
        }
    }
    fclose(file);
    return found && name[0] != '\0';
}

void cli_cpu_name(char *name, size_t size)
{
    struct utsname system;
    if (!read_model_name(name, size)) {
        snprintf(name, size, "unknown CPU (%s)",
                 uname(&system) == 0 ? system.machine : "unknown architecture");
    }
}

json_t *cli_json_names(size_t count, const char *(*name)(size_t), bool (*usable)(size_t), bool all)
{
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++) {
        if ((all || usable(i)) && json_array_append_new(names, cli_json_text(name(i))) != 0) {
            json_decref(names);
            return NULL;
        }
    }
    return names;
}

json_t *cli_json_machine(void)
{
    char cpu[128];
    cli_cpu_name(cpu, sizeof cpu);
    json_t *object = json_object();
    int failed = json_object_set_new(object, "cpu", cli_json_text(cpu));
    failed |= json_object_set_new(object, "cores", cli_json_count(cli_granted_cores()));
    failed |= json_object_set_new(object, "features",
                                  cli_json_names(weft_cpu_feature_count(), weft_cpu_feature_name,
                                                 weft_cpu_feature_usable, false));
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
