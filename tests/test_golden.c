/* Regression: the first 20 losses of the two older jobs (scripts/recipes/seed-mnist.ini and
 * seed-cats.ini) on the generic kernels, exact to the last bit, against tests/golden/. A change
 * there is a change of arithmetic: find out why before running scripts/renew_golden, which calls
 * this program with --renew.
 *
 * The cats are not ours to publish: without WEFT_CATS_DIR their half, a test of its own to ctest,
 * is skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/team.h"

#include "harness.h"

#include <weft/weft.h>

#define N_LOSSES 20
#define MAX_PATH 1024

/* Slow builds compare the first few only: 20 epochs of 60,000 digits would take them minutes. */
#define N_COMPARED (HARNESS_EMULATED ? 1 : HARNESS_SLOW_BUILD ? 3 : N_LOSSES)

/* One job, as its recipe says. */
struct job {
    const char *name;
    size_t hidden[4], n_hidden, n_outputs;
    weft_output output;
    double lr;
    uint64_t seed;
};

static const struct job digits = {
    "seed-mnist", {32, 16}, 2, 10, WEFT_OUTPUT_SOFTMAX, 0.1, 8,
};
static const struct job cats = {
    "seed-cats", {20, 7, 5}, 3, 1, WEFT_OUTPUT_SIGMOID, 0.0075, 1,
};

static void golden_path(const struct job *job, char path[MAX_PATH])
{
    snprintf(path, MAX_PATH, WEFT_SOURCE_DIR "/tests/golden/%s.txt", job->name);
}

/* The data of a job, or NULL with a word on the terminal. */
static weft_dataset *load(const struct job *job)
{
    char path[MAX_PATH] = WEFT_SOURCE_DIR "/data/mnist";
    weft_dataset *data = NULL;
    weft_error err;
    if (job == &cats) {
        const char *dir = harness_cats_dir();
        if (dir == NULL) {
            return NULL;
        }
        snprintf(path, sizeof path, "%s/train_catvnoncat.h5", dir);
    }
    CU_ASSERT_FATAL(CHECK_OK(weft_dataset_load(path, NULL, &data, &err), &err));
    return data;
}

static weft_net *initial_net(const struct job *job, const weft_dataset *data)
{
    static const weft_activation activations[] = {WEFT_RELU, WEFT_RELU, WEFT_RELU};
    weft_net_options options = {.n_inputs = weft_dataset_features(data),
                                .n_outputs = job->n_outputs,
                                .n_hidden = job->n_hidden,
                                .hidden = job->hidden,
                                .activations = activations,
                                .output = job->output};
    weft_net *net = NULL;
    weft_scaling scaling = {0};
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_net_new(&options, &net, &err), &err));
    CHECK_OK(weft_net_init(net, WEFT_INIT_HE_NORMAL, 0, job->seed, &err), &err);
    CHECK_OK(weft_scaling_fit(data, WEFT_SCALE_UNIT, &scaling, &err), &err);
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    weft_scaling_release(&scaling);
    return net;
}

struct losses {
    double of_step[N_LOSSES];
    size_t n;
};

static bool listen(const weft_event *event, void *user)
{
    struct losses *losses = user;
    if (event->kind == WEFT_EVENT_STEP && losses->n < N_LOSSES) {
        losses->of_step[losses->n++] = event->train.loss;
    }
    return true;
}

/* Runs a job for n_steps; false where it is skipped. */
static bool run(const struct job *job, size_t n_steps, struct losses *losses)
{
    weft_dataset *data = load(job);
    if (data == NULL) {
        return false;
    }
    weft_net *net = initial_net(job, data);
    weft_context_options where = {.n_threads = 2, .isa = "generic"};
    weft_context *context = NULL;
    weft_error err;
    CU_ASSERT_FATAL(CHECK_OK(weft_context_new(&where, &context, &err), &err));
    context->flop_per_thread = 0; /* both threads */
    weft_train_options options = weft_train_options_default();
    options.epochs = n_steps;
    options.batch_size = 0;
    options.lr = job->lr;
    options.schedule = WEFT_LR_CONSTANT;
    options.momentum = 0;
    options.listener = listen;
    options.listener_user = losses;
    losses->n = 0;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    CHECK_UINT(losses->n, n_steps);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
    return true;
}

/* Reads a golden file: lines of "# comment" and of one hex float each. */
static bool read_golden(const struct job *job, struct losses *losses)
{
    char path[MAX_PATH], line[256];
    golden_path(job, path);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("\n  %s is missing; scripts/renew_golden writes it ", path);
        return false;
    }
    losses->n = 0;
    bool sound = true;
    while (fgets(line, sizeof line, file) != NULL) {
        char *end;
        double value = strtod(line, &end);
        if (line[0] == '#') {
            continue;
        }
        sound = sound && end != line && *end == '\n' && losses->n < N_LOSSES;
        if (sound) {
            losses->of_step[losses->n++] = value;
        }
    }
    fclose(file);
    return sound && losses->n == N_LOSSES;
}

static void check_job(const struct job *job)
{
    struct losses got, wanted;
    if (!run(job, N_COMPARED, &got) || !CHECK(read_golden(job, &wanted))) {
        return;
    }
    for (size_t k = 0; k < N_COMPARED; k++) {
        if (memcmp(&got.of_step[k], &wanted.of_step[k], sizeof(double)) != 0) {
            printf("\n  %s, step %zu: got %a (%.9g), wanted %a (%.9g)", job->name, k + 1,
                   got.of_step[k], got.of_step[k], wanted.of_step[k], wanted.of_step[k]);
        }
        CHECK(memcmp(&got.of_step[k], &wanted.of_step[k], sizeof(double)) == 0);
    }
}

static void digits_keep_their_losses(void)
{
    check_job(&digits);
}

static void cats_keep_their_losses(void)
{
    check_job(&cats);
}

static CU_TestInfo golden_tests[] = {
    {"seed-mnist", digits_keep_their_losses},
    {"seed-cats", cats_keep_their_losses},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"golden", NULL, NULL, NULL, NULL, golden_tests},
    CU_SUITE_INFO_NULL,
};

static void renew(const struct job *job)
{
    struct losses losses;
    char path[MAX_PATH];
    if (!run(job, N_LOSSES, &losses)) {
        printf("\n%s: left as it is\n", job->name);
        return;
    }
    golden_path(job, path);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "# Losses of the first %d steps of %s on the generic kernels, as C hex floats.\n",
            N_LOSSES, job->name);
    fprintf(file, "# Written by scripts/renew_golden, read by tests/test_golden.c.\n");
    for (size_t k = 0; k < N_LOSSES; k++) {
        fprintf(file, "%a\n", losses.of_step[k]);
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    printf("%s: written\n", path);
}

/* Under CUnit, as the checks in run() need a test around them. */
static void renew_all(void)
{
    renew(&digits);
    renew(&cats);
}

static CU_TestInfo renew_tests[] = {
    {"golden files", renew_all},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo renew_suites[] = {
    {"renew", NULL, NULL, NULL, NULL, renew_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--renew") == 0) {
        return harness_main(1, argv, renew_suites);
    }
    if (argc == 3 && strcmp(argv[2], "seed-cats") == 0 && harness_cats_dir() == NULL) {
        return 77;
    }
    return harness_main(argc, argv, suites);
}
