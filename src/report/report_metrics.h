/* Measures of classifiers that need the probabilities: ROC and precision-recall curves,
 * calibration; and the spread of residuals. */
#ifndef WEFT_REPORT_METRICS_H
#define WEFT_REPORT_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>

struct report_point {
    double x, y;
};

/* Samples of one class and of all others in descending order of the score for that class. A zeroed
 * struct is empty. */
struct report_ranking {
    size_t n, n_positive;
    struct report_scored *sorted; /* [n] */
};

/* scores[i * stride] is that of sample i, positive[i] whether it is of the class. Release with
 * report_ranking_release(). Where a score is NaN there is no order, and the ranking stays empty. */
WEFT_CHECKED weft_status report_ranking_init(struct report_ranking *ranking, const float *scores,
                                             size_t stride, const bool *positive, size_t n,
                                             weft_error *err);
void report_ranking_release(struct report_ranking *ranking);

/* Area under the ROC curve by trapezoids, so that ties count half (Fawcett 2006, algorithm 3); NaN
 * where one of the two kinds is missing. */
double report_roc_area(const struct report_ranking *ranking);

/* Average precision: sum over thresholds of (recall - recall before) * precision, without
 * interpolation (as in scikit-learn); NaN without positive samples. */
double report_average_precision(const struct report_ranking *ranking);

/* The curves, one vertex for each threshold that bends them, thinned to at most `most` (>= 2)
 * points, the first and the last included; returns how many. points has room for `most`.
 * ROC: false positive rate, true positive rate (Fawcett 2006, algorithm 1), from (0, 0) to (1, 1).
 * PR: recall, precision; the point of no prediction has the precision of the first threshold.
 * 0 where the ranking lacks positive (for ROC: or negative) samples. */
size_t report_roc_curve(const struct report_ranking *ranking, struct report_point *points,
                        size_t most);
size_t report_pr_curve(const struct report_ranking *ranking, struct report_point *points,
                       size_t most);

enum { REPORT_N_BINS = 15 };

/* Predictions by their confidence: bin m of M holds those in ((m-1)/M, m/M] (Guo et al. 2017, eq.
 * 2-3). confidence and accuracy are means, 0 in an empty bin. */
struct report_calibration {
    size_t n[REPORT_N_BINS];
    double confidence[REPORT_N_BINS], accuracy[REPORT_N_BINS];
    double ece; /* sum n_m / n |accuracy_m - confidence_m| (eq. 5); NaN without predictions */
};

/* confidence [n]: the probability of what was predicted; right [n]. NaN counts as no prediction. */
void report_calibrate(const float *confidence, const bool *right, size_t n,
                      struct report_calibration *out);

enum { REPORT_N_BARS = 31 };

/* Counts of residuals in bars of equal width over [-limit, limit], where limit is the largest size
 * of all; what is not finite is not counted. */
struct report_histogram {
    double limit;
    size_t n[REPORT_N_BARS];
};

void report_count_residuals(const double *residuals, size_t n, struct report_histogram *out);

#endif
