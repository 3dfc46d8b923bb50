/* What of the data stays in memory, and in which order its samples are taken. */
#include <string.h>

#include "base/fail.h"
#include "cli/memory_size.h"
#include "cli/strict_number.h"
#include "cli/train_job.h"

/* Data sets up to this size are shuffled as a whole where nobody says how, whatever memory there
 * is, so that the order is the same on every machine. Buffers hold as much as that of others. */
#define FULL_UP_TO ((size_t)4 << 30)
#define BUFFER_BYTES ((size_t)256 << 20)

weft_status train_resolve_memory(struct train_job *job, weft_error *err)
{
    const char *text = job->args->cache_memory;
    if (text == NULL) {
        job->cache_bytes = cli_granted_memory() / 2;
        return WEFT_OK;
    }
    return cli_parse_memory(text, &job->cache_bytes)
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_ARG,
                           "--cache-memory: wanted an amount of memory, such as 500M or 2G, or 0; "
                           "got '%s'",
                           text);
}

weft_status train_resolve_val(struct train_job *job, weft_error *err)
{
    struct train_args *args = job->args;
    double number;
    if (args->val == NULL) {
        return WEFT_OK;
    }
    if (!cli_parse_real(args->val, &number)) {
        job->val_path = args->val;
        return WEFT_OK;
    }
    job->val_fraction = number;
    return number >= 0 && number < 1
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_ARG,
                           "--val: wanted a number from 0 to below 1, or DATA; got '%s'",
                           args->val);
}

static size_t feature_bytes(const weft_dataset *data)
{
    return weft_dataset_samples(data) * weft_dataset_features(data) *
           weft_dtype_size(weft_dataset_x(data).dtype);
}

static size_t bytes_in_memory(const weft_dataset *data)
{
    return data == NULL || weft_dataset_is_streamed(data) ? 0 : feature_bytes(data);
}

size_t train_memory_left(const struct train_job *job)
{
    size_t used =
        bytes_in_memory(job->data) + bytes_in_memory(job->val) + bytes_in_memory(job->test);
    return used < job->cache_bytes ? job->cache_bytes - used : 1; /* 0 would be no limit */
}

weft_status train_cache(const struct train_job *job, weft_dataset **data, weft_error *err)
{
    if (!weft_dataset_is_streamed(*data) || feature_bytes(*data) > train_memory_left(job)) {
        return WEFT_OK;
    }
    weft_dataset *copy = NULL;
    weft_status status = weft_dataset_in_memory(*data, weft_dataset_samples(*data), &copy, err);
    if (status == WEFT_OK) {
        weft_dataset_free(*data);
        *data = copy;
    }
    return status;
}

/* "full", "buffer", "buffer:N", "none", "auto"; flags of config files from before there were
 * methods. */
static bool read_shuffle(struct train_job *job, bool *is_auto)
{
    static const char buffer[] = "buffer:";
    const char *name = job->args->shuffle == NULL ? "auto" : job->args->shuffle;
    name = strcmp(name, "true") == 0 ? "full" : strcmp(name, "false") == 0 ? "none" : name;
    uint64_t n;
    *is_auto = strcmp(name, "auto") == 0;
    if (strncmp(name, buffer, sizeof buffer - 1) == 0) {
        job->shuffle = WEFT_SHUFFLE_BUFFER;
        bool ok = cli_parse_whole(name + sizeof buffer - 1, &n) && n > 0 && n <= UINT32_MAX;
        job->shuffle_buffer = ok ? (size_t)n : 0;
        return ok;
    }
    return *is_auto || weft_shuffle_from_name(name, &job->shuffle) == WEFT_OK;
}

weft_status train_check_shuffle(struct train_job *job, weft_error *err)
{
    bool is_auto;
    return read_shuffle(job, &is_auto)
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_ARG,
                           "--shuffle: wanted one of auto, full, buffer, buffer:N, none; got '%s'",
                           job->args->shuffle);
}

static weft_status check_full(const struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    bool one_batch = args->batch_size == 0 || args->batch_size >= weft_dataset_samples(job->data);
    if (job->shuffle != WEFT_SHUFFLE_FULL || one_batch || weft_dataset_can_seek(job->data)) {
        return WEFT_OK;
    }
    return weft_fail(err, WEFT_ERR_ARG,
                     "--shuffle full: wanted the %s of %s in memory, or in a file that is neither "
                     "compressed nor text; --cache-memory allows %s; --shuffle buffer:N needs less",
                     cli_memory_text(feature_bytes(job->data)).text, args->data,
                     cli_memory_text(job->cache_bytes).text);
}

weft_status train_resolve_shuffle(struct train_job *job, weft_error *err)
{
    struct train_args *args = job->args;
    size_t bytes = feature_bytes(job->data), row = bytes / weft_dataset_samples(job->data);
    bool is_auto = false;
    if (!read_shuffle(job, &is_auto)) {
        return train_check_shuffle(job, err);
    }
    if (is_auto) {
        job->shuffle = bytes <= FULL_UP_TO ? WEFT_SHUFFLE_FULL : WEFT_SHUFFLE_BUFFER;
    }
    if (job->shuffle == WEFT_SHUFFLE_BUFFER && job->shuffle_buffer == 0) {
        job->shuffle_buffer = row < BUFFER_BYTES ? BUFFER_BYTES / row : 1;
    }
    char text[32];
    if (job->shuffle == WEFT_SHUFFLE_BUFFER) {
        snprintf(text, sizeof text, "buffer:%zu", job->shuffle_buffer);
    } else {
        snprintf(text, sizeof text, "%s", weft_shuffle_name(job->shuffle));
    }
    return cli_text_assign(&args->shuffle, text) ? check_full(job, err)
                                                 : weft_fail_nomem(err, "options");
}

void train_print_memory(const struct train_job *job)
{
    weft_train_options options = train_options_of(job);
    const weft_dataset *sets[] = {job->data, job->val, job->test};
    size_t bytes = weft_train_data_bytes(job->data, &options), n_streamed = 0;
    for (size_t i = 0; i < 3; i++) {
        n_streamed += sets[i] != NULL && weft_dataset_is_streamed(sets[i]);
    }
    if (n_streamed == 0) {
        return;
    }
    const char *which = !weft_dataset_is_streamed(job->data) ? "evaluation data are"
                        : n_streamed > 1                     ? "data are"
                                                             : "training data are";
    fprintf(stderr, "%-10s%s read anew in each pass; at most %s of data in memory; shuffle %s\n",
            "memory", which, cli_memory_text(bytes).text, job->args->shuffle);
}
