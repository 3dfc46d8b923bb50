/* Exponential, logarithm and cosine by series after reduction of the argument (Muller, Elementary
 * Functions, 3rd ed., ch. 11). */
#include "base/explog.h"

#include <math.h>

/* x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts (Cody & Waite 1980); e^r by its Taylor
 * series: the first term left out, r^14 / 14!, is below 5e-18. */
double weft_exp_nonpositive(double x)
{
    if (!(x >= -708)) {
        return x < -708 ? 0 : x; /* NaN stays NaN */
    }
    double n = floor(x * 1.44269504088896340736 + 0.5);
    double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    double sum = 1;
    for (int k = 13; k >= 1; k--) {
        sum = sum * r / k + 1;
    }
    return ldexp(sum, (int)n);
}

/* 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...). For |s| <= 0.1716 the first term left out, 2 s^25 /
 * 25, is below 1e-20. */
static double twice_artanh(double s)
{
    double s2 = s * s;
    double sum = 0;
    for (int k = 23; k >= 3; k -= 2) {
        sum = (sum + 1.0 / k) * s2;
    }
    return 2 * s + 2 * s * sum;
}

/* x = m 2^e with m in [sqrt(1/2), sqrt 2); log m = 2 artanh((m - 1) / (m + 1)). */
double weft_log(double x)
{
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752440) {
        m *= 2;
        e--;
    }
    return (double)e * 0.69314718055994530942 + twice_artanh((m - 1) / (m + 1));
}

double weft_log1p(double x)
{
    return x < 0.41421356237309504880 ? twice_artanh(x / (2 + x)) : weft_log(1 + x);
}

double weft_power(double x, size_t n)
{
    double result = 1;
    while (n > 0) {
        result *= n % 2 == 1 ? x : 1;
        x *= x;
        n /= 2;
    }
    return result;
}

/* Taylor series from the term z^first / first! on, for |z| <= pi / 4: the first term left out is
 * below 2e-18. */
static double alternating_series(double z, int first)
{
    double sum = 0;
    for (int k = first + 16; k > first; k -= 2) {
        sum = (1 - sum) * (z * z) / ((double)k * (double)(k - 1));
    }
    return 1 - sum;
}

double weft_cos_pi(double x)
{
    const double pi = 3.14159265358979323846;
    if (x > 0.5) {
        return -weft_cos_pi(1 - x);
    }
    if (x <= 0.25) {
        return alternating_series(pi * x, 0);
    }
    double z = pi * (0.5 - x); /* cos(pi x) = sin z */
    return z * alternating_series(z, 1);
}
