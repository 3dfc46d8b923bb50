/* Saving under bad luck: every system call of a save fails in every way, or is the last one before
 * SIGKILL; files that are not to be trusted; processes that fork; contexts side by side. Whatever
 * happens, a whole checkpoint lies under the name. */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_call.h"
#include "base/safefile.h"
#include "harness.h"
#include "model/safetensors.h"
#include "synthetic.h"

#include <jansson.h>

#include <weft/weft.h>

/* A file's bytes. */
struct bytes {
    char *data;
    size_t n;
};

static struct bytes read_all(const char *path)
{
    struct bytes bytes = {NULL, 0};
    FILE *stream = fopen(path, "rb");
    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0) {
        CHECK(stream != NULL);
        exit(1);
    }
    bytes.n = (size_t)ftell(stream);
    bytes.data = malloc(bytes.n + 1);
    rewind(stream);
    if (bytes.data == NULL || fread(bytes.data, 1, bytes.n, stream) != bytes.n) {
        exit(1);
    }
    fclose(stream);
    return bytes;
}

static bool same_bytes(const char *path, const struct bytes *wanted)
{
    struct bytes got = read_all(path);
    bool same = got.n == wanted->n && memcmp(got.data, wanted->data, got.n) == 0;
    free(got.data);
    return same;
}

static bool loads(const char *path)
{
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    bool ok = CHECK_OK(weft_checkpoint_load(path, &checkpoint, &err), &err);
    weft_checkpoint_free(checkpoint);
    return ok;
}

/* Files in the directory whose name has ".tmp." in it. */
static size_t count_temps(void)
{
    size_t n = 0;
    DIR *directory = opendir(harness_temp_dir());
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        n += strstr(entry->d_name, ".tmp.") != NULL;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return n;
}

/* Runs `listener` in a run on one thread, whose checkpoints have some 80 blocks to write. */
static void in_a_run(weft_listener *listener, void *user, size_t hidden)
{
    const size_t widths[] = {hidden, 0};
    weft_dataset *data = synthetic_classes(WEFT_U8, 40, 30, 3, 0.9, 1);
    weft_net *net = synthetic_net(30, widths, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, 1);
    weft_context *context = synthetic_context(1);
    weft_train_options options = weft_train_options_default();
    weft_train_options_set_optimizer(&options, WEFT_ADAM);
    options.epochs = 2;
    options.batch_size = 20;
    options.listener = listener;
    options.listener_user = user;
    weft_error err;
    weft_status status = weft_train(context, net, data, &options, &err);
    CHECK(status == WEFT_OK || status == WEFT_ERR_STOPPED);
    weft_context_free(context);
    weft_net_free(net);
    weft_dataset_free(data);
}

struct saving {
    const char *path;
    struct bytes old;
    size_t n_cases, n_failed, n_new;
};

/* At step 1 the file is written; at step 2, over it, with a fault in each call. */
static bool with_old_file(const weft_event *event, struct saving *saving)
{
    weft_error err;
    if (event->kind != WEFT_EVENT_STEP) {
        return false;
    }
    if (event->step == 1) {
        CHECK_OK(weft_checkpoint_save(event, saving->path, NULL, 0, &err), &err);
        saving->old = read_all(saving->path);
    }
    return event->step == 2;
}

static void restore(const struct saving *saving)
{
    FILE *stream = fopen(saving->path, "wb");
    if (stream == NULL || fwrite(saving->old.data, 1, saving->old.n, stream) != saving->old.n) {
        exit(1);
    }
    fclose(stream);
}

/* How many calls a save makes, and whether the n-th met the fault. */
static size_t calls_of_a_save(const weft_event *event, const struct saving *saving)
{
    weft_error err;
    size_t before = weft_file_count();
    CHECK_OK(weft_checkpoint_save(event, saving->path, NULL, 0, &err), &err);
    size_t n = weft_file_count() - before;
    restore(saving);
    return n;
}

static void one_fault(const weft_event *event, struct saving *saving, size_t n, int fault)
{
    weft_error err;
    weft_file_fault(n, fault);
    weft_status status = weft_checkpoint_save(event, saving->path, NULL, 0, &err);
    weft_file_fault(0, 0);
    bool harmless = fault == EINTR || fault == WEFT_FAULT_SHORT;
    bool same = same_bytes(saving->path, &saving->old);
    saving->n_cases++;
    if (status != WEFT_OK) {
        CHECK(!harmless);
        CHECK_STATUS(status, WEFT_ERR_IO, &err);
        CHECK_HAS(err.message, strstr(err.message, "its directory") != NULL &&
                                       strstr(err.message, "cannot sync") != NULL
                                   ? strerror(EIO)
                                   : strerror(fault));
        CHECK(same || strstr(err.message, "cannot sync its directory") != NULL);
        saving->n_failed++;
    } else {
        CHECK(!same);
        saving->n_new++;
    }
    CHECK(loads(saving->path));
    CHECK_UINT(count_temps(), 0);
    if (!same) {
        restore(saving);
    }
}

static bool fail_each(const weft_event *event, void *user)
{
    static const int faults[] = {EIO, ENOSPC, EDQUOT, EROFS, EINTR, WEFT_FAULT_SHORT};
    struct saving *saving = user;
    if (with_old_file(event, saving)) {
        size_t n_calls = calls_of_a_save(event, saving);
        for (size_t n = 1; n <= n_calls; n++) {
            for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
                one_fault(event, saving, n, faults[f]);
            }
        }
    }
    return true;
}

static void test_io_faults(void)
{
    struct saving saving = {.path = harness_write_file("io.safetensors", "", 0)};
    in_a_run(fail_each, &saving, 2400);
    CHECK(saving.n_cases >= 400);
    CHECK(saving.n_failed > saving.n_cases / 2);
    printf("%zu faults, %zu of them errors\n", saving.n_cases, saving.n_failed);
    free(saving.old.data);
}

static void one_kill(const weft_event *event, struct saving *saving, size_t n, int fault)
{
    pid_t child = fork();
    if (child == 0) {
        weft_file_fault(n, fault);
        _exit(weft_checkpoint_save(event, saving->path, NULL, 0, NULL) == WEFT_OK ? 0 : 1);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    bool same = same_bytes(saving->path, &saving->old);
    saving->n_cases++;
    saving->n_new += !same;
    CHECK(loads(saving->path));
    CHECK(count_temps() <= 1);
    weft_safefile_clean(harness_temp_dir());
    CHECK_UINT(count_temps(), 0);
    if (!same) {
        restore(saving);
    }
}

static bool kill_each(const weft_event *event, void *user)
{
    struct saving *saving = user;
    if (with_old_file(event, saving)) {
        size_t n_calls = calls_of_a_save(event, saving);
        for (size_t n = 1; n <= n_calls; n++) {
            one_kill(event, saving, n, WEFT_FAULT_KILL);
            one_kill(event, saving, n, WEFT_FAULT_KILL_AFTER);
        }
    }
    return true;
}

static void test_kills(void)
{
    struct saving saving = {.path = harness_write_file("kill.safetensors", "", 0)};
    in_a_run(kill_each, &saving, 600);
    CHECK(saving.n_new >= 3); /* the rename's own end, and what comes behind it */
    CHECK(saving.n_cases > 50);
    printf("%zu kills\n", saving.n_cases);
    free(saving.old.data);
}

/* ---- files that are not to be trusted ---- */

static bool save_one(const weft_event *event, void *user)
{
    weft_error err;
    if (event->kind == WEFT_EVENT_STEP && event->step == 3) {
        CHECK_OK(weft_checkpoint_save(event, user, NULL, 0, &err), &err);
    }
    return true;
}

/* The file with another header, whose checksum of the metadata is made right again. */
static const char *with_header(const struct bytes *file, json_t *header)
{
    json_t *metadata = json_object_get(header, "__metadata__");
    const char *seal = json_string_value(json_object_get(metadata, WEFT_ST_SEAL_KEY));
    struct weft_st_seal found = {0};
    char text[WEFT_ST_SEAL_SIZE];
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (strcmp(key, WEFT_ST_SEAL_KEY) != 0 && json_is_string(value)) {
            weft_st_seal_pair(&found, key, json_string_value(value));
        }
    }
    weft_st_seal_text(&found, text);
    if (seal != NULL) {
        memcpy(text, seal, 8); /* of the data, which are as they were */
        json_object_set_new(metadata, WEFT_ST_SEAL_KEY, json_string(text));
    }
    char *json = json_dumps(header, JSON_COMPACT);
    uint64_t old_len = 0, len = strlen(json);
    memcpy(&old_len, file->data, 8);
    size_t data_len = file->n - 8 - (size_t)old_len;
    char *bytes = malloc(8 + (size_t)len + data_len);
    if (bytes == NULL) {
        exit(1);
    }
    memcpy(bytes, &len, 8);
    memcpy(bytes + 8, json, (size_t)len);
    memcpy(bytes + 8 + len, file->data + 8 + old_len, data_len);
    const char *path = harness_write_file("hostile", bytes, 8 + (size_t)len + data_len);
    free(json);
    free(bytes);
    return path;
}

static json_t *header_of(const struct bytes *file)
{
    uint64_t len = 0;
    memcpy(&len, file->data, 8);
    return json_loadb(file->data + 8, (size_t)len, 0, NULL);
}

static void refused(const char *path, const char *message)
{
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    CHECK_STATUS(weft_checkpoint_load(path, &checkpoint, &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, message);
    CHECK(checkpoint == NULL);
}

/* Every entry of the metadata missing, and what none of them can be. */
static size_t spoil_metadata(const struct bytes *file)
{
    static const char *const wrong[] = {"", "x", "-1", "1e", "18446744073709551616", " 1", "0x1"};
    size_t n = 0;
    json_t *header = header_of(file);
    json_t *keys = json_deep_copy(json_object_get(header, "__metadata__"));
    const char *key;
    json_t *value;
    json_object_foreach(keys, key, value)
    {
        bool is_number = strncmp(key, "weft.learned.", 13) == 0 ||
                         strncmp(key, "weft.options.", 13) == 0 ||
                         strncmp(key, "weft.digest.", 12) == 0;
        bool is_state = is_number || strcmp(key, "weft.checkpoint") == 0 ||
                        strcmp(key, "weft.kernels") == 0 || strcmp(key, "weft.precision") == 0;
        if (!is_state) {
            continue;
        }
        json_t *spoilt = json_deep_copy(header);
        json_object_del(json_object_get(spoilt, "__metadata__"), key);
        refused(with_header(file, spoilt), key);
        json_decref(spoilt);
        n++;
        for (size_t w = 0; is_number && w < sizeof wrong / sizeof *wrong; w++) {
            bool is_real = strchr(json_string_value(value), '.') != NULL ||
                           strcmp(json_string_value(value), "nan") == 0;
            if (is_real || strcmp(wrong[w], "-1") == 0 || w == 4) {
                continue; /* numbers that a real may be */
            }
            spoilt = json_deep_copy(header);
            json_object_set_new(json_object_get(spoilt, "__metadata__"), key,
                                json_string(wrong[w]));
            refused(with_header(file, spoilt), key);
            json_decref(spoilt);
            n++;
        }
    }
    json_decref(keys);
    json_decref(header);
    return n;
}

static void set_metadata(json_t *header, const char *key, const char *value)
{
    json_object_set_new(json_object_get(header, "__metadata__"), key, json_string(value));
}

static size_t spoil_tensors(const struct bytes *file)
{
    json_t *header = header_of(file), *spoilt = json_deep_copy(header);
    set_metadata(spoilt, "weft.checkpoint", "2");
    refused(with_header(file, spoilt), "a newer weft wrote it");
    json_decref(spoilt);
    spoilt = json_deep_copy(header);
    json_object_del(json_object_get(spoilt, "__metadata__"), WEFT_ST_SEAL_KEY);
    refused(with_header(file, spoilt), "has no weft.checksum");
    json_decref(spoilt);
    spoilt = json_deep_copy(header); /* a tensor by another name */
    json_object_set(spoilt, "weft.x.0.bias", json_object_get(spoilt, "weft.m.0.bias"));
    json_object_del(spoilt, "weft.m.0.bias");
    refused(with_header(file, spoilt), "damaged");
    json_decref(spoilt);
    spoilt = json_deep_copy(header); /* as many numbers, in another shape */
    json_t *shape = json_object_get(json_object_get(spoilt, "weft.v.0.weight"), "shape");
    json_t *first = json_incref(json_array_get(shape, 0));
    json_array_set(shape, 0, json_array_get(shape, 1));
    json_array_set(shape, 1, first);
    json_decref(first);
    refused(with_header(file, spoilt), "damaged");
    json_decref(spoilt);
    json_decref(header);
    return 4;
}

/* Cut at every byte of the header and at some of the data; a bit turned anywhere. */
static size_t spoil_bytes(const struct bytes *file)
{
    size_t n = 0;
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    for (size_t len = 0; len < file->n; len += len < 9000 ? 7 : 997) {
        const char *path = harness_write_file("hostile", file->data, len);
        CHECK_STATUS(weft_checkpoint_load(path, &checkpoint, &err), WEFT_ERR_FORMAT, &err);
        n++;
    }
    for (size_t at = 8; at < file->n; at += 131) {
        file->data[at] ^= 0x20;
        const char *path = harness_write_file("hostile", file->data, file->n);
        weft_status status = weft_checkpoint_load(path, &checkpoint, &err);
        file->data[at] ^= 0x20;
        /* A blank of the padding and a letter of a hexadecimal number may turn unseen. */
        CHECK(status == WEFT_ERR_FORMAT || status == WEFT_ERR_MISMATCH);
        n++;
    }
    char *longer = malloc(file->n + 1);
    memcpy(longer, file->data, file->n);
    longer[file->n] = 0;
    refused(harness_write_file("hostile", longer, file->n + 1), "bytes of data, the tensors have");
    free(longer);
    return n + 1;
}

static void test_hostile_files(void)
{
    const char *path = harness_write_file("sound.safetensors", "", 0);
    in_a_run(save_one, (void *)path, 8);
    struct bytes file = read_all(path);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    size_t n = spoil_metadata(&file) + spoil_tensors(&file) + spoil_bytes(&file);
    getrusage(RUSAGE_SELF, &after);
    CHECK(n >= 60);
    CHECK(HARNESS_SLOW_BUILD || after.ru_maxrss - before.ru_maxrss < 64 * 1024);
    printf("%zu hostile files\n", n);
    free(file.data);
}

/* Numbers that are right one by one, but that no run comes to. */
static void test_impossible_numbers(void)
{
    static const char *const wrong[][2] = {
        {"weft.learned.step", "0"},          {"weft.learned.step", "18446744073709551615"},
        {"weft.learned.epoch", "0"},         {"weft.learned.epoch", "9223372036854775807"},
        {"weft.learned.epoch_samples", "7"}, {"weft.learned.epoch_sum.loss", "inf"},
        {"weft.learned.lr_factor", "0"},     {"weft.learned.lr_factor", "2"},
        {"weft.learned.lr_factor", "nan"},   {"weft.learned.seconds", "-1"},
        {"weft.learned.plateau.lr", "nan"},  {"weft.learned.best_epoch", "3"},
        {"weft.learned.lr", "inf"},
    };
    const char *path = harness_write_file("sound.safetensors", "", 0);
    in_a_run(save_one, (void *)path, 8);
    struct bytes file = read_all(path);
    const size_t widths[] = {8, 0};
    weft_dataset *data = synthetic_classes(WEFT_U8, 40, 30, 3, 0.9, 1);
    weft_net *net = synthetic_net(30, widths, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, 1);
    weft_context *context = synthetic_context(1);
    weft_train_options options = weft_train_options_default();
    weft_train_options_set_optimizer(&options, WEFT_ADAM);
    options.epochs = 2;
    options.batch_size = 20;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *header = header_of(&file);
        set_metadata(header, wrong[i][0], wrong[i][1]);
        weft_checkpoint *checkpoint = NULL;
        weft_error err;
        if (CHECK_OK(weft_checkpoint_load(with_header(&file, header), &checkpoint, &err), &err)) {
            options.resume = checkpoint;
            CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_FORMAT, &err);
            CHECK_HAS(err.message, "contradict each other");
        }
        weft_checkpoint_free(checkpoint);
        json_decref(header);
    }
    weft_context_free(context);
    weft_net_free(net);
    weft_dataset_free(data);
    free(file.data);
}

/* ---- processes and threads ---- */

static int train_with(size_t n_threads, uint64_t seed, weft_error *err)
{
    const size_t widths[] = {600, 0};
    weft_dataset *data = synthetic_classes(WEFT_U8, 400, 100, 3, 0.9, seed);
    weft_net *net = synthetic_net(100, widths, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, seed);
    weft_context *context = NULL;
    weft_context_options how = weft_context_options_default();
    how.n_threads = n_threads;
    weft_status status = weft_context_new(&how, &context, err);
    if (status == WEFT_OK) {
        weft_train_options options = weft_train_options_default();
        options.epochs = 2;
        status = weft_train(context, net, data, &options, err);
    }
    weft_context_free(context);
    weft_net_free(net);
    weft_dataset_free(data);
    return (int)status;
}

static void test_fork(void)
{
    weft_error err;
    CHECK_INT(train_with(2, 1, &err), WEFT_OK);
    weft_context *made_before = synthetic_context(2);
    pid_t child = fork();
    if (child == 0) {
        const size_t widths[] = {5, 0};
        weft_dataset *data = synthetic_classes(WEFT_U8, 20, 10, 3, 0.9, 1);
        weft_net *net = synthetic_net(10, widths, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, 1);
        weft_evaluation found = {0};
        bool ok = train_with(1, 1, &err) == WEFT_OK &&
                  train_with(2, 1, &err) == WEFT_ERR_UNSUPPORTED &&
                  strstr(err.message, "fork") != NULL &&
                  weft_train(made_before, net, data, NULL, &err) == WEFT_ERR_UNSUPPORTED &&
                  weft_evaluate(made_before, net, data, &found, &err) == WEFT_ERR_UNSUPPORTED;
        _exit(ok ? 0 : 1);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    weft_context_free(made_before);
    CHECK_INT(train_with(2, 1, &err), WEFT_OK);
}

static void *train_again_and_again(void *arg)
{
    size_t n_bad = 0;
    for (uint64_t i = 0; i < 5; i++) {
        weft_error err;
        n_bad += train_with(1 + i % 3, i, &err) != WEFT_OK;
    }
    *(size_t *)arg = n_bad;
    return NULL;
}

static void test_contexts_side_by_side(void)
{
    pthread_t threads[4];
    size_t n_bad[4] = {9, 9, 9, 9};
    for (size_t i = 0; i < 4; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, train_again_and_again, &n_bad[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
        CHECK_UINT(n_bad[i], 0);
    }
}

static CU_TestInfo saving_tests[] = {
    {"a fault in every call", test_io_faults},
    {"SIGKILL at every call", test_kills},
    CU_TEST_INFO_NULL,
};
static CU_TestInfo hostile_tests[] = {
    {"hostile files", test_hostile_files},
    {"impossible numbers", test_impossible_numbers},
    CU_TEST_INFO_NULL,
};
static CU_TestInfo process_tests[] = {
    {"fork", test_fork},
    {"contexts side by side", test_contexts_side_by_side},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    static const CU_SuiteInfo suites[] = {
        {"saving", NULL, NULL, NULL, NULL, saving_tests},
        {"hostile", NULL, NULL, NULL, NULL, hostile_tests},
        {"processes", NULL, NULL, NULL, NULL, process_tests},
        CU_SUITE_INFO_NULL,
    };
    return harness_main(argc, argv, suites);
}
