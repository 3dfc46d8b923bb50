/* The pictures of a run: sample predictions, for samples that are images, and the confusion matrix
 * of a classifier. Both are drawn for the same set as the scores that count. */
#include <stdio.h>

#include "cli/stop_signal.h"
#include "cli/train_job.h"
#include "report/picture_confusion.h"
#include "report/picture_grid.h"
#include "report/picture_image.h"
#include "report/picture_png.h"
#include "report/sample_choice.h"

#define MAX_EACH 20 /* samples that were right, and that were wrong */

/* "test set: 9813 of 10000 right (98.13 %)" */
static void write_title(const struct sample_predictions *found, const char *set, char *text,
                        size_t size)
{
    size_t counts[3] = {0};
    for (size_t i = 0; i < found->samples; i++) {
        counts[sample_verdict(found, i)]++;
    }
    if (counts[SAMPLE_UNKNOWN] > 0) {
        snprintf(text, size, "%s: %zu samples", set, found->samples);
        return;
    }
    snprintf(text, size, "%s: %zu of %zu right (%.2f %%)", set, counts[SAMPLE_RIGHT],
             found->samples, 100 * (double)counts[SAMPLE_RIGHT] / (double)found->samples);
}

/* Networks without classes have no choice made for them: the first samples. */
static weft_status draw_first(const struct sample_predictions *found, const char *title,
                              struct picture_canvas *canvas, weft_error *err)
{
    size_t samples[2 * MAX_EACH], n = 0;
    while (n < sizeof samples / sizeof *samples && n < found->samples) {
        samples[n] = n;
        n++;
    }
    const struct picture_section section = {"the first samples", samples, n};
    return picture_grid_draw(found, title, &section, 1, canvas, err);
}

static weft_status draw_choice(const struct sample_predictions *found, const char *title,
                               struct picture_canvas *canvas, weft_error *err)
{
    struct sample_choice choice;
    weft_status status = sample_choice_init(&choice, found, MAX_EACH, err);
    if (status != WEFT_OK) {
        return status;
    }
    char right[80], wrong[80];
    snprintf(right, sizeof right, "%zu of the %zu right ones, from each class in turn",
             choice.n_right, choice.total_right);
    snprintf(wrong, sizeof wrong, "%zu of the %zu wrong ones, the surest first", choice.n_wrong,
             choice.total_wrong);
    const struct picture_section sections[] = {{right, choice.right, choice.n_right},
                                               {wrong, choice.wrong, choice.n_wrong}};
    status = picture_grid_draw(found, title, sections, 2, canvas, err);
    sample_choice_release(&choice);
    return status;
}

static weft_status write_canvas(struct picture_canvas *canvas, const char *path, weft_error *err)
{
    cli_stop_hold();
    weft_status status = picture_png_write(canvas, path, err);
    cli_stop_release();
    picture_canvas_release(canvas);
    return status;
}

static weft_status write_grid(const struct sample_predictions *found, const char *title,
                              const char *path, weft_error *err)
{
    struct picture_canvas canvas;
    weft_status status = found->n_classes > 0 ? draw_choice(found, title, &canvas, err)
                                              : draw_first(found, title, &canvas, err);
    return status == WEFT_OK ? write_canvas(&canvas, path, err) : status;
}

static weft_status write_confusion(const struct sample_predictions *found, const char *title,
                                   const char *path, weft_error *err)
{
    struct picture_canvas canvas;
    weft_status status = picture_confusion_draw(found, title, &canvas, err);
    return status == WEFT_OK ? write_canvas(&canvas, path, err) : status;
}

int train_pictures(struct train_job *job)
{
    const char *set = job->test != NULL  ? "test set"
                      : job->val != NULL ? "validation set"
                                         : "training set";
    const weft_dataset *data = train_judge(job);
    if (data == NULL) {
        return CLI_INPUT;
    }
    struct picture_image image;
    bool has_grid = picture_image_find(data, &image);
    bool has_confusion = picture_confusion_possible(job->net, data);
    if (!picture_png_available() || (!has_grid && !has_confusion)) {
        return CLI_DONE;
    }
    const struct sample_predictions *found = &job->predictions;
    char title[120];
    weft_error err;
    weft_status status = train_predict(job, &err);
    if (status == WEFT_OK) {
        write_title(found, set, title, sizeof title);
        status = cli_run_dir_make_images(&job->run, &err);
    }
    if (status == WEFT_OK && has_grid) {
        status = write_grid(found, title, job->run.grid, &err);
    }
    if (status == WEFT_OK && has_confusion) {
        status = write_confusion(found, title, job->run.confusion, &err);
    }
    job->has_pictures = status == WEFT_OK;
    job->has_grid = has_grid && job->has_pictures;
    return status == WEFT_OK ? CLI_DONE : cli_fail(job->command, CLI_FAILED, &err);
}
