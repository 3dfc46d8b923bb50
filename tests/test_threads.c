/* A promise of the product: equal seeds give the same model.safetensors, byte for byte, on 1, 2, 3,
 * 4, 7 and 8 threads. Both older jobs, 30 steps with full batches and 30 with batches of 32; on the
 * kernels that users get. (test_train.c has more shapes, on each set of kernels.) */
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "reference.h"
#include "synthetic.h"

#include <weft/weft.h>

#define N_STEPS (HARNESS_EMULATED ? 2 : HARNESS_SLOW_BUILD ? 5 : 30)

static bool stop_in_time(const weft_event *event, void *user)
{
    (void)user;
    return event->kind != WEFT_EVENT_STEP || event->step < N_STEPS;
}

/* The bytes of a model file; free() them. */
static char *saved(const weft_net *net, size_t *n)
{
    char path[256];
    weft_error err;
    snprintf(path, sizeof path, "%s/threads.safetensors", harness_temp_dir());
    CHECK_OK(weft_model_save(net, path, &err), &err);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_FATAL(file != NULL);
    size_t size = sizeof(float) * weft_net_n_params(net) + 65536;
    char *bytes = reference_alloc(size, 1);
    *n = fread(bytes, 1, size, file);
    fclose(file);
    CHECK(*n > sizeof(float) * weft_net_n_params(net) && *n < size);
    return bytes;
}

/* Trains for N_STEPS; the bytes of the file. */
static char *trained(const weft_dataset *data, const size_t *hidden, size_t n_outputs,
                     weft_output output, size_t batch_size, size_t n_threads, size_t *n)
{
    weft_net *net =
        synthetic_net(weft_dataset_features(data), hidden, WEFT_RELU, n_outputs, output, 1);
    weft_context *context = synthetic_context(n_threads);
    weft_train_options options = weft_train_options_default();
    weft_error err;
    synthetic_scale(net, data, WEFT_SCALE_AUTO);
    options.epochs = N_STEPS + 1;
    options.batch_size = batch_size;
    options.lr = 0.0075;
    options.momentum = 0;
    options.listener = stop_in_time;
    CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_STOPPED, &err);
    char *bytes = saved(net, n);
    weft_net_free(net);
    weft_context_free(context);
    return bytes;
}

static void check_job(const weft_dataset *data, const size_t *hidden, size_t n_outputs,
                      weft_output output, size_t batch_size)
{
    static const size_t threads[] = {2, 3, 8, 4, 7};
    size_t n_threads = HARNESS_EMULATED ? 3 : 5;
    size_t wanted_n = 0, n = 0;
    char *wanted = trained(data, hidden, n_outputs, output, batch_size, 1, &wanted_n);
    for (size_t t = 0; t < n_threads; t++) {
        char *bytes = trained(data, hidden, n_outputs, output, batch_size, threads[t], &n);
        CHECK_UINT(n, wanted_n);
        if (n == wanted_n && !CHECK_BYTES(bytes, wanted, n)) {
            printf(" (%zu threads)", threads[t]);
        }
        free(bytes);
    }
    free(wanted);
}

/* The 10,000 test digits: a sixth of the time. */
static void digits(void)
{
    static const size_t hidden[] = {32, 16, 0};
    weft_dataset_options options = weft_dataset_options_default();
    weft_dataset *data = NULL;
    weft_error err;
    options.split = WEFT_SPLIT_TEST;
    CU_ASSERT_FATAL(
        CHECK_OK(weft_dataset_load(WEFT_SOURCE_DIR "/data/mnist", &options, &data, &err), &err));
    check_job(data, hidden, 10, WEFT_OUTPUT_SOFTMAX, 0);
    check_job(data, hidden, 10, WEFT_OUTPUT_SOFTMAX, 32);
    weft_dataset_free(data);
}

/* From WEFT_CATS_DIR, else made-up samples of the same shape. */
static void cats(void)
{
    static const size_t hidden[] = {20, 7, 5, 0};
    const char *dir = harness_cats_dir();
    weft_dataset *data = NULL;
    weft_error err;
    if (dir != NULL) {
        char path[1024];
        snprintf(path, sizeof path, "%s/train_catvnoncat.h5", dir);
        CU_ASSERT_FATAL(CHECK_OK(weft_dataset_load(path, NULL, &data, &err), &err));
    } else {
        printf("  made-up samples of their shape instead ");
        data = synthetic_classes(WEFT_U8, 209, 12288, 2, 0.9, 3);
    }
    check_job(data, hidden, 1, WEFT_OUTPUT_SIGMOID, 0);
    check_job(data, hidden, 1, WEFT_OUTPUT_SIGMOID, 32);
    weft_dataset_free(data);
}

static CU_TestInfo file_tests[] = {
    {"digits", digits},
    {"cats", cats},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"same file", NULL, NULL, NULL, NULL, file_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
