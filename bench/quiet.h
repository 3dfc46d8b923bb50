/* The clock, and whether the machine let a measurement be one. */
#ifndef WEFT_BENCH_QUIET_H
#define WEFT_BENCH_QUIET_H

/* Seconds of a monotonic clock. */
double bench_now(void);

/* Seconds that all threads of this process together have been ready to run without a core to run
 * on: what others took from them, or they from each other. 0 where the system does not tell (Linux
 * does, in /proc/self/task/N/schedstat). */
double bench_waited(void);

/* Waits until the threads of this process have come to rest (2 ms without use of any core; half a
 * second at most), so that a pool that spins takes nothing from what is measured next. */
void bench_rest(void);

#endif
