/* What weft train says before it begins and after it has ended. */
#include <math.h>
#include <string.h>

#include "cli/json_line.h"
#include "cli/stop_signal.h"
#include "cli/train_job.h"
#include "report/report_evaluation.h"
#include "report/report_page.h"

static void print_data(const char *name, const char *path, const weft_dataset *data)
{
    fprintf(stderr, "%-10s", name);
    cli_print_data(stderr, path, data);
    putc('\n', stderr);
}

static void print_network(const struct train_job *job)
{
    fprintf(stderr, "%-10s", "network");
    cli_print_network(stderr, job->net);
    putc('\n', stderr);
}

static void print_training(const struct train_job *job)
{
    const struct train_args *args = job->args;
    fprintf(stderr, "%-10s%zu epoch%s, batch ", "training", args->epochs,
            args->epochs == 1 ? "" : "s");
    if (args->batch_size == 0) {
        fputs("full", stderr);
    } else {
        fprintf(stderr, "%zu", args->batch_size);
    }
    fprintf(stderr, ", %s, lr %g %s", cli_optimizer_choice(args->optimizer), args->lr,
            weft_schedule_name((weft_schedule)args->schedule));
    if (args->warmup > 0) {
        fprintf(stderr, " after %zu %s of warm-up", args->warmup,
                args->lr_by_epoch ? "epochs" : "steps");
    }
    if (args->momentum > 0) {
        fprintf(stderr, ", momentum %g", args->momentum);
    }
    fprintf(stderr, ", seed %llu; %zu thread%s, %s, %s\n", (unsigned long long)args->seed,
            args->common.threads, args->common.threads == 1 ? "" : "s", args->common.isa,
            cli_precision_choice(args->common.precision));
}

static void print_class_names(const weft_net *net)
{
    fprintf(stderr, "%-10s", weft_net_n_classes(net) > 0 ? "classes" : "outputs");
    for (size_t i = 0; i < weft_net_n_class_names(net); i++) {
        fputs(i > 0 ? ", " : "", stderr);
        cli_print_name(stderr, weft_net_class_name(net, i), 0);
    }
    putc('\n', stderr);
}

void train_announce(const struct train_job *job)
{
    if (job->args->common.quiet) {
        return;
    }
    print_data("data", job->args->data, job->data);
    if (job->args->common.verbose) {
        print_class_names(job->net);
    }
    if (job->val_path != NULL) {
        print_data("val", job->val_path, job->val);
    } else if (job->val != NULL) {
        fprintf(stderr, "%-10s%zu samples held out of these\n", "val",
                weft_dataset_samples(job->val));
    }
    if (job->test != NULL) {
        print_data("test", job->args->test, job->test);
    }
    train_print_memory(job);
    print_network(job);
    print_training(job);
    fprintf(stderr, "%-10s%s\n\n", "run", job->run.path);
}

static void print_score(const char *name, const weft_score *score, const weft_dataset *data)
{
    char loss[40];
    if (!score->known) {
        return;
    }
    printf("%-10sloss %s", name, cli_loss_text(score->loss, loss, sizeof loss));
    if (!isnan(score->accuracy)) {
        printf("   accuracy %.2f %%", 100 * score->accuracy);
    }
    printf("   (%zu samples)\n", weft_dataset_samples(data));
}

/* A word for the shell, quoted where it has to be. */
static void print_word(const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-+=./,:@%";
    if (*word != '\0' && word[strspn(word, safe)] == '\0') {
        printf(" %s", word);
        return;
    }
    fputs(" '", stdout);
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            fputs("'\\''", stdout);
        } else {
            putchar(*word);
        }
    }
    putchar('\'');
}

static void print_option(const char *name, const char *value)
{
    if (value != NULL) {
        printf(" %s", name);
        print_word(value);
    }
}

/* The columns that are no features: of weights, too, which an evaluation has no use for. */
static void print_ignored(const struct train_args *args)
{
    char both[1024];
    if (args->ignore != NULL && args->sample_weight != NULL) {
        snprintf(both, sizeof both, "%s,%s", args->ignore, args->sample_weight);
        print_option("--ignore", both);
        return;
    }
    print_option("--ignore", args->ignore != NULL ? args->ignore : args->sample_weight);
}

/* The command that evaluates the model on what it has not been trained on, if there is such. */
static void print_next(const struct train_job *job)
{
    const struct train_args *args = job->args;
    bool has_test = job->test != NULL;
    printf("%-10sweft eval", "next");
    print_word(job->run.model);
    print_word(has_test ? args->test : args->data);
    print_option("--label", args->label);
    print_ignored(args);
    print_option("--x", has_test && args->test_x != NULL ? args->test_x
                        : has_test                       ? NULL
                                                         : args->x);
    print_option("--y", has_test && args->test_y != NULL ? args->test_y
                        : has_test                       ? NULL
                                                         : args->y);
    if (args->image.invert) {
        printf(" --invert");
    }
    putchar('\n');
}

/* Of the network that is written. */
static const weft_score *val_score(const struct train_job *job)
{
    return job->args->keep_best ? &job->finish.best : &job->last.val;
}

/* In words, and for JSON; NULL: it ran to its end. */
static const char *end_name(weft_end end)
{
    switch (end) {
    case WEFT_END_PATIENCE:
        return "patience";
    case WEFT_END_TARGET:
        return "target_accuracy";
    case WEFT_END_TIME:
        return "max_time";
    case WEFT_END_EPOCHS:
        break;
    }
    return NULL;
}

/* Why training ended early, and which epoch is kept. */
static void print_end(const struct train_job *job)
{
    const struct train_args *args = job->args;
    switch (job->finish.end) {
    case WEFT_END_PATIENCE:
        printf("%-10safter epoch %zu: no better one for %zu\n", "stopped", job->last.epoch,
               args->patience);
        break;
    case WEFT_END_TARGET:
        printf("%-10safter epoch %zu: val accuracy is %g or more\n", "stopped", job->last.epoch,
               args->target_accuracy);
        break;
    case WEFT_END_TIME:
        printf("%-10sin epoch %zu: %g s are over\n", "stopped", job->last.epoch, args->max_time);
        break;
    case WEFT_END_EPOCHS:
        break;
    }
    if (args->keep_best && job->finish.best_epoch > 0) {
        printf("%-10sepoch %zu, the best by val %s\n", "kept", job->finish.best_epoch,
               cli_watched_choice(args->watch));
    }
}

static void print_text(const struct train_job *job)
{
    char duration[40];
    if (!job->args->common.quiet) {
        fflush(stderr);
    }
    print_score("train", &job->last.train, job->data);
    if (job->val != NULL) {
        print_score("val", val_score(job), job->val);
    }
    if (job->test != NULL) {
        print_score("test", &job->test_score, job->test);
    }
    print_end(job);
    printf("%-10s%zu steps in %s", "time", job->step,
           cli_duration_text(job->seconds, duration, sizeof duration));
    if (weft_dataset_is_streamed(job->data)) {
        printf(", %.3g s of it waiting for data", job->finish.wait_seconds);
    }
    putchar('\n');
    printf("%-10s%s: %s, config.ini, metrics.jsonl%s%s\n", "wrote", job->run.path, CLI_MODEL_FILE,
           job->has_report ? ", " REPORT_EVALUATION_FILE ", " REPORT_PAGE_FILE : "",
           job->has_pictures ? ", images/" : "");
    print_next(job);
}

static json_t *json_score(const weft_score *score, const weft_dataset *data)
{
    json_t *object = json_object();
    int failed = json_object_set_new(object, "loss", cli_json_real(score->loss));
    failed |= json_object_set_new(object, "accuracy", cli_json_real(score->accuracy));
    failed |= json_object_set_new(object, "samples", cli_json_count(weft_dataset_samples(data)));
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* "loss" and "accuracy" are those of the best judge there is: test set, validation set, training
 * set. */
static int print_json(const struct train_job *job)
{
    const struct {
        const char *name;
        const weft_score *score;
        const weft_dataset *data;
    } sets[] = {{"test", &job->test_score, job->test},
                {"val", val_score(job), job->val},
                {"train", &job->last.train, job->data}};
    weft_score best = {false, (double)NAN, (double)NAN};
    json_t *object = json_object();
    int failed = json_object_set_new(object, "run_dir", cli_json_text(job->run.path));
    failed |= json_object_set_new(object, "model", cli_json_text(job->run.model));
    failed |= json_object_set_new(object, "epochs", cli_json_count(job->last.epoch));
    failed |= json_object_set_new(object, "steps", cli_json_count(job->step));
    failed |=
        json_object_set_new(object, "seconds", cli_json_real(round(job->seconds * 1e6) / 1e6));
    for (size_t i = 3; i-- > 0;) {
        best = sets[i].score->known ? *sets[i].score : best;
    }
    failed |= json_object_set_new(object, "loss", cli_json_real(best.loss));
    failed |= json_object_set_new(object, "accuracy", cli_json_real(best.accuracy));
    for (size_t i = 0; i < 3; i++) {
        if (sets[i].score->known) {
            failed |=
                json_object_set_new(object, sets[i].name, json_score(sets[i].score, sets[i].data));
        }
    }
    if (job->args->keep_best && job->finish.best_epoch > 0) {
        failed |= json_object_set_new(object, "best_epoch", cli_json_count(job->finish.best_epoch));
    }
    if (end_name(job->finish.end) != NULL) {
        failed |= json_object_set_new(object, "ended_by", json_string(end_name(job->finish.end)));
    }
    if (cli_stop_signal() != 0) {
        failed |= json_object_set_new(object, "stopped_by",
                                      json_string(train_signal_name(cli_stop_signal())));
    }
    return cli_json_print(job->command, object, failed);
}

int train_report(const struct train_job *job)
{
    if (job->args->common.json) {
        return print_json(job);
    }
    print_text(job);
    return CLI_DONE;
}
