/* See tensorboard.h. */
#include "track/tensorboard.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/mem.h"
#include "track/event_file.h"

enum { TRAIN, VAL, TEST, N_SETS };
static const char *const folders[N_SETS] = {"train", "val", "test"};

/* More than any picture of weft's has. */
#define MAX_IMAGE ((size_t)64 << 20)

struct weft_tensorboard {
    char *dir;
    size_t every;
    struct weft_event_file *files[N_SETS]; /* NULL: nothing to say of that set so far */
    float *params;                         /* all of a network, once needed */
    size_t n_params;
};

static weft_status open_set(weft_tensorboard *board, int set, weft_error *err)
{
    char path[4096];
    if (board->files[set] != NULL) {
        return WEFT_OK;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/%s", board->dir, folders[set]) >= sizeof path) {
        return weft_fail(err, WEFT_ERR_IO, "%s: the name is too long", board->dir);
    }
    return weft_event_file_open(path, &board->files[set], err);
}

/* Removes the event files of an earlier run. */
static void remove_older(const weft_tensorboard *board, int set)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", board->dir, folders[set]) >= sizeof path) {
        return; /* and the file cannot be made either */
    }
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (strstr(entry->d_name, ".tfevents.") != NULL) {
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

/* Makes `path` and what leads there. */
static weft_status make_path(char *path, weft_error *err)
{
    for (char *slash = path + 1;; slash++) {
        slash += strcspn(slash, "/");
        bool last = *slash == '\0';
        *slash = '\0';
        int failed = mkdir(path, 0777) != 0 && errno != EEXIST ? errno : 0;
        *slash = last ? '\0' : '/';
        if (failed != 0) {
            return weft_fail_errno(err, failed, "%s: cannot create the directory", path);
        }
        if (last) {
            return WEFT_OK;
        }
    }
}

weft_status weft_tensorboard_open(const struct weft_tensorboard_options *options,
                                  weft_tensorboard **out, weft_error *err)
{
    weft_tensorboard *board = weft_mem_zalloc(1, sizeof *board);
    if (board == NULL || (board->dir = weft_mem_strdup(options->dir)) == NULL) {
        weft_mem_free(board);
        return weft_fail_nomem(err, "an event file");
    }
    board->every = options->every;
    weft_status status = *board->dir != '\0'
                             ? make_path(board->dir, err)
                             : weft_fail(err, WEFT_ERR_ARG, "a directory without a name");
    for (int set = 0; status == WEFT_OK && options->replace && set < N_SETS; set++) {
        remove_older(board, set);
    }
    if (status == WEFT_OK) {
        status = open_set(board, TRAIN, err);
    }
    if (status != WEFT_OK) {
        weft_tensorboard_close(board);
        return status;
    }
    *out = board;
    return WEFT_OK;
}

void weft_tensorboard_close(weft_tensorboard *board)
{
    if (board == NULL) {
        return;
    }
    for (int set = 0; set < N_SETS; set++) {
        weft_event_file_close(board->files[set]);
    }
    weft_mem_free(board->params);
    weft_mem_free(board->dir);
    weft_mem_free(board);
}

static void add_score(struct weft_bytes *summary, weft_score score)
{
    weft_summary_scalar(summary, "loss", score.loss);
    if (score.accuracy == score.accuracy) { /* an identity output has none */
        weft_summary_scalar(summary, "accuracy", score.accuracy);
    }
}

static weft_status write_score(weft_tensorboard *board, int set, size_t step, weft_score score,
                               weft_error *err)
{
    struct weft_bytes summary = {0};
    if (!score.known) {
        return WEFT_OK;
    }
    weft_status status = open_set(board, set, err);
    if (status == WEFT_OK) {
        add_score(&summary, score);
        status = weft_event_file_write(board->files[set], step, &summary, err);
    }
    return status;
}

static const float *add_part(struct weft_bytes *summary, const char *kind, size_t layer,
                             const char *part, const float *values, size_t n)
{
    char tag[64];
    snprintf(tag, sizeof tag, "%s/layer%zu.%s", kind, layer + 1, part);
    weft_summary_histogram(summary, tag, values, n);
    return values + n;
}

/* One histogram for each kind of parameters of each layer, out of a row of all of them. */
static void add_histograms(struct weft_bytes *summary, const weft_net *net, const char *kind,
                           const float *params)
{
    size_t n_in = weft_net_n_inputs(net), n_layers = weft_net_n_layers(net);
    for (size_t l = 0; l < n_layers; l++) {
        size_t n_out = weft_net_width(net, l);
        params = add_part(summary, kind, l, "weight", params, n_in * n_out);
        params = add_part(summary, kind, l, "bias", params, n_out);
        if (l + 1 < n_layers && weft_net_norm(net, l) != WEFT_NORM_NONE) {
            params = add_part(summary, kind, l, "gamma", params, n_out);
            params = add_part(summary, kind, l, "beta", params, n_out);
        }
        n_in = n_out;
    }
}

static weft_status make_room(weft_tensorboard *board, const weft_net *net, weft_error *err)
{
    if (board->params == NULL) {
        board->n_params = weft_net_n_params(net);
        board->params = weft_mem_alloc(board->n_params, sizeof *board->params);
    }
    return board->params != NULL ? WEFT_OK : weft_fail_nomem(err, "histograms");
}

static weft_status write_epoch(weft_tensorboard *board, const weft_event *event, weft_error *err)
{
    struct weft_bytes summary = {0};
    weft_status status = make_room(board, event->net, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_net_get_params(event->net, board->params);
    add_score(&summary, event->train);
    weft_summary_scalar(&summary, "learning rate", event->lr);
    weft_summary_scalar(&summary, "epoch", (double)event->epoch);
    add_histograms(&summary, event->net, "parameters", board->params);
    status = weft_event_file_write(board->files[TRAIN], event->step, &summary, err);
    if (status == WEFT_OK) {
        status = write_score(board, VAL, event->step, event->val, err);
    }
    return status == WEFT_OK ? write_score(board, TEST, event->step, event->test, err) : status;
}

static weft_status write_step(weft_tensorboard *board, const weft_event *event, weft_error *err)
{
    struct weft_bytes summary = {0};
    if (board->every == 0 || event->step % board->every != 0) {
        return WEFT_OK;
    }
    weft_summary_scalar(&summary, "batch/loss", event->train.loss);
    weft_summary_scalar(&summary, "batch/learning rate", event->lr);
    return weft_event_file_write(board->files[TRAIN], event->step, &summary, err);
}

weft_status weft_tensorboard_event(weft_tensorboard *board, const weft_event *event,
                                   weft_error *err)
{
    switch (event->kind) {
    case WEFT_EVENT_STEP:
        return write_step(board, event, err);
    case WEFT_EVENT_EPOCH:
        return write_epoch(board, event, err);
    case WEFT_EVENT_RUN_STARTED:
    case WEFT_EVENT_RUN_FINISHED:
        break;
    }
    return WEFT_OK;
}

weft_status weft_tensorboard_gradient(weft_tensorboard *board, const weft_net *net, size_t step,
                                      const float *gradient, weft_error *err)
{
    struct weft_bytes summary = {0};
    add_histograms(&summary, net, "gradients", gradient);
    return weft_event_file_write(board->files[TRAIN], step, &summary, err);
}

weft_status weft_tensorboard_test(weft_tensorboard *board, size_t step, weft_score score,
                                  weft_error *err)
{
    return write_score(board, TEST, step, score, err);
}

/* Width, height and channels stand in the first chunk (PNG specification, 11.2.2 IHDR). */
static bool read_header(const unsigned char *png, size_t n, uint32_t sizes[2], uint32_t *channels)
{
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (n < 26 || memcmp(png, signature, sizeof signature) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        const unsigned char *at = png + 16 + 4 * i;
        sizes[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    *channels = png[25] == 0 ? 1 : png[25] == 6 ? 4 : 3;
    return true;
}

weft_status weft_tensorboard_image(weft_tensorboard *board, const char *tag, size_t step,
                                   const char *path, weft_error *err)
{
    struct weft_bytes png = {0}, summary = {0};
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return weft_fail_errno(err, errno, "%s: cannot open", path);
    }
    unsigned char part[16384];
    for (size_t n = 1; n > 0 && png.n <= MAX_IMAGE;) {
        n = fread(part, 1, sizeof part, stream);
        weft_bytes_add(&png, part, n);
    }
    bool failed = ferror(stream) != 0;
    fclose(stream);
    uint32_t sizes[2], channels;
    weft_status status = WEFT_OK;
    if (failed) {
        status = weft_fail(err, WEFT_ERR_IO, "%s: cannot read", path);
    } else if (png.failed) {
        status = weft_fail_nomem(err, "a picture");
    } else if (png.n > MAX_IMAGE || !read_header(png.data, png.n, sizes, &channels)) {
        status = weft_fail(err, WEFT_ERR_FORMAT, "%s: wanted a PNG file", path);
    } else {
        weft_summary_image(&summary, tag, sizes[1], sizes[0], channels, png.data, png.n);
        status = weft_event_file_write(board->files[TRAIN], step, &summary, err);
    }
    weft_bytes_release(&png);
    return status;
}
