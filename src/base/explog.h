/* Exponential and logarithm in double with the same bits on every machine, which libm's may not
 * have. For numbers that decide results: losses, initial weights. Each within 2 units in the
 * last place. */
#ifndef WEFT_BASE_EXPLOG_H
#define WEFT_BASE_EXPLOG_H

/* e^x for x <= 0; 0 below -708. */
double weft_exp_nonpositive(double x);

/* log x for finite x > 0. */
double weft_log(double x);

/* log(1 + x) for x in [0, 1], without cancellation near 0. */
double weft_log1p(double x);

#endif
