/* Curves over thresholds, calibration, residuals. */
#include "report/report_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/mem.h"

struct report_scored {
    float score;
    bool positive;
};

static int by_falling_score(const void *a, const void *b)
{
    float x = ((const struct report_scored *)a)->score,
          y = ((const struct report_scored *)b)->score;
    return (x < y) - (x > y);
}

weft_status report_ranking_init(struct report_ranking *ranking, const float *scores, size_t stride,
                                const bool *positive, size_t n, weft_error *err)
{
    *ranking = (struct report_ranking){0};
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i * stride])) {
            return WEFT_OK;
        }
    }
    ranking->sorted = weft_mem_alloc(n, sizeof *ranking->sorted);
    if (ranking->sorted == NULL) {
        return weft_fail_nomem(err, "a ranking of samples");
    }
    ranking->n = n;
    for (size_t i = 0; i < n; i++) {
        ranking->sorted[i] = (struct report_scored){scores[i * stride], positive[i]};
        ranking->n_positive += positive[i];
    }
    qsort(ranking->sorted, n, sizeof *ranking->sorted, by_falling_score);
    return WEFT_OK;
}

void report_ranking_release(struct report_ranking *ranking)
{
    weft_mem_free(ranking->sorted);
    *ranking = (struct report_ranking){0};
}

/* What is predicted positive when the threshold has come down to sorted[next - 1]. */
struct threshold {
    size_t next;
    double hits, alarms; /* true and false positives */
};

/* Goes down by one group of equal scores; false at the end. */
static bool lower(const struct report_ranking *ranking, struct threshold *at)
{
    if (at->next == ranking->n) {
        return false;
    }
    float score = ranking->sorted[at->next].score;
    for (; at->next < ranking->n && ranking->sorted[at->next].score == score; at->next++) {
        if (ranking->sorted[at->next].positive) {
            at->hits++;
        } else {
            at->alarms++;
        }
    }
    return true;
}

double report_roc_area(const struct report_ranking *ranking)
{
    double n_negative = (double)(ranking->n - ranking->n_positive), area = 0;
    struct threshold at = {0}, before = {0};
    while (lower(ranking, &at)) {
        area += (at.alarms - before.alarms) * (at.hits + before.hits) / 2;
        before = at;
    }
    double whole = n_negative * (double)ranking->n_positive;
    return whole > 0 ? area / whole : (double)NAN;
}

double report_average_precision(const struct report_ranking *ranking)
{
    double sum = 0;
    struct threshold at = {0}, before = {0};
    while (lower(ranking, &at)) {
        sum += (at.hits - before.hits) * at.hits / (at.hits + at.alarms);
        before = at;
    }
    return ranking->n_positive > 0 ? sum / (double)ranking->n_positive : (double)NAN;
}

typedef struct report_point point_of(const struct report_ranking *ranking,
                                     const struct threshold *at);

static struct report_point roc_point(const struct report_ranking *ranking,
                                     const struct threshold *at)
{
    double n_positive = (double)ranking->n_positive;
    return (struct report_point){at->alarms / ((double)ranking->n - n_positive),
                                 at->hits / n_positive};
}

static struct report_point pr_point(const struct report_ranking *ranking,
                                    const struct threshold *at)
{
    return (struct report_point){at->hits / (double)ranking->n_positive,
                                 at->hits / (at->hits + at->alarms)};
}

static bool on_one_line(struct report_point a, struct report_point b, struct report_point c)
{
    return fabs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)) < 1e-12;
}

/* Walks a curve from `first` on and hands over its vertices: where it bends, and its end. With
 * points NULL it counts them; else it keeps vertices number floor(i (n_vertices-1) / (most-1)),
 * i = 0, 1, ... */
static size_t walk(const struct report_ranking *ranking, struct report_point first, point_of *point,
                   struct report_point *points, size_t n_vertices, size_t most)
{
    struct threshold at = {0};
    struct report_point before = first, last = first;
    size_t n = 0, kept = 0;
    bool more = true;
    /* `last` is the candidate: it is a vertex where what follows is not in line with it. */
    while (more) {
        more = lower(ranking, &at);
        struct report_point next = more ? point(ranking, &at) : last;
        if (more && n > 0 && on_one_line(before, last, next)) {
            last = next;
            continue;
        }
        if (points != NULL && (n_vertices <= most || n == kept * (n_vertices - 1) / (most - 1))) {
            points[kept++] = last;
        }
        n++;
        before = last;
        last = next;
    }
    return points != NULL ? kept : n;
}

static size_t thin_curve(const struct report_ranking *ranking, struct report_point first,
                         point_of *point, struct report_point *points, size_t most)
{
    size_t n_vertices = walk(ranking, first, point, NULL, 0, most);
    return walk(ranking, first, point, points, n_vertices, most);
}

size_t report_roc_curve(const struct report_ranking *ranking, struct report_point *points,
                        size_t most)
{
    if (ranking->n_positive == 0 || ranking->n_positive == ranking->n) {
        return 0;
    }
    return thin_curve(ranking, (struct report_point){0, 0}, roc_point, points, most);
}

size_t report_pr_curve(const struct report_ranking *ranking, struct report_point *points,
                       size_t most)
{
    if (ranking->n_positive == 0) {
        return 0;
    }
    struct threshold top = {0};
    (void)lower(ranking, &top);
    struct report_point first = {0, pr_point(ranking, &top).y};
    return thin_curve(ranking, first, pr_point, points, most);
}

void report_calibrate(const float *confidence, const bool *right, size_t n,
                      struct report_calibration *out)
{
    *out = (struct report_calibration){0};
    size_t counted = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(confidence[i])) {
            continue;
        }
        double bin = ceil((double)confidence[i] * REPORT_N_BINS) - 1;
        size_t m = (size_t)fmin(fmax(bin, 0), REPORT_N_BINS - 1);
        out->n[m]++;
        out->confidence[m] += (double)confidence[i];
        out->accuracy[m] += right[i];
        counted++;
    }
    out->ece = counted > 0 ? 0 : (double)NAN;
    for (size_t m = 0; m < REPORT_N_BINS; m++) {
        if (out->n[m] > 0) {
            out->confidence[m] /= (double)out->n[m];
            out->accuracy[m] /= (double)out->n[m];
            out->ece +=
                (double)out->n[m] / (double)counted * fabs(out->accuracy[m] - out->confidence[m]);
        }
    }
}

void report_count_residuals(const double *residuals, size_t n, struct report_histogram *out)
{
    *out = (struct report_histogram){0};
    for (size_t i = 0; i < n; i++) {
        if (isfinite(residuals[i])) {
            out->limit = fmax(out->limit, fabs(residuals[i]));
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (isfinite(residuals[i])) {
            double share = out->limit > 0 ? residuals[i] / out->limit : 0;
            double bar = floor((share + 1) / 2 * REPORT_N_BARS);
            out->n[(size_t)fmin(bar, REPORT_N_BARS - 1)]++;
        }
    }
}
