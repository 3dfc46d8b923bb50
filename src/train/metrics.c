/* Confusion, precision and recall, ROC AUC. */
#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

void weft_confusion_count(const int32_t *truth, const int32_t *predicted, size_t n,
                          size_t n_classes, size_t *confusion)
{
    for (size_t i = 0; i < n; i++) {
        confusion[(size_t)truth[i] * n_classes + (size_t)predicted[i]]++;
    }
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

void weft_class_scores(const size_t *confusion, size_t n_classes, weft_class_score *by_class)
{
    for (size_t c = 0; c < n_classes; c++) {
        size_t n_true = 0, n_predicted = 0;
        for (size_t other = 0; other < n_classes; other++) {
            n_true += confusion[c * n_classes + other];
            n_predicted += confusion[other * n_classes + c];
        }
        double hits = (double)confusion[c * n_classes + c];
        double precision = ratio(hits, (double)n_predicted);
        double recall = ratio(hits, (double)n_true);
        by_class[c] = (weft_class_score){
            .support = n_true,
            .precision = precision,
            .recall = recall,
            .f1 = ratio(2 * precision * recall, precision + recall),
        };
    }
}

struct scored {
    float score;
    int32_t truth;
};

static int by_score(const void *a, const void *b)
{
    float x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x > y) - (x < y);
}

/* The rank-sum form (Mann & Whitney 1947): going up through groups of equal scores, each
 * positive of a group beats the negatives below it and half of those within. */
static double area(const struct scored *sorted, size_t n)
{
    double below = 0, positives = 0, wins = 0;
    for (size_t i = 0; i < n;) {
        double group[2] = {0, 0};
        size_t j = i;
        for (; j < n && sorted[j].score == sorted[i].score; j++) {
            group[sorted[j].truth != 0]++;
        }
        wins += group[1] * (below + group[0] / 2);
        below += group[0];
        positives += group[1];
        i = j;
    }
    return below > 0 && positives > 0 ? wins / (below * positives) : (double)NAN;
}

/* NaN has no place in an order: sorting would be undefined and groups would not end. */
static bool all_ordered(const float *scores, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i * stride])) {
            return false;
        }
    }
    return true;
}

double weft_roc_auc(const float *scores, size_t stride, const int32_t *truth, size_t n,
                    bool *no_memory)
{
    *no_memory = false;
    if (!all_ordered(scores, stride, n)) {
        return (double)NAN;
    }
    struct scored *sorted = weft_mem_alloc(n, sizeof *sorted);
    *no_memory = sorted == NULL;
    if (sorted == NULL) {
        return (double)NAN;
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = (struct scored){scores[i * stride], truth[i]};
    }
    qsort(sorted, n, sizeof *sorted, by_score);
    double result = area(sorted, n);
    weft_mem_free(sorted);
    return result;
}
