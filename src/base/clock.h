/* Time that only goes forward. */
#ifndef WEFT_BASE_CLOCK_H
#define WEFT_BASE_CLOCK_H

/* Seconds since some fixed moment (CLOCK_MONOTONIC). */
double weft_clock_seconds(void);

#endif
