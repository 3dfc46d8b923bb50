/* How busy the machine is, under the names and in the units of MLflow's own system metrics. */
#ifndef WEFT_TRACK_SYSTEM_USAGE_H
#define WEFT_TRACK_SYSTEM_USAGE_H

#include <stddef.h>

/* What rates and differences are counted from. */
struct weft_system_usage {
    unsigned long long busy, total;    /* ticks of all cores since the last sample */
    unsigned long long received, sent; /* bytes at the start */
};

enum { WEFT_SYSTEM_METRICS = 8 };

/* Starts counting. */
void weft_system_usage_init(struct weft_system_usage *usage);

/* Fills names ("system/...") and values with what this machine tells (Linux: /proc) and returns how
 * many; the share of busy cores is that since the last call, bytes of the network since init. */
size_t weft_system_usage_sample(struct weft_system_usage *usage,
                                const char *names[WEFT_SYSTEM_METRICS],
                                double values[WEFT_SYSTEM_METRICS]);

#endif
