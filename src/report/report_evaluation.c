/* Evaluating a network, and writing what was found as JSON. */
#include "report/report_evaluation.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <weft/activation.h>
#include <weft/evaluate.h>
#include <weft/version.h>

#include "base/fail.h"
#include "base/json_value.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "report/picture_image.h"
#include "report/report_base64.h"
#include "report/report_metrics.h"
#include "report/sample_choice.h"

/* What the network's outputs are. */
enum kind {
    KIND_CLASSES, /* one of several classes */
    KIND_LABELS,  /* several yes or no */
    KIND_VALUES,  /* numbers */
};

static const char *const kind_names[] = {"classes", "labels", "values"};

/* One evaluation at work. */
struct work {
    const struct report_subject *subject;
    const weft_dataset *data;
    const char *set; /* "test", "val", "train" */
    enum kind kind;
    size_t n_samples, n_names; /* classes, or outputs where these are no classes */
    weft_targets targets;
    weft_evaluation found;                 /* the subject's, where it has them */
    struct sample_predictions predictions; /* the same */
    bool *is_positive;                     /* [n_samples] scratch */
    weft_error *err;
};

static float p_at(const struct work *work, size_t sample, size_t output)
{
    return sample_output(&work->predictions, sample, output);
}

static float truth_value(const struct work *work, size_t sample, size_t output)
{
    return work->targets.values[sample * work->targets.n_values + output];
}

/* JSON. Each put function returns 0, or nonzero where there is no memory, which is found in the
 * end. */

static int put_real(json_t *object, const char *key, double value)
{
    return json_object_set_new(object, key, weft_json_real(value));
}

static int put_count(json_t *object, const char *key, size_t value)
{
    return json_object_set_new(object, key, weft_json_count(value));
}

static int put_text(json_t *object, const char *key, const char *text)
{
    return json_object_set_new(object, key, weft_json_text(text));
}

static int add_pair(json_t *array, double x, double y)
{
    json_t *pair = json_array();
    int failed = json_array_append_new(pair, weft_json_real(x));
    failed |= json_array_append_new(pair, weft_json_real(y));
    return failed | json_array_append_new(array, pair);
}

/* Classes and labels: how well each is told from all others. */

static bool is_positive(const struct work *work, size_t sample, size_t index)
{
    return work->kind == KIND_CLASSES ? (size_t)work->targets.classes[sample] == index
                                      : truth_value(work, sample, index) >= 0.5F;
}

/* Ranks all samples by the probability of a class. */
static weft_status rank(const struct work *work, size_t index, struct report_ranking *out)
{
    for (size_t i = 0; i < work->n_samples; i++) {
        work->is_positive[i] = is_positive(work, i, index);
    }
    bool single = work->kind == KIND_CLASSES && work->predictions.n_outputs == 1;
    if (!single) {
        const weft_tensor *p = &work->predictions.p;
        return report_ranking_init(out, (const float *)p->data + index, p->ld, work->is_positive,
                                   work->n_samples, work->err);
    }
    /* A single sigmoid gives the probability of the second class. */
    float *scores = weft_mem_alloc(work->n_samples, sizeof *scores);
    if (scores == NULL) {
        return weft_fail_nomem(work->err, "a ranking of samples");
    }
    for (size_t i = 0; i < work->n_samples; i++) {
        scores[i] = index == 1 ? p_at(work, i, 0) : -p_at(work, i, 0);
    }
    weft_status status =
        report_ranking_init(out, scores, 1, work->is_positive, work->n_samples, work->err);
    weft_mem_free(scores);
    return status;
}

static int put_curve(json_t *object, const char *key, const struct report_ranking *ranking,
                     size_t curve(const struct report_ranking *, struct report_point *, size_t))
{
    struct report_point points[REPORT_MOST_POINTS];
    size_t n = curve(ranking, points, REPORT_MOST_POINTS);
    json_t *array = json_array();
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        failed |= add_pair(array, points[i].x, points[i].y);
    }
    return failed | json_object_set_new(object, key, array);
}

/* Adds to the object of a class its areas, its curves, or both. */
static weft_status put_ranking(const struct work *work, size_t index, bool areas, bool curves,
                               json_t *object, int *failed)
{
    struct report_ranking ranking;
    weft_status status = rank(work, index, &ranking);
    if (status != WEFT_OK) {
        return status;
    }
    if (areas) {
        *failed |= put_real(object, "auc", report_roc_area(&ranking));
        *failed |= put_real(object, "average_precision", report_average_precision(&ranking));
    }
    if (curves) {
        *failed |= put_curve(object, "roc", &ranking, report_roc_curve);
        *failed |= put_curve(object, "pr", &ranking, report_pr_curve);
    }
    report_ranking_release(&ranking);
    return WEFT_OK;
}

static double area_of(const json_t *classes, size_t index)
{
    const json_t *area = json_object_get(json_array_get(classes, index), "auc");
    return json_is_number(area) ? json_number_value(area) : 2; /* unknown: behind all others */
}

/* The class with the smallest area of those without curves. */
static size_t next_worst(const json_t *classes)
{
    size_t worst = 0;
    double least = 3;
    for (size_t i = 0; i < json_array_size(classes) && i < REPORT_MOST_RANKED; i++) {
        bool drawn = json_object_get(json_array_get(classes, i), "roc") != NULL;
        if (!drawn && area_of(classes, i) < least) {
            least = area_of(classes, i);
            worst = i;
        }
    }
    return worst;
}

/* Areas of all classes; curves of the second of two, of all of a few, or of the worst of many. */
static weft_status put_rankings(const struct work *work, json_t *classes, int *failed)
{
    bool two = work->kind == KIND_CLASSES && work->n_names == 2;
    bool few = work->n_names <= REPORT_MOST_CURVES;
    weft_status status = WEFT_OK;
    for (size_t i = 0; status == WEFT_OK && i < work->n_names && i < REPORT_MOST_RANKED; i++) {
        status =
            put_ranking(work, i, true, few && (!two || i == 1), json_array_get(classes, i), failed);
    }
    for (size_t i = 0; status == WEFT_OK && !few && i < REPORT_MOST_CURVES; i++) {
        size_t worst = next_worst(classes);
        status = put_ranking(work, worst, false, true, json_array_get(classes, worst), failed);
    }
    return status;
}

/* Precision, recall and F1 of a label; of a class weft_evaluate() knows them. */
static weft_class_score score_label(const struct work *work, size_t index)
{
    size_t hits = 0, called = 0, there = 0;
    for (size_t i = 0; i < work->n_samples; i++) {
        bool is_there = is_positive(work, i, index), is_called = p_at(work, i, index) >= 0.5F;
        there += is_there;
        called += is_called;
        hits += is_there && is_called;
    }
    double precision = called > 0 ? (double)hits / (double)called : 0;
    double recall = there > 0 ? (double)hits / (double)there : 0;
    double sum = precision + recall;
    return (weft_class_score){there, precision, recall, sum > 0 ? 2 * precision * recall / sum : 0};
}

static int put_class(json_t *classes, const struct work *work, size_t index)
{
    weft_class_score score =
        work->kind == KIND_CLASSES ? work->found.by_class[index] : score_label(work, index);
    json_t *object = json_object();
    int failed = put_text(object, "name", weft_net_class_name(work->subject->net, index));
    failed |= put_count(object, "samples", score.support);
    failed |= put_real(object, "precision", score.precision);
    failed |= put_real(object, "recall", score.recall);
    failed |= put_real(object, "f1", score.f1);
    return failed | json_array_append_new(classes, object);
}

static weft_status put_classes(const struct work *work, json_t *root, int *failed)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < work->n_names; i++) {
        *failed |= put_class(classes, work, i);
    }
    *failed |= json_object_set_new(root, "classes", classes);
    return *failed != 0 ? WEFT_OK : put_rankings(work, classes, failed);
}

static int put_matrix(const struct work *work, json_t *root)
{
    json_t *rows = json_array();
    int failed = 0;
    for (size_t i = 0; i < work->n_names; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < work->n_names; j++) {
            size_t n = work->found.confusion[i * work->n_names + j];
            failed |= json_array_append_new(row, weft_json_count(n));
        }
        failed |= json_array_append_new(rows, row);
    }
    return failed | json_object_set_new(root, "confusion", rows);
}

/* The pairs of classes that are confused most, [true, predicted, samples], the most first and in
 * the order of the classes where these are equal. */
static int put_confused(const struct work *work, json_t *root)
{
    size_t n = work->n_names, n_found = 0;
    size_t cells[REPORT_MOST_CONFUSED];
    const size_t *confusion = work->found.confusion;
    for (size_t cell = 0; cell < n * n; cell++) {
        if (cell / n == cell % n || confusion[cell] == 0) {
            continue;
        }
        size_t at = n_found;
        for (; at > 0 && confusion[cells[at - 1]] < confusion[cell]; at--) {
            if (at < REPORT_MOST_CONFUSED) {
                cells[at] = cells[at - 1];
            }
        }
        if (at < REPORT_MOST_CONFUSED) {
            cells[at] = cell;
            n_found += n_found < REPORT_MOST_CONFUSED;
        }
    }
    json_t *pairs = json_array();
    int failed = 0;
    for (size_t i = 0; i < n_found; i++) {
        json_t *pair = json_array();
        failed |= json_array_append_new(pair, weft_json_count(cells[i] / n));
        failed |= json_array_append_new(pair, weft_json_count(cells[i] % n));
        failed |= json_array_append_new(pair, weft_json_count(confusion[cells[i]]));
        failed |= json_array_append_new(pairs, pair);
    }
    return failed | json_object_set_new(root, "confused", pairs);
}

/* Of classes one decision for each sample, of labels one for each label of a sample. */
static weft_status put_calibration(const struct work *work, json_t *root, int *failed)
{
    size_t each = work->kind == KIND_CLASSES ? 1 : work->n_names, n;
    float *confidence = NULL;
    bool *right = NULL;
    if (weft_mul_fits(work->n_samples, each, &n)) {
        confidence = weft_mem_alloc(n, sizeof *confidence);
        right = weft_mem_alloc(n, sizeof *right);
    }
    if (confidence == NULL || right == NULL) {
        weft_mem_free(confidence);
        weft_mem_free(right);
        return weft_fail_nomem(work->err, "a calibration");
    }
    for (size_t i = 0; i < work->n_samples && work->kind == KIND_CLASSES; i++) {
        confidence[i] =
            sample_probability(&work->predictions, i, (size_t)work->predictions.classes[i]);
        right[i] = work->predictions.classes[i] == work->targets.classes[i];
    }
    for (size_t k = 0; k < n && work->kind == KIND_LABELS; k++) {
        float p = p_at(work, k / each, k % each);
        confidence[k] = p >= 0.5F ? p : 1 - p;
        right[k] = (p >= 0.5F) == is_positive(work, k / each, k % each);
    }
    struct report_calibration found;
    report_calibrate(confidence, right, n, &found);
    weft_mem_free(confidence);
    weft_mem_free(right);
    json_t *object = json_object(), *bins = json_array();
    *failed |= put_real(object, "ece", found.ece);
    for (size_t m = 0; m < REPORT_N_BINS; m++) {
        json_t *bin = json_object();
        *failed |= put_count(bin, "n", found.n[m]);
        *failed |= put_real(bin, "confidence", found.confidence[m]);
        *failed |= put_real(bin, "accuracy", found.accuracy[m]);
        *failed |= json_array_append_new(bins, bin);
    }
    *failed |= json_object_set_new(object, "bins", bins);
    *failed |= json_object_set_new(root, "calibration", object);
    return WEFT_OK;
}

/* Values: errors of each output, pairs of true and predicted, residuals. */

static weft_status put_output(const struct work *work, size_t index, json_t *outputs, int *failed)
{
    double *residuals = weft_mem_alloc(work->n_samples, sizeof *residuals);
    if (residuals == NULL) {
        return weft_fail_nomem(work->err, "residuals");
    }
    double n = (double)work->n_samples, squares = 0, sizes = 0, mean = 0, total = 0;
    for (size_t i = 0; i < work->n_samples; i++) {
        double truth = (double)truth_value(work, i, index);
        residuals[i] = (double)p_at(work, i, index) - truth;
        squares += residuals[i] * residuals[i];
        sizes += fabs(residuals[i]);
        mean += truth / n;
    }
    json_t *object = json_object(), *points = json_array(), *bars = json_array();
    size_t stride = (work->n_samples - 1) / REPORT_MOST_SCATTER + 1;
    for (size_t i = 0; i < work->n_samples; i++) {
        double off = (double)truth_value(work, i, index) - mean;
        total += off * off;
        if (i % stride == 0) {
            *failed |=
                add_pair(points, (double)truth_value(work, i, index), (double)p_at(work, i, index));
        }
    }
    struct report_histogram histogram;
    report_count_residuals(residuals, work->n_samples, &histogram);
    weft_mem_free(residuals);
    for (size_t i = 0; i < REPORT_N_BARS; i++) {
        *failed |= json_array_append_new(bars, weft_json_count(histogram.n[i]));
    }
    *failed |= put_text(object, "name", weft_net_class_name(work->subject->net, index));
    *failed |= put_real(object, "rmse", sqrt(squares / n));
    *failed |= put_real(object, "mae", sizes / n);
    *failed |= put_real(object, "r2", total > 0 ? 1 - squares / total : (double)NAN);
    *failed |= json_object_set_new(object, "points", points);
    *failed |= put_real(object, "residual_limit", histogram.limit);
    *failed |= json_object_set_new(object, "residuals", bars);
    *failed |= json_array_append_new(outputs, object);
    return WEFT_OK;
}

static weft_status put_outputs(const struct work *work, json_t *root, int *failed)
{
    json_t *outputs = json_array();
    weft_status status = WEFT_OK;
    for (size_t i = 0; status == WEFT_OK && i < work->n_names && i < REPORT_MOST_OUTPUTS; i++) {
        status = put_output(work, i, outputs, failed);
    }
    *failed |= put_count(root, "n_outputs", work->n_names);
    *failed |= json_object_set_new(root, "outputs", outputs);
    return status;
}

/* Samples. */

/* Means of step x step pixels of rgb, as many channels as the image has. */
static void shrink(const struct picture_image *image, size_t step, const unsigned char *rgb,
                   unsigned char *out)
{
    for (size_t top = 0; top + step <= image->height; top += step) {
        for (size_t left = 0; left + step <= image->width; left += step) {
            for (size_t channel = 0; channel < image->channels; channel++) {
                size_t sum = 0;
                for (size_t k = 0; k < step * step; k++) {
                    size_t y = top + k / step, x = left + k % step;
                    sum += rgb[3 * (y * image->width + x) + channel];
                }
                *out++ = (unsigned char)((sum + step * step / 2) / (step * step));
            }
        }
    }
}

static size_t shrink_step(const struct picture_image *image)
{
    size_t longer = image->width > image->height ? image->width : image->height;
    size_t shorter = image->width < image->height ? image->width : image->height;
    size_t step = (longer - 1) / REPORT_MOST_SIDE + 1;
    return step < shorter ? step : shorter;
}

static weft_status put_pixels(const struct work *work, const struct picture_image *image,
                              size_t sample, json_t *object, int *failed)
{
    size_t step = shrink_step(image);
    size_t n = image->height / step * (image->width / step) * image->channels;
    unsigned char *rgb = weft_mem_alloc(image->height * image->width, 3);
    char *text = weft_mem_alloc(report_base64_size(n), 1);
    if (rgb == NULL || text == NULL) {
        weft_mem_free(rgb);
        weft_mem_free(text);
        return weft_fail_nomem(work->err, "an image");
    }
    picture_image_render(image, work->data, sample, rgb);
    shrink(image, step, rgb, rgb);
    report_base64_encode(rgb, n, text);
    *failed |= put_text(object, "pixels", text);
    weft_mem_free(rgb);
    weft_mem_free(text);
    return WEFT_OK;
}

/* How far an output is from the truth; what is no number is farthest. */
static double output_distance(const struct work *work, size_t sample, size_t output)
{
    double off =
        fabs((double)p_at(work, sample, output) - (double)truth_value(work, sample, output));
    return isnan(off) ? HUGE_VAL : off;
}

/* What a sample is shown by: of values the first, of several labels the one it is farthest from. */
static size_t worst_output(const struct work *work, size_t sample)
{
    size_t worst = 0;
    for (size_t o = 1; work->kind == KIND_LABELS && o < work->targets.n_values; o++) {
        if (output_distance(work, sample, o) > output_distance(work, sample, worst)) {
            worst = o;
        }
    }
    return worst;
}

static double distance(const struct work *work, size_t sample)
{
    return output_distance(work, sample, worst_output(work, sample));
}

/* Samples of a list, which are images where `image` is not NULL. */
static weft_status put_list(const struct work *work, const char *key, const size_t *samples,
                            size_t n, const struct picture_image *image, json_t *root, int *failed)
{
    json_t *list = json_array();
    weft_status status = WEFT_OK;
    for (size_t i = 0; status == WEFT_OK && i < n; i++) {
        json_t *object = json_object();
        *failed |= put_count(object, "sample", samples[i]);
        if (work->kind == KIND_CLASSES) {
            size_t truth = (size_t)work->targets.classes[samples[i]];
            size_t predicted = (size_t)work->predictions.classes[samples[i]];
            const struct sample_predictions *all = &work->predictions;
            *failed |= put_count(object, "truth", truth);
            *failed |= put_count(object, "predicted", predicted);
            *failed |=
                put_real(object, "p_truth", (double)sample_probability(all, samples[i], truth));
            *failed |=
                put_real(object, "p", (double)sample_probability(all, samples[i], predicted));
        } else {
            size_t output = worst_output(work, samples[i]);
            *failed |= work->kind == KIND_LABELS ? put_count(object, "label", output) : 0;
            *failed |= put_real(object, "truth", (double)truth_value(work, samples[i], output));
            *failed |= put_real(object, "predicted", (double)p_at(work, samples[i], output));
        }
        if (image != NULL) {
            status = put_pixels(work, image, samples[i], object, failed);
        }
        *failed |= json_array_append_new(list, object);
    }
    *failed |= json_object_set_new(root, key, list);
    return status;
}

/* How the numbers of a sample make an image, for the weights; and how images are kept here. */
static int put_image(json_t *root, const struct picture_image *image)
{
    size_t step = shrink_step(image);
    json_t *object = json_object();
    int failed = put_count(object, "height", image->height);
    failed |= put_count(object, "width", image->width);
    failed |= put_count(object, "channels", image->channels);
    failed |= json_object_set_new(object, "planes", json_boolean(image->planes));
    failed |= put_count(object, "kept_height", image->height / step);
    failed |= put_count(object, "kept_width", image->width / step);
    return failed | json_object_set_new(root, "image", object);
}

/* Where values or labels are farthest from the truth, the farthest first. */
static size_t choose_farthest(const struct work *work, size_t *samples)
{
    size_t n = 0;
    for (size_t i = 0; i < work->n_samples; i++) {
        double off = distance(work, i);
        size_t at = n;
        for (; at > 0 && off > distance(work, samples[at - 1]); at--) {
            if (at < REPORT_MOST_SAMPLES) {
                samples[at] = samples[at - 1];
            }
        }
        if (at < REPORT_MOST_SAMPLES) {
            samples[at] = i;
            n += n < REPORT_MOST_SAMPLES;
        }
    }
    return n;
}

static weft_status put_samples(const struct work *work, json_t *root, int *failed)
{
    size_t farthest[REPORT_MOST_SAMPLES], n = 0;
    struct sample_choice choice;
    weft_status status =
        sample_choice_init(&choice, &work->predictions, REPORT_MOST_SAMPLES, work->err);
    if (status != WEFT_OK) {
        return status;
    }
    if (work->kind != KIND_CLASSES) {
        n = choose_farthest(work, farthest);
    }
    struct picture_image found;
    const struct picture_image *image = picture_image_find(work->data, &found) ? &found : NULL;
    json_t *samples = json_object();
    *failed |= image != NULL ? put_image(root, image) : 0;
    *failed |= put_count(samples, "n_right", choice.total_right);
    *failed |= put_count(samples, "n_wrong", choice.total_wrong);
    status = put_list(work, "right", choice.right, choice.n_right, image, samples, failed);
    if (status == WEFT_OK) {
        status = put_list(work, "wrong", choice.wrong, choice.n_wrong, image, samples, failed);
    }
    if (status == WEFT_OK) {
        status = put_list(work, "farthest", farthest, n, image, samples, failed);
    }
    *failed |= json_object_set_new(root, "predictions", samples);
    sample_choice_release(&choice);
    return status;
}

/* The run. */

static int put_data(json_t *root, const struct report_subject *subject)
{
    const struct {
        const char *name, *path;
        const weft_dataset *data;
    } sets[] = {{"train", subject->train_path, subject->train},
                {"val", subject->val_path, subject->val},
                {"test", subject->test_path, subject->test}};
    json_t *data = json_object(), *shape = json_array();
    size_t dims[4];
    size_t n_dims = weft_dataset_shape(subject->train, dims);
    int failed = 0;
    for (size_t i = 0; i < n_dims; i++) {
        failed |= json_array_append_new(shape, weft_json_count(dims[i]));
    }
    failed |= json_object_set_new(data, "shape", shape);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (sets[i].data != NULL) {
            json_t *set = json_object();
            failed |= put_text(set, "path", sets[i].path);
            failed |= put_text(set, "format", weft_dataset_format(sets[i].data));
            failed |= put_count(set, "samples", weft_dataset_samples(sets[i].data));
            failed |= json_object_set_new(data, sets[i].name, set);
        }
    }
    return failed | json_object_set_new(root, "data", data);
}

static int put_run(json_t *root, const struct report_subject *subject)
{
    json_t *run = json_object(), *environment = json_object();
    int failed = put_text(run, "outcome", subject->outcome);
    failed |= put_text(run, "ended", subject->ended);
    failed |= put_count(run, "epochs", subject->epochs);
    failed |= put_count(run, "steps", subject->steps);
    failed |= put_real(run, "load_seconds", subject->load_seconds);
    failed |= put_real(run, "train_seconds", subject->train_seconds);
    failed |= put_real(run, "watch_seconds", subject->watch_seconds);
    failed |= put_real(run, "test_seconds", subject->test_seconds);
    failed |= json_object_set_new(root, "run", run);
    failed |= put_text(environment, "version", weft_version());
    failed |= put_text(environment, "compiler", subject->compiler);
    failed |= put_text(environment, "cpu", subject->cpu);
    failed |= put_count(environment, "cores", subject->cores);
    failed |= put_count(environment, "threads", subject->threads);
    failed |= put_text(environment, "kernels", subject->kernels);
    failed |= put_text(environment, "precision", subject->precision);
    failed |= put_text(environment, "system", subject->system);
    return failed | json_object_set_new(root, "environment", environment);
}

static int put_scores(json_t *root, const struct work *work)
{
    int failed = put_text(root, "set", work->set);
    failed |= put_text(root, "kind", kind_names[work->kind]);
    failed |= put_count(root, "samples", work->n_samples);
    failed |= put_real(root, "loss", work->found.loss);
    failed |= put_real(root, "accuracy", work->found.accuracy);
    failed |= put_real(root, "auc", work->found.auc);
    failed |= put_real(root, "rmse", work->found.rmse);
    failed |= put_real(root, "mae", work->found.mae);
    return failed | put_real(root, "r2", work->found.r2);
}

static weft_status put_all(const struct work *work, json_t *root, int *failed)
{
    *failed |= json_object_set_new(root, "format", weft_json_count(REPORT_EVALUATION_FORMAT));
    *failed |= put_run(root, work->subject);
    *failed |= put_data(root, work->subject);
    *failed |= put_scores(root, work);
    weft_status status = WEFT_OK;
    if (work->kind == KIND_VALUES) {
        status = put_outputs(work, root, failed);
    } else {
        status = put_classes(work, root, failed);
        status = status == WEFT_OK ? put_calibration(work, root, failed) : status;
    }
    if (work->kind == KIND_CLASSES) {
        *failed |= work->n_names <= REPORT_MOST_MATRIX ? put_matrix(work, root) : 0;
        *failed |= put_confused(work, root);
    }
    return status == WEFT_OK ? put_samples(work, root, failed) : status;
}

static weft_status predict(struct work *work)
{
    const struct report_subject *subject = work->subject;
    weft_status status = WEFT_OK;
    if (subject->evaluation != NULL) {
        work->found = *subject->evaluation;
    } else {
        status = weft_evaluate(subject->context, subject->net, work->data, &work->found, work->err);
    }
    if (subject->predictions != NULL) {
        work->predictions = *subject->predictions;
    } else if (status == WEFT_OK) {
        status = sample_predictions_init(&work->predictions, subject->context, subject->net,
                                         work->data, work->err);
    }
    work->is_positive = weft_mem_alloc(work->n_samples, sizeof *work->is_positive);
    return status == WEFT_OK && work->is_positive == NULL
               ? weft_fail_nomem(work->err, "predictions")
               : status;
}

static struct work work_of(const struct report_subject *subject, weft_error *err)
{
    const weft_net *net = subject->net;
    struct work work = {.subject = subject, .err = err, .found = {.samples = 0}};
    work.data = subject->test != NULL  ? subject->test
                : subject->val != NULL ? subject->val
                                       : subject->train;
    work.data = subject->shown != NULL ? subject->shown : work.data;
    work.set = subject->test != NULL ? "test" : subject->val != NULL ? "val" : "train";
    work.kind = weft_net_n_classes(net) > 0                   ? KIND_CLASSES
                : weft_net_output(net) == WEFT_OUTPUT_SIGMOID ? KIND_LABELS
                                                              : KIND_VALUES;
    work.n_samples = weft_dataset_samples(work.data);
    work.n_names = weft_net_n_class_names(net);
    work.targets = weft_dataset_targets(work.data);
    return work;
}

static weft_status write_json(const json_t *root, const char *path, weft_error *err)
{
    struct weft_safefile file = {0};
    weft_status status = weft_safefile_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    /* Seven digits are what a float32 holds. */
    int dumped = json_dumpf(root, file.stream, JSON_COMPACT | JSON_REAL_PRECISION(7));
    putc('\n', file.stream);
    if (dumped != 0 && !ferror(file.stream)) {
        weft_safefile_abort(&file);
        return weft_fail_nomem(err, path);
    }
    return weft_safefile_commit(&file, err);
}

weft_status report_evaluation_write(const struct report_subject *subject, const char *path,
                                    weft_error *err)
{
    struct work work = work_of(subject, err);
    json_t *root = json_object();
    int failed = 0;
    weft_status status = predict(&work);
    if (status == WEFT_OK) {
        status = put_all(&work, root, &failed);
    }
    if (status == WEFT_OK) {
        status = failed != 0 ? weft_fail_nomem(err, path) : write_json(root, path, err);
    }
    json_decref(root);
    if (subject->evaluation == NULL) {
        weft_evaluation_release(&work.found);
    }
    if (subject->predictions == NULL) {
        sample_predictions_release(&work.predictions);
    }
    weft_mem_free(work.is_positive);
    return status;
}
