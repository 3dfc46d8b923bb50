/* Reads /proc as proc(5) tells it; megabytes are 1e6 bytes, as in mlflow/system_metrics. */
#include "track/system_usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* Numbers of the kernel need no checks for range. NOLINTBEGIN(cert-err34-c) */

static bool read_cpu(unsigned long long *busy, unsigned long long *total)
{
    unsigned long long ticks[8] = {0}; /* user nice system idle iowait irq softirq steal */
    FILE *stream = fopen("/proc/stat", "re");
    if (stream == NULL) {
        return false;
    }
    int n = fscanf(stream, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1],
                   &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
    fclose(stream);
    *total = 0;
    for (int i = 0; i < 8; i++) {
        *total += ticks[i];
    }
    *busy = *total - ticks[3] - ticks[4];
    return n >= 4;
}

static bool read_memory(double *used, double *total)
{
    char line[200];
    unsigned long long kib, all = 0, available = 0;
    FILE *stream = fopen("/proc/meminfo", "re");
    if (stream == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, stream) != NULL) {
        if (sscanf(line, "MemTotal: %llu kB", &kib) == 1) {
            all = kib;
        } else if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) {
            available = kib;
        }
    }
    fclose(stream);
    *total = (double)all * 1024;
    *used = (double)(all - available) * 1024;
    return all > 0 && available > 0;
}

/* Of all interfaces together, as psutil.net_io_counters() does. */
static bool read_network(unsigned long long *received, unsigned long long *sent)
{
    char line[400];
    FILE *stream = fopen("/proc/net/dev", "re");
    if (stream == NULL) {
        return false;
    }
    *received = *sent = 0;
    while (fgets(line, sizeof line, stream) != NULL) {
        unsigned long long in, out;
        const char *colon = strchr(line, ':');
        if (colon != NULL &&
            sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) == 2) {
            *received += in;
            *sent += out;
        }
    }
    fclose(stream);
    return true;
}

/* NOLINTEND(cert-err34-c) */

void weft_system_usage_init(struct weft_system_usage *usage)
{
    *usage = (struct weft_system_usage){0};
    (void)read_cpu(&usage->busy, &usage->total);
    (void)read_network(&usage->received, &usage->sent);
}

size_t weft_system_usage_sample(struct weft_system_usage *usage,
                                const char *names[WEFT_SYSTEM_METRICS],
                                double values[WEFT_SYSTEM_METRICS])
{
    size_t n = 0;
    unsigned long long busy, total, received, sent;
    if (read_cpu(&busy, &total) && total > usage->total && busy >= usage->busy) {
        names[n] = "system/cpu_utilization_percentage";
        values[n++] = 100.0 * (double)(busy - usage->busy) / (double)(total - usage->total);
        usage->busy = busy;
        usage->total = total;
    }
    double used, all;
    if (read_memory(&used, &all)) {
        names[n] = "system/system_memory_usage_megabytes";
        values[n++] = used / 1e6;
        names[n] = "system/system_memory_usage_percentage";
        values[n++] = 100 * used / all;
    }
    struct statvfs disk;
    if (statvfs("/", &disk) == 0 && disk.f_blocks > 0) {
        double block = (double)disk.f_frsize;
        double taken = (double)(disk.f_blocks - disk.f_bfree), left = (double)disk.f_bavail;
        names[n] = "system/disk_usage_percentage";
        values[n++] = 100 * taken / (taken + left);
        names[n] = "system/disk_usage_megabytes";
        values[n++] = taken * block / 1e6;
        names[n] = "system/disk_available_megabytes";
        values[n++] = left * block / 1e6;
    }
    if (read_network(&received, &sent)) {
        names[n] = "system/network_receive_megabytes";
        values[n++] = (double)(received - usage->received) / 1e6;
        names[n] = "system/network_transmit_megabytes";
        values[n++] = (double)(sent - usage->sent) / 1e6;
    }
    return n;
}
