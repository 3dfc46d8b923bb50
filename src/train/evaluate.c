/* Predictions for data sets and the measures of their quality. */
#include <weft/evaluate.h>

#include <math.h>
#include <stdbool.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/walk.h"
#include "nn/pass.h"
#include "ops/output.h"
#include "ops/team.h"
#include "train/metrics.h"
#include "train/score.h"

/* Block by block, where data are streamed. */
static weft_status predict_logits(weft_context *context, const weft_net *net,
                                  const weft_dataset *data, weft_tensor *logits, weft_error *err)
{
    if (logits->rows != weft_dataset_samples(data)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%zu rows for predictions of %zu samples",
                         logits->rows, weft_dataset_samples(data));
    }
    struct weft_walk walk;
    weft_tensor x = {0};
    weft_status status = weft_walk_init(&walk, data, err);
    for (size_t at = 0; status == WEFT_OK && at < logits->rows; at += x.rows) {
        status = weft_walk_next(&walk, &x, err);
        if (status == WEFT_OK) {
            weft_tensor here = weft_tensor_view(logits, at, 0, x.rows, logits->cols);
            status = weft_net_forward(context, net, &x, &here, err);
        }
    }
    weft_walk_release(&walk);
    return status;
}

weft_status weft_predict(weft_context *context, const weft_net *net, const weft_dataset *data,
                         weft_tensor *p, int32_t *classes, weft_error *err)
{
    weft_status status = weft_team_check(weft_context_threads(context), err);
    if (status == WEFT_OK) {
        status = weft_check_fit(net, data, false, "data", err);
    }
    if (status == WEFT_OK && classes != NULL && weft_net_n_classes(net) == 0) {
        status = weft_fail(err, WEFT_ERR_MISMATCH, "the network's outputs are not classes");
    }
    if (status != WEFT_OK) {
        return status;
    }
    size_t n_samples = weft_dataset_samples(data);
    weft_tensor own = {0};
    if (p == NULL) {
        if (weft_tensor_init(&own, WEFT_F32, n_samples, weft_net_n_outputs(net)) != WEFT_OK) {
            return weft_fail_nomem(err, "predictions");
        }
        p = &own;
    }
    status = predict_logits(context, net, data, p, err);
    for (size_t i = 0; status == WEFT_OK && classes != NULL && i < n_samples; i++) {
        classes[i] = weft_choose_class((const float *)p->data + i * p->ld, p->cols, 0.0f);
    }
    if (status == WEFT_OK) {
        weft_output_apply(weft_net_output(net), p);
    }
    weft_tensor_release(&own);
    return status;
}

/* Fills what is known of classes: confusion matrix, scores by class, AUC of two. z are logits. */
static weft_status evaluate_classes(const weft_net *net, const weft_tensor *z, const int32_t *truth,
                                    weft_evaluation *out, weft_error *err)
{
    size_t n_classes = weft_net_n_classes(net);
    size_t n_cells;
    int32_t *predicted = weft_mem_alloc(z->rows, sizeof *predicted);
    out->n_classes = n_classes;
    out->by_class = weft_mem_zalloc(n_classes, sizeof *out->by_class);
    out->confusion = weft_mul_fits(n_classes, n_classes, &n_cells)
                         ? weft_mem_zalloc(n_cells, sizeof *out->confusion)
                         : NULL;
    bool no_memory = predicted == NULL || out->by_class == NULL || out->confusion == NULL;
    if (!no_memory) {
        for (size_t i = 0; i < z->rows; i++) {
            predicted[i] = weft_choose_class((const float *)z->data + i * z->ld, z->cols, 0.0f);
        }
        weft_confusion_count(truth, predicted, z->rows, n_classes, out->confusion);
        weft_class_scores(out->confusion, n_classes, out->by_class);
        if (n_classes == 2) {
            /* One logit is the score of class 1; of two, their difference orders as p_1 does. */
            float *score = z->data;
            for (size_t i = 0; z->cols == 2 && i < z->rows; i++) {
                score[i * z->ld] = score[i * z->ld + 1] - score[i * z->ld];
            }
            out->auc = weft_roc_auc(score, z->ld, truth, z->rows, &no_memory);
        }
    }
    weft_mem_free(predicted);
    return no_memory ? weft_fail_nomem(err, "an evaluation") : WEFT_OK;
}

/* 1 - sum (y - p)^2 / sum (y - mean y)^2 of one output; NaN for constant targets. */
static double r_squared(const weft_tensor *z, const float *y, size_t j)
{
    double n = (double)z->rows, mean = 0, residual = 0, total = 0;
    for (size_t i = 0; i < z->rows; i++) {
        mean += (double)y[i * z->cols + j] / n;
    }
    for (size_t i = 0; i < z->rows; i++) {
        double yi = (double)y[i * z->cols + j];
        double pi = (double)((const float *)z->data)[i * z->ld + j];
        residual += (yi - pi) * (yi - pi);
        total += (yi - mean) * (yi - mean);
    }
    return total > 0 ? 1 - residual / total : (double)NAN;
}

static void evaluate_values(const weft_tensor *z, const float *y, weft_evaluation *out)
{
    double squares = 0, sizes = 0, r2 = 0;
    for (size_t i = 0; i < z->rows; i++) {
        for (size_t j = 0; j < z->cols; j++) {
            double residual =
                (double)((const float *)z->data)[i * z->ld + j] - (double)y[i * z->cols + j];
            squares += residual * residual;
            sizes += fabs(residual);
        }
    }
    for (size_t j = 0; j < z->cols; j++) {
        r2 += r_squared(z, y, j);
    }
    double n_values = (double)z->rows * (double)z->cols;
    out->rmse = sqrt(squares / n_values);
    out->mae = sizes / n_values;
    out->r2 = r2 / (double)z->cols;
}

weft_status weft_evaluate(weft_context *context, const weft_net *net, const weft_dataset *data,
                          weft_evaluation *out, weft_error *err)
{
    weft_status status = weft_team_check(weft_context_threads(context), err);
    if (status == WEFT_OK) {
        status = weft_check_fit(net, data, true, "data", err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    weft_tensor x = weft_dataset_sample(data);
    weft_targets targets = weft_dataset_targets(data);
    size_t n_samples = weft_dataset_samples(data);
    const double unknown = (double)NAN;
    weft_evaluation found = {
        .samples = n_samples, .auc = unknown, .rmse = unknown, .mae = unknown, .r2 = unknown};
    weft_tensor z = {0};
    struct weft_pass pass;
    status = weft_pass_init(&pass, WEFT_PASS_FORWARD, context, net, &x, WEFT_PASS_ROWS, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (weft_tensor_init(&z, WEFT_F32, n_samples, weft_net_n_outputs(net)) != WEFT_OK) {
        status = weft_fail_nomem(err, "an evaluation");
        goto out;
    }
    struct weft_loss_sum total;
    status = weft_pass_over_dataset(&pass, data, &z, &total, err);
    if (status != WEFT_OK) {
        goto out;
    }
    weft_score score = weft_score_of(net, total, n_samples);
    found.loss = score.loss;
    found.accuracy = score.accuracy;
    if (targets.kind == WEFT_LABELS_CLASSES) {
        status = evaluate_classes(net, &z, targets.classes, &found, err);
    } else if (weft_net_output(net) == WEFT_OUTPUT_IDENTITY) {
        evaluate_values(&z, targets.values, &found);
    }
    if (status == WEFT_OK) {
        *out = found;
    } else {
        weft_evaluation_release(&found);
    }
out:
    weft_tensor_release(&z);
    weft_pass_release(&pass);
    return status;
}

void weft_evaluation_release(weft_evaluation *evaluation)
{
    weft_mem_free(evaluation->confusion);
    weft_mem_free(evaluation->by_class);
    *evaluation = (weft_evaluation){0};
}
