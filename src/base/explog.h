/* Exponential, logarithm and the like in double with the same bits on every machine, which libm's
 * may not have. For numbers that decide results: losses, initial weights, learning rates. Each
 * within 2 units in the last place where nothing else is said. */
#ifndef WEFT_BASE_EXPLOG_H
#define WEFT_BASE_EXPLOG_H

#include <stddef.h>

/* e^x for x <= 0; 0 below -708. */
double weft_exp_nonpositive(double x);

/* log x for finite x > 0. */
double weft_log(double x);

/* log(1 + x) for x in [0, 1], without cancellation near 0. */
double weft_log1p(double x);

/* x^n by squaring: about log2 n units in the last place. */
double weft_power(double x, size_t n);

/* cos(pi x) for x in [0, 1], within 1e-15. */
double weft_cos_pi(double x);

#endif
